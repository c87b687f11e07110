"""The pages of events: what a stranger, a member and staff get."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import BLUE, GREEN, RED
from events import ingest
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

EVENT, UPLOAD = "/events/city-run/", "/events/city-run/upload/"


@pytest.fixture
def draft(event: Event) -> Event:
    """The event, taken back to draft."""
    event.access = Event.Access.DRAFT
    event.save()
    return event


def photo_file(paint: Painter, name: str, *colours: tuple[int, int, int]) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, paint(*colours).read(), "image/png")


class TestIndex:
    def test_says_so_when_there_is_no_event(self, client: Client, db: None) -> None:
        assert "No events yet" in client.get("/").content.decode()

    def test_offers_staff_to_add_the_first_event(self, staff_client: Client) -> None:
        assert "/admin/events/event/add/" in staff_client.get("/").content.decode()

    def test_lists_events_newest_first_with_their_photos(
        self, client: Client, event: Event, other_event: Event, paint: Painter
    ) -> None:
        ingest.add(other_event, paint(RED), "a.png")
        page = client.get("/").content.decode()
        assert page.index("City Run") < page.index("No photos yet") < page.index("Other Run") < page.index("1 photo")
        assert "1 May 2026" not in page
        assert 'datetime="2026-05-01"' in page

    def test_hides_drafts_from_strangers_and_members(self, client: Client, draft: Event, member: User) -> None:
        assert "City Run" not in client.get("/").content.decode()
        client.force_login(member)
        assert "City Run" not in client.get("/").content.decode()

    def test_shows_staff_the_drafts_marked(self, staff_client: Client, draft: Event) -> None:
        page = staff_client.get("/").content.decode()
        assert "City Run" in page
        assert "Draft" in page

    def test_escapes_names(self, client: Client, event: Event) -> None:
        event.name = "<script>alert(1)</script>"
        event.save()
        assert "<script>alert" not in client.get("/").content.decode() + client.get(EVENT).content.decode()

    def test_takes_one_query_whatever_the_number_of_events(
        self, client: Client, event: Event, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for number in range(5):
            Event.objects.create(slug=f"run-{number}", name="Run", access=Event.Access.SELFIE)
        with django_assert_num_queries(1):
            client.get("/")


class TestEvent:
    def test_asks_for_a_selfie_without_scripts(self, client: Client, event: Event) -> None:
        page = client.get(EVENT).content.decode()
        assert 'action="/events/city-run/selfie/" enctype="multipart/form-data"' in page
        assert '<input type="file" name="file" accept="image/*" capture="user"' in page
        assert "not stored" in page
        assert "No photos yet" in page

    def test_says_how_many_photos_there_are(self, client: Client, event: Event, paint: Painter) -> None:
        ingest.add(event, paint(RED), "a.png")
        ingest.add(event, paint(BLUE), "b.png")
        assert "2 photos so far" in client.get(EVENT).content.decode()

    def test_offers_a_stranger_no_staff_links(self, client: Client, event: Event) -> None:
        page = client.get(EVENT).content.decode()
        assert "/admin/" not in page
        assert UPLOAD not in page

    def test_offers_staff_upload_and_settings(self, staff_client: Client, event: Event) -> None:
        page = staff_client.get(EVENT).content.decode()
        assert UPLOAD in page
        assert f"/admin/events/event/{event.pk}/change/" in page

    def test_a_draft_does_not_exist_for_strangers_and_members(self, client: Client, draft: Event, member: User) -> None:
        assert client.get(EVENT).status_code == 404
        client.force_login(member)
        assert client.get(EVENT).status_code == 404

    def test_a_draft_exists_for_staff(self, staff_client: Client, draft: Event) -> None:
        assert "Draft" in staff_client.get(EVENT).content.decode()

    def test_there_is_no_event_of_another_name(self, client: Client, db: None) -> None:
        response = client.get("/events/nowhere/")
        assert response.status_code == 404
        assert "There is nothing here" in response.content.decode()

    def test_gives_a_stranger_no_session(self, client: Client, event: Event) -> None:
        client.get(EVENT)
        assert "sessionid" not in client.cookies

    @pytest.mark.parametrize("path", ["/", EVENT])
    def test_takes_no_post(self, client: Client, event: Event, path: str) -> None:
        assert client.post(path).status_code == 405


class TestUpload:
    @pytest.mark.parametrize("method", ["get", "post"])
    def test_sends_strangers_to_log_in(self, client: Client, event: Event, method: str) -> None:
        response = getattr(client, method)(UPLOAD)
        assert response.status_code == 302
        assert response["Location"] == f"/admin/login/?next={UPLOAD}"

    @pytest.mark.parametrize("method", ["get", "post"])
    def test_refuses_members(self, client: Client, event: Event, member: User, paint: Painter, method: str) -> None:
        client.force_login(member)
        response = getattr(client, method)(UPLOAD, {"files": photo_file(paint, "a.png", RED)})
        assert response.status_code == 403
        assert "This page is for staff" in response.content.decode()
        assert not Image.objects.exists()

    def test_refuses_staff_who_left(self, staff_client: Client, staff: User, event: Event) -> None:
        staff.is_active = False
        staff.save()
        assert staff_client.get(UPLOAD).status_code == 302

    def test_takes_files_without_scripts(self, staff_client: Client, event: Event, paint: Painter) -> None:
        ingest.add(event, paint(GREEN), "known.png")
        files = [
            photo_file(paint, "new.png", RED),
            photo_file(paint, "again.png", GREEN),
            SimpleUploadedFile("notes<b>.txt", b"no photo"),
        ]
        page = staff_client.post(UPLOAD, {"files": files}).content.decode()
        assert "1 added, 1 already here, 1 refused." in page
        assert "<strong>notes&lt;b&gt;.txt</strong> This is not a photo" in page
        assert "<strong>again.png</strong>" in page
        assert event.images.pending().count() == 2

    def test_taking_the_same_form_twice_changes_nothing(
        self, staff_client: Client, event: Event, paint: Painter
    ) -> None:
        for _ in range(2):
            page = staff_client.post(UPLOAD, {"files": photo_file(paint, "a.png", RED)}).content.decode()
        assert "0 added, 1 already here, 0 refused." in page
        assert event.images.count() == 1

    def test_says_so_when_no_files_were_chosen(self, staff_client: Client, event: Event) -> None:
        assert "No files were chosen" in staff_client.post(UPLOAD).content.decode()

    def test_a_storage_that_is_down_is_said_so(
        self, staff_client: Client, event: Event, paint: Painter, dead_s3: None
    ) -> None:
        response = staff_client.post(UPLOAD, {"files": [photo_file(paint, "a.png", RED)]})
        assert response.status_code == 503
        assert "<strong>a.png</strong> The storage takes no photos just now." in response.content.decode()
        assert not Image.objects.exists()

    def test_a_visit_sends_nothing(self, staff_client: Client, event: Event) -> None:
        page = staff_client.get(UPLOAD).content.decode()
        assert "No files were chosen" not in page
        assert "0 added" not in page

    def test_works_for_drafts(self, staff_client: Client, draft: Event) -> None:
        assert staff_client.get(UPLOAD).status_code == 200

    def test_there_is_no_upload_to_no_event(self, staff_client: Client) -> None:
        assert staff_client.get("/events/nowhere/upload/").status_code == 404

    def test_too_many_files_are_answered_in_words(
        self, staff_client: Client, event: Event, paint: Painter, settings: Settings
    ) -> None:
        settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
        files = [photo_file(paint, "a.png", RED), photo_file(paint, "b.png", BLUE)]
        response = staff_client.post(UPLOAD, {"files": files})
        assert response.status_code == 413
        assert "fewer files" in response.content.decode()


class TestSite:
    def test_credits_name_every_model_and_portrait(self, client: Client, db: None) -> None:
        page = client.get("/credits/").content.decode()
        for name in ("FaceNet", "YuNet", "SFace", "Tejić", "Newzild", "McAndrew", "CC BY-SA 4.0", "Geitgey"):
            assert name in page

    def test_a_form_without_token_is_refused_in_words(self, event: Event) -> None:
        response = Client(enforce_csrf_checks=True).post("/events/city-run/selfie/")
        assert response.status_code == 403
        assert "open for too long" in response.content.decode()

    def test_a_bug_is_answered_without_context(
        self, client: Client, event: Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(*_: object) -> None:
            raise RuntimeError

        monkeypatch.setattr("events.views.render", fail)
        client.raise_request_exception = False
        response = client.get("/")
        assert response.status_code == 500
        assert "Something went wrong" in response.content.decode()

    @pytest.mark.parametrize("path", ["/", EVENT, UPLOAD, "/credits/", "/nowhere/"])
    def test_pages_keep_to_a_strict_policy(self, staff_client: Client, event: Event, path: str) -> None:
        """No inline script, style or handler, and nothing from another site."""
        page = staff_client.get(path).content.decode()
        assert "<script>" not in page
        assert "<style" not in page
        assert " style=" not in page
        assert " onclick=" not in page
        assert 'src="http' not in page
        assert '<link rel="stylesheet" href="/static/' in page
