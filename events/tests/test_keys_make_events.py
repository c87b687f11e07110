"""A program that makes an event does not get out of sight of who gave it its key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from conftest import new_key
from events.models import ApiKey, Event
from events.tests.programs import send

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.django_db


def make_event(secret: str, slug: str = "night-run") -> Event:
    body = {"slug": slug, "name": "Night Run", "date": "2026-06-01"}
    program: Any = Client(headers={"Authorization": f"Api-Key {secret}"})
    assert send(program, "POST", "/api/v1/events", body).status_code == 201
    return Event.objects.get(slug=slug)


def key_of(user: User, events: Iterable[Event] | None) -> str:
    return new_key("timing", events=events, created_by=user)


def test_the_key_stays_in_the_admin_of_who_made_it(event: Event, organiser: User) -> None:
    organiser.user_permissions.set(Permission.objects.filter(codename__in=["view_apikey", "change_apikey"]))
    made = make_event(key_of(organiser, [event]))
    assert Event.objects.managed_by(organiser).filter(pk=made.pk).exists()
    client = Client()
    client.force_login(organiser)
    assert "timing" in client.get("/admin/events/apikey/").content.decode()
    key = ApiKey.objects.get()
    client.post("/admin/events/apikey/", {"action": "revoke", "_selected_action": [key.pk]})
    assert ApiKey.objects.get().state == "revoked"


def test_who_lost_the_events_of_the_key_gets_none_by_it(event: Event, organiser: User) -> None:
    secret = key_of(organiser, [event])
    event.staff.remove(organiser)
    make_event(secret)
    assert not Event.objects.managed_by(organiser).exists()


def test_who_left_gets_none_by_it(event: Event, organiser: User) -> None:
    secret = key_of(organiser, [event])
    User.objects.update(is_active=False)
    assert not make_event(secret).staff.exists()


def test_a_key_for_every_event_gives_nobody_an_event(event: Event, organiser: User) -> None:
    assert not make_event(key_of(organiser, None)).staff.exists()


def test_others_who_see_the_key_see_no_event_of_others(event: Event, other_event: Event, organiser: User) -> None:
    secret = key_of(organiser, [event, other_event])
    make_event(secret)
    assert list(Event.objects.managed_by(organiser)) == [event]
