"""Which persons may be several people, and which of their faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User

from faces import corrections, suspicions
from faces.suspicions import Reason, examine, suspicious
from faces.tests.people import add_person, faces_of, photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event

TWO_PEOPLE = (0, 0, 0, 61, 61)
"""Directions of faces that grouping still takes for one person; at 0.9 times its distance (59.1 degrees) no more."""


@pytest.fixture(autouse=True)
def distance(event: Event) -> None:
    """One group up to a cosine distance of 0.54 (62.6 degrees)."""
    event.group_distance = 0.54
    event.save()


def test_the_part_that_is_unlike_the_rest_is_doubtful(event: Event) -> None:
    person = add_person(event, *TWO_PEOPLE)
    keys = faces_of(person)
    (found,) = suspicious(event)
    assert (found.person, found.reason) == (person.pk, Reason.UNLIKE)
    assert found.doubtful == tuple(keys[3:])
    assert set(found.typical) == set(keys[:3])
    assert found.similarity == pytest.approx(0.485, abs=1e-3)
    assert found.photos == ()


def test_one_face_far_from_the_rest_is_doubtful(event: Event) -> None:
    person = add_person(event, 0, 10, 20, 100)
    (found,) = suspicious(event)
    assert found.doubtful == (faces_of(person)[3],)


def test_a_group_of_one_piece_is_not_suspicious(event: Event) -> None:
    add_person(event, 0, 10, 20, 30)
    add_person(event, 180)
    assert suspicious(event) == []


def test_an_event_without_people_is_not_suspicious(event: Event) -> None:
    assert suspicious(event) == []


def test_who_is_in_a_photo_twice_is_two_people_and_each_face_is_given_to_one(event: Event) -> None:
    shared, another = photo(event), photo(event)
    person = add_person(event, 0, 50, 0, 5, 45, images=[shared, shared, *(photo(event) for _ in range(3))])
    beside = add_person(event, 180, images=[another])
    keys = faces_of(person)
    (found,) = suspicious(event)
    assert (found.person, found.reason, found.photos) == (person.pk, Reason.TWICE, (shared.pk,))
    assert found.person != beside.pk
    assert set(found.doubtful) == {keys[1], keys[4]}
    assert set(found.typical) == {keys[0], keys[2], keys[3]}


def test_who_is_in_a_photo_twice_in_a_mirror_is_not_suspicious(event: Event) -> None:
    shared = photo(event)
    add_person(event, 0, 10, 5, images=[shared, shared, photo(event)])
    assert suspicious(event) == []


def test_twice_in_one_photo_comes_first_and_then_the_more_unlike(event: Event) -> None:
    less = add_person(event, 0, 60)
    more = add_person(event, 90, 152)
    shared = photo(event)
    twice = add_person(event, 180, 230, images=[shared, shared])
    assert [found.person for found in suspicious(event)] == [twice.pk, more.pk, less.pk]
    assert [found.person for found in suspicious(event, limit=1)] == [twice.pk]


def test_only_the_oddest_are_examined(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    add_person(event, 0, 60)
    odd = add_person(event, 90, 90, 90, 190)
    monkeypatch.setattr(suspicions, "EXAMINED", 1)
    assert [found.person for found in suspicious(event)] == [odd.pk]


def test_what_was_confirmed_is_not_suspicious_until_that_is_undone(event: Event, staff: User) -> None:
    shared = photo(event)
    people = add_person(event, *TWO_PEOPLE), add_person(event, 180, 230, images=[shared, shared])
    decisions = [corrections.confirm(person, staff) for person in people]
    assert suspicious(event) == []
    for decision in decisions:
        corrections.undo(decision, staff)
    assert {found.person for found in suspicious(event)} == {person.pk for person in people}


def test_what_people_merged_is_not_suspicious(event: Event, staff: User) -> None:
    corrections.merge(event, [add_person(event, 0, 0), add_person(event, 90)], staff)
    assert event.faces.count() == 1
    assert suspicious(event) == []


def test_a_face_that_came_after_the_confirmation_is_suspicious(event: Event, staff: User) -> None:
    person = add_person(event, *TWO_PEOPLE)
    corrections.confirm(person, staff)
    new = add_person(event, 150, 150, 150, 150)
    keys = faces_of(new)
    new.image_faces.update(face=person)
    (found,) = examine(event, [person.pk], 0.54)
    assert found.doubtful == tuple(keys), "though they are the most"


def test_in_a_photo_the_face_that_is_confirmed_is_not_the_doubtful_one(event: Event, staff: User) -> None:
    shared = photo(event)
    person = add_person(event, 60, images=[shared])
    corrections.confirm(person, staff)
    others = add_person(event, 0, 0, 0, images=[shared, photo(event), photo(event)])
    keys = faces_of(others)
    others.image_faces.update(face=person)
    (found,) = examine(event, [person.pk], 0.54)
    assert set(found.doubtful) == set(keys)


def test_hidden_people_are_not_suspicious(event: Event) -> None:
    add_person(event, *TWO_PEOPLE, hidden=True)
    assert suspicious(event) == []


def test_the_queries_are_as_many_for_many_people(event: Event, django_assert_num_queries: Callable[..., Any]) -> None:
    for turn in range(suspicions.AT_A_TIME):
        add_person(event, *(angle + 7 * turn for angle in TWO_PEOPLE))
    with django_assert_num_queries(7):
        assert len(suspicious(event)) == suspicions.AT_A_TIME
