"""Which pairs of persons are worth asking about."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.contrib.auth.models import User

from faces import corrections, reviews
from faces.models import ImageFace
from faces.persons import refresh
from faces.reviews import likelihood, likely_merges, worth
from faces.tests.people import add_person, photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event

NEAR, APART = 66.0, 90.0
"""Degrees between two persons: just too far for one group, and two people beyond doubt."""


@pytest.fixture(autouse=True)
def distance(event: Event) -> None:
    """One group up to a cosine distance of 0.54 (62.6 degrees), a question up to 0.648 (69.4 degrees)."""
    event.group_distance = 0.54
    event.save()


def asked(event: Event) -> list[set[int]]:
    return [{pair.left, pair.right} for pair in likely_merges(event)]


def test_those_who_are_nearly_alike_are_asked_about(event: Event) -> None:
    one, other, _ = add_person(event, 0), add_person(event, NEAR), add_person(event, NEAR + APART)
    (pair,) = likely_merges(event)
    assert {pair.left, pair.right} == {one.pk, other.pk}
    assert pair.covers == (one.cover_id, other.cover_id)
    assert pair.similarity == pytest.approx(np.cos(np.radians(NEAR)), abs=1e-3)


def test_what_grouping_has_not_come_to_yet_is_asked_about(event: Event) -> None:
    one, other = add_person(event, 0), add_person(event, 5)
    assert asked(event) == [{one.pk, other.pk}]


def test_the_more_alike_come_first(event: Event) -> None:
    less = add_person(event, 0), add_person(event, 67)
    more = add_person(event, 150), add_person(event, 150 + 65)
    assert asked(event) == [{person.pk for person in pair} for pair in (more, less)]


def test_the_larger_come_first(event: Event) -> None:
    small = add_person(event, 0), add_person(event, 65)
    large = add_person(event, *[150] * 3), add_person(event, *[150 + 66] * 2)
    assert asked(event) == [{person.pk for person in pair} for pair in (large, small)]


def test_of_many_the_best_are_asked_about(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    add_person(event, 0)
    add_person(event, 68)
    best = {add_person(event, 150).pk, add_person(event, 150 + 64).pk}
    monkeypatch.setattr(reviews, "CANDIDATES", 1)
    monkeypatch.setattr(reviews, "BLOCK_ROWS", 1)
    assert asked(event) == [best]
    assert likely_merges(event, limit=0) == []


def test_an_event_without_people_asks_nothing(event: Event) -> None:
    assert likely_merges(event) == []


def test_those_whom_people_kept_apart_are_not_asked_about_until_that_is_undone(event: Event, staff: User) -> None:
    one, other = add_person(event, 0), add_person(event, NEAR)
    decision = corrections.not_same(other, one, staff)
    assert asked(event) == []
    corrections.undo(decision, staff)
    assert asked(event) == [{one.pk, other.pk}]


def test_what_was_split_off_is_not_asked_about(event: Event, staff: User) -> None:
    whole = add_person(event, 0, NEAR)
    corrections.split(list(whole.image_faces.order_by("pk")[1:]), staff)
    assert event.faces.count() == 2
    assert asked(event) == []


def test_what_was_removed_is_not_asked_about(event: Event, staff: User) -> None:
    whole, other = add_person(event, 0, NEAR), add_person(event, 180)
    face = whole.image_faces.order_by("pk")[1]
    corrections.remove([face], staff)
    # As grouping does.
    other.image_faces.update(face=None)
    ImageFace.objects.filter(pk=face.pk).update(face=other)
    refresh(event, [other.pk])
    assert asked(event) == []


def test_a_decision_keeps_nobody_else_apart(event: Event, staff: User) -> None:
    one, other, far = add_person(event, 0), add_person(event, NEAR), add_person(event, 180)
    corrections.not_same(one, far, staff)
    assert asked(event) == [{one.pk, other.pk}]


def test_two_people_of_one_photo_are_not_asked_about(event: Event) -> None:
    shared = photo(event)
    one, _ = add_person(event, 0, 0, images=[shared, photo(event)]), add_person(event, NEAR, images=[shared])
    third = add_person(event, -NEAR)
    assert asked(event) == [{one.pk, third.pk}]


def test_who_is_in_one_photo_twice_in_a_mirror_is_asked_about(event: Event) -> None:
    shared = photo(event)
    pair = add_person(event, 0, images=[shared]), add_person(event, 5, images=[shared])
    assert asked(event) == [{person.pk for person in pair}]


def test_hidden_people_are_not_asked_about(event: Event) -> None:
    add_person(event, 0)
    add_person(event, NEAR, hidden=True)
    assert asked(event) == []


def test_events_do_not_mix(event: Event, other_event: Event) -> None:
    add_person(event, 0)
    add_person(other_event, 5)
    assert asked(event) == []


def test_the_queries_are_as_many_for_many_people(event: Event, django_assert_num_queries: Callable[..., Any]) -> None:
    for angle in range(0, 120, 4):
        add_person(event, angle)
    with django_assert_num_queries(4):
        assert len(likely_merges(event)) > 100


def test_the_likelihood_falls_with_the_distance() -> None:
    values = likelihood([1.0, 0.5, 0.46, 0.40, -1.0], 0.54)
    assert list(values) == sorted(values, reverse=True)
    assert values[0] == pytest.approx(1)
    assert values[2] == pytest.approx(0.5, abs=1e-4)
    assert values[4] == pytest.approx(0)


def test_the_worth_grows_with_what_is_united() -> None:
    values = worth(0.5, [1, 1, 10], [1, 10, 10])
    assert list(values) == sorted(values)
    assert values[0] == pytest.approx(0.5)
