"""The page that says what is kept of people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import timezone

from events.deliveries import KEPT
from events.models import Delivery, Event

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import Settings


def test_an_events_page_names_its_organiser_and_its_day(client: Client, event: Event) -> None:
    Event.objects.update(organiser="City Runners", contact="run@example.org", keep_faces_until="2027-03-04")
    page = client.get("/events/city-run/privacy/").content.decode()
    assert "City Runners runs the event and is responsible" in page
    assert 'href="mailto:run@example.org"' in page
    assert "Until 4 March 2027" in page
    assert "72 hours" in page
    assert 'href="/events/city-run/forget/"' in page


def test_says_when_the_faces_were_deleted(client: Client, event: Event) -> None:
    Event.objects.update(faces_deleted_at="2027-03-05T10:00Z")
    assert "Deleted on 5 March 2027." in client.get("/events/city-run/privacy/").content.decode()


def test_is_there_for_a_closed_event_and_not_for_a_draft(client: Client, event: Event) -> None:
    Event.objects.update(closes_at=timezone.now() - timedelta(days=1))
    assert client.get("/events/city-run/privacy/").status_code == 200
    Event.objects.update(access=Event.Access.DRAFT)
    assert client.get("/events/city-run/privacy/").status_code == 404


def test_is_there_without_an_event_and_found_from_every_page(client: Client, db: None) -> None:
    assert "Whoever runs the event" in client.get("/privacy/").content.decode()
    assert 'href="/privacy/"' in client.get("/").content.decode()


def test_says_what_else_is_kept_and_how_long(client: Client, event: Event, settings: Settings) -> None:
    settings.GALLERY_TOKEN_HOURS, settings.AUDIT_DAYS = 1, 90
    page = client.get("/events/city-run/privacy/").content.decode()
    assert "1 hour." in page
    assert "90 days, in a log" in page
    kept, failed = (KEPT[state].days for state in (Delivery.State.DELIVERED, Delivery.State.FAILED))
    assert f"{kept} days, and {failed} days what could not be sent" in page
    for said in ("Where a face was that somebody had deleted", "internet address", "until the backup is deleted"):
        assert said in page
