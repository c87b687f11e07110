"""The download of several photos: which ones, for whom, and as what."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from conftest import GREEN
from events.models import Event, Image
from faces import pipeline
from faces.models import AuditEntry, ImageFace
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

DOWNLOAD = "/events/city-run/download/"
GALLERY = "/events/city-run/gallery/"
REDS = ["red.png", "red-green.png", "all.png"]


@pytest.fixture
def attendee(client: Client, run: Event) -> Client:
    """A visitor who is surely red, in three photos."""
    red = ImageFace.objects.get(image__file_name="red.png")
    open_gallery(client, run, [red.pk])
    return client


def key(name: str) -> str:
    return str(Image.objects.get(file_name=name).image_id)


def names(response: Any) -> list[str]:
    assert response.status_code == 200
    return ZipFile(io.BytesIO(response.getvalue())).namelist()


def test_has_all_of_the_gallery(attendee: Client) -> None:
    response = attendee.post(DOWNLOAD)
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="city-run.zip"'
    assert "no-store" in response["Cache-Control"]
    assert sorted(names(response)) == sorted(REDS)


def test_has_what_was_chosen_once(attendee: Client) -> None:
    chosen = [key("all.png"), key("red.png"), key("all.png")]
    assert sorted(names(attendee.post(DOWNLOAD, {"image_id": chosen}))) == ["all.png", "red.png"]


def test_takes_a_choice_of_thousands(attendee: Client) -> None:
    assert names(attendee.post(DOWNLOAD, {"image_id": [key("red.png")] * 5000})) == ["red.png"]


def test_has_persons_that_were_confirmed_and_no_guesses(client: Client, run: Event, add: Any) -> None:
    add("green.png", GREEN)
    pipeline.ingest(run)
    _, green, blue = ImageFace.objects.filter(image__file_name="all.png").order_by("x")
    open_gallery(client, run, [blue.pk], [green.pk])
    assert names(client.post(DOWNLOAD)) == ["all.png"]
    assert names(client.post(DOWNLOAD, {"image_id": key("green.png")})) == ["green.png"]  # open, and chosen
    client.post(GALLERY + "answer/", {"asked": green.pk, "is_me": "yes"})
    assert sorted(names(client.post(DOWNLOAD))) == ["all.png", "green.png", "red-green.png"]


def test_is_told_to_the_audit_log(attendee: Client) -> None:
    attendee.post(DOWNLOAD)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor, entry.detail) == (AuditEntry.Action.DOWNLOADED, "visitor", "3 photos")


def test_has_what_is_there(attendee: Client) -> None:
    default_storage.delete(Image.objects.get(file_name="red.png").storage_key)
    assert sorted(names(attendee.post(DOWNLOAD))) == ["NOT_INCLUDED.txt", "all.png", "red-green.png"]


def test_of_an_event_without_originals_has_the_previews(attendee: Client, staff: User) -> None:
    Event.objects.update(originals=False, watermark="City Run")
    assert sorted(names(attendee.post(DOWNLOAD))) == ["all.jpg", "red-green.jpg", "red.jpg"]
    attendee.force_login(staff)
    assert sorted(names(attendee.post(DOWNLOAD))) == sorted(REDS)


def test_of_nothing_chosen_says_so(attendee: Client) -> None:
    response = attendee.post(DOWNLOAD, {"chosen": "yes"}, follow=True)
    assert response.redirect_chain == [(GALLERY, 302)]
    assert "Choose photos first." in response.content.decode()


def test_of_an_empty_gallery_leads_back(client: Client, run: Event) -> None:
    open_gallery(client, run)
    assert client.post(DOWNLOAD)["Location"] == GALLERY
    assert not AuditEntry.objects.exists()


class TestStrangers:
    def test_get_nothing(self, client: Client, run: Event) -> None:
        assert client.post(DOWNLOAD)["Location"] == GALLERY
        assert client.post(DOWNLOAD, {"image_id": key("red.png")}).status_code == 404

    def test_with_an_account_get_nothing(self, client: Client, run: Event, member: User) -> None:
        client.force_login(member)
        assert client.post(DOWNLOAD, {"image_id": key("red.png")}).status_code == 404

    def test_get_nothing_beside_what_is_theirs(self, attendee: Client) -> None:
        chosen = [key("red.png"), key("empty.png")]
        assert attendee.post(DOWNLOAD, {"image_id": chosen}).status_code == 404

    def test_organisers_of_another_event_get_nothing(
        self, client: Client, run: Event, organiser: User, other_event: Event
    ) -> None:
        run.staff.clear()
        other_event.staff.add(organiser)
        client.force_login(organiser)
        assert client.post(DOWNLOAD, {"image_id": key("red.png")}).status_code == 404

    def test_staff_of_the_event_get_any(self, client: Client, run: Event, organiser: User) -> None:
        client.force_login(organiser)
        assert names(client.post(DOWNLOAD, {"image_id": key("empty.png")})) == ["empty.png"]

    def test_get_nothing_by_the_address_of_another_event(self, attendee: Client, other_event: Event) -> None:
        response = attendee.post("/events/other-run/download/", {"image_id": key("red.png")})
        assert response.status_code == 404

    def test_get_nothing_after_closing(self, attendee: Client) -> None:
        attendee.post(GALLERY)
        assert attendee.post(DOWNLOAD, {"image_id": key("red.png")}).status_code == 404

    @pytest.mark.parametrize(("state", "status"), [("draft", 404), ("over", 403)])
    def test_get_nothing_where_the_event_is_closed(self, attendee: Client, state: str, status: int) -> None:
        now = timezone.now()
        changed = {"access": "draft"} if state == "draft" else {"closes_at": now - timedelta(minutes=1)}
        Event.objects.update(**changed)
        assert attendee.post(DOWNLOAD, {"image_id": key("red.png")}).status_code == status

    def test_need_the_token_against_forged_requests(self, attendee: Client) -> None:
        attendee.handler.enforce_csrf_checks = True
        assert attendee.post(DOWNLOAD).status_code == 403

    def test_with_nonsense_are_refused(self, attendee: Client) -> None:
        assert attendee.post(DOWNLOAD, {"image_id": "red.png"}).status_code == 404

    def test_only_post(self, attendee: Client) -> None:
        assert attendee.get(DOWNLOAD).status_code == 405


@pytest.mark.parametrize("chosen", [[], ["red.png"], REDS])
def test_takes_six_queries_whatever_the_number_of_photos(
    attendee: Client, chosen: list[str], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    data = {"image_id": [key(name) for name in chosen]}
    with django_assert_num_queries(6):  # session, event, visitor, witnesses with answers, photos, audit log
        attendee.post(DOWNLOAD, data).getvalue()
