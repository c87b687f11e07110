"""What visitors say, as questions for staff."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission

from faces import corrections
from faces.evidence import claims
from faces.models import Evidence, Face
from faces.tests.people import add_person

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

    from events.models import Event

PAGE = "/admin/faces/decision/visitors/"


@pytest.fixture
def pair(event: Event) -> list[Face]:
    return [add_person(event, 0), add_person(event, 80)]


def say(event: Event, known: Face | None, asked: Face, *, is_me: bool = True) -> None:
    Evidence.objects.create(
        event=event, known=known.cover if known else None, asked_id=asked.cover_id or 0, is_me=is_me
    )


def test_votes_for_a_pair_are_counted_in_either_order(event: Event, pair: list[Face]) -> None:
    left, right = pair
    say(event, left, right)
    say(event, right, left)
    say(event, left, right, is_me=False)
    [claim] = claims(event)
    assert (set(claim.persons), claim.same, claim.different) == ({left.pk, right.pk}, 2, 1)


def test_most_votes_come_first(event: Event, pair: list[Face]) -> None:
    left, right = pair
    third = add_person(event, 160)
    say(event, left, third, is_me=False)
    say(event, left, right)
    assert [set(claim.persons) for claim in claims(event)] == [{left.pk, right.pk}, {left.pk, third.pk}]


def test_who_is_one_hidden_or_kept_apart_is_no_question(event: Event, staff: User) -> None:
    left, right, third, fourth = (add_person(event, angle) for angle in (0, 70, 140, 210))
    say(event, None, left)
    say(event, left, left)
    say(event, left, right)
    say(event, left, third)
    say(event, left, fourth)
    corrections.hide([right], staff)
    corrections.not_same(left, third, staff)
    [claim] = claims(event)
    assert set(claim.persons) == {left.pk, fourth.pk}


def test_staff_are_asked_and_decide(client: Client, event: Event, organiser: User, pair: list[Face]) -> None:
    say(event, *pair)
    organiser.user_permissions.add(*Permission.objects.filter(codename__in=("view_face", "change_face")))
    client.force_login(organiser)
    page = client.get(PAGE, {"event": event.slug}).content.decode()
    assert "1 visitor said that both are them." in page
    key = "-".join(str(person.cover_id) for person in sorted(pair, key=lambda person: person.pk))
    assert f'value="{key}"' in page
    client.post(f"{PAGE}?event={event.slug}", {"key": key, "answer": "same"})
    assert event.faces.count() == 1
    assert claims(event) == []


def test_other_events_are_not_asked_about(client: Client, event: Event, other_event: Event, pair: list[Face]) -> None:
    say(event, *pair)
    assert claims(other_event) == []
