"""The personal link: opens a gallery on another device, until it expires, and is told to nobody."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.utils import timezone

from events.models import Event
from faces.models import AuditEntry, ImageFace, Visitor
from faces.tests.galleries import open_gallery

EVENT = "/events/city-run/"
GALLERY = EVENT + "gallery/"

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries


@pytest.fixture
def visitor(run: Event) -> Visitor:
    """Somebody whose selfie has shown red, on another device."""
    red = ImageFace.objects.get(image__file_name="red.png")
    return open_gallery(Client(), run, [red.pk])


def link(visitor: Visitor, slug: str = "city-run") -> str:
    return f"/events/{slug}/my/{visitor.key}/"


def test_opens_the_gallery_in_this_session(client: Client, visitor: Visitor) -> None:
    response = client.get(link(visitor))
    assert (response.status_code, response["Location"]) == (302, GALLERY)
    assert "You are in 3 photos" in client.get(GALLERY).content.decode()
    (entry,) = AuditEntry.objects.all()
    assert (entry.action, entry.actor, entry.event, entry.detail) == (
        AuditEntry.Action.OPENED,
        "visitor",
        visitor.event,
        "by a personal link",
    )


def test_changes_nothing_where_it_is_open(client: Client, visitor: Visitor) -> None:
    client.get(link(visitor))
    session = client.session.session_key
    client.get(link(visitor))
    assert client.session.session_key == session
    assert AuditEntry.objects.count() == 1


def test_changes_the_key_of_the_session(client: Client, visitor: Visitor, run: Event) -> None:
    open_gallery(client, run)
    session = client.session.session_key
    client.get(link(visitor))
    assert client.session.session_key != session


def test_is_told_to_nobody(client: Client, visitor: Visitor) -> None:
    response = client.get(link(visitor))
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]


def test_is_on_the_page_with_the_time_until_which_it_opens(client: Client, visitor: Visitor) -> None:
    client.get(link(visitor))
    page = client.get(GALLERY).content.decode()
    assert f'value="http://testserver{link(visitor)}"' in page
    assert f'datetime="{timezone.localtime(visitor.expires_at).isoformat()}"' in page


def refused(client: Client, address: str) -> bool:
    """Tell whether the address leads to its event's page, and that says why; it never gives the session anything."""
    response = client.get(address)
    page = client.get(response["Location"]).content.decode()
    assert response["Referrer-Policy"] == "no-referrer"
    return "This link opens no photos any more." in page and not client.session.get("visitors")


class TestRefused:
    def test_once_it_has_expired(self, client: Client, visitor: Visitor) -> None:
        Visitor.objects.update(expires_at=timezone.now())
        assert refused(client, link(visitor))

    def test_once_the_visitor_is_forgotten(self, client: Client, visitor: Visitor) -> None:
        visitor.delete()
        assert refused(client, link(visitor))

    def test_with_a_key_that_is_nobodys(self, client: Client, run: Event) -> None:
        assert refused(client, f"{EVENT}my/{uuid.uuid4()}/")

    def test_at_another_event(self, client: Client, visitor: Visitor, other_event: Event) -> None:
        assert refused(client, link(visitor, other_event.slug))

    def test_at_a_draft(self, client: Client, visitor: Visitor) -> None:
        Event.objects.update(access=Event.Access.DRAFT)
        assert client.get(link(visitor)).status_code == 404

    def test_once_the_event_is_over(self, client: Client, visitor: Visitor) -> None:
        Event.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
        client.get(link(visitor))
        assert not client.session.get("visitors")

    def test_without_the_events_code(self, client: Client, visitor: Visitor) -> None:
        Event.objects.update(access=Event.Access.CODE, access_code="marathon")
        assert 'name="code"' in client.get(link(visitor)).content.decode()
        assert not client.session.get("visitors")


def test_takes_few_queries(client: Client, visitor: Visitor, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    client.get(link(visitor))
    with django_assert_num_queries(4):  # session, event, visitor of the link, visitor of the session
        client.get(link(visitor))
