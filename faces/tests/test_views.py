"""The pages of faces: selfie, gallery, photos and processing, for those who may and those who may not."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import pipeline, views
from faces.gallery import Grant
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]
    Visit = Callable[..., Client]

EVENT = "/events/city-run/"
SELFIE, GALLERY, PROCESS, UPLOAD = (EVENT + page for page in ("selfie/", "gallery/", "process/", "upload/"))
ORANGE = (230, 140, 20)
"""A stranger to every event."""


@pytest.fixture
def selfie(paint: Painter) -> Callable[..., dict[str, Any]]:
    """Return a function that makes a selfie form of these colours."""
    return lambda *colours: {"file": SimpleUploadedFile("me.png", paint(*colours).read(), "image/png")}


@pytest.fixture
def attendee(client: Client, run: Event, selfie: Callable[..., dict[str, Any]]) -> Client:
    """A visitor whose selfie has opened the photos of red."""
    assert client.post(SELFIE, selfie(RED)).status_code == 303
    return client


def photo(event: Event, name: str) -> Image:
    return event.images.get(file_name=name)


def address(image: Image, rendition: str = "preview") -> str:
    return f"/photos/{image.image_id}/{rendition}/"


def hold(client: Client, event: Event, *names: str) -> None:
    """Put a grant for the persons who are alone in these photos into the visitor's session."""
    witnesses = tuple(ImageFace.objects.get(image=photo(event, name)).pk for name in names)
    session = client.session
    session[views.SESSION_KEY] = {str(event.pk): Grant(event.pk, witnesses).to_token()}
    session.save()


def take_back(event: Event) -> None:
    event.access = Event.Access.DRAFT
    event.save()


class TestSelfie:
    def test_opens_the_gallery_and_is_not_stored(self, client: Client, run: Event, selfie: Any) -> None:
        before = Image.objects.count(), ImageFace.objects.count(), default_storage.listdir("photos")
        response = client.post(SELFIE, selfie(RED))
        assert (response.status_code, response["Location"]) == (303, GALLERY)
        assert (Image.objects.count(), ImageFace.objects.count(), default_storage.listdir("photos")) == before

    def test_a_later_selfie_takes_the_place_of_an_earlier_one(self, attendee: Client, selfie: Any) -> None:
        attendee.post(SELFIE, selfie(BLUE))
        assert "You are in 1 photo<" in attendee.get(GALLERY).content.decode()

    @pytest.mark.parametrize("chosen", [0, 1])
    def test_either_file_control_of_the_form_may_be_used(
        self, client: Client, run: Event, paint: Painter, chosen: int
    ) -> None:
        """A browser sends both, the unused one without a name and without content."""
        parts = [("", b""), ("", b"")]
        parts[chosen] = ("me.png", paint(RED).read())
        body = b"".join(
            f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
            + content
            + b"\r\n"
            for name, content in parts
        )
        response = client.post(SELFIE, body + b"--x--\r\n", content_type="multipart/form-data; boundary=x")
        assert response.status_code == 303

    def test_of_somebody_else_finds_nothing(self, client: Client, run: Event, selfie: Any) -> None:
        response = client.post(SELFIE, selfie(ORANGE))
        page = response.content.decode()
        assert response.status_code == 404
        assert 'role="alert"' in page
        assert "No matching identity found" in page
        assert "without sunglasses" in page
        assert 'id="selfie"' in page
        assert client.get(GALLERY).status_code == 302

    @pytest.mark.parametrize(
        ("colours", "sentence"), [((), "No face detected"), ((RED, GREEN), "Several faces detected")]
    )
    def test_must_show_one_face(
        self, client: Client, run: Event, selfie: Any, colours: tuple[Any, ...], sentence: str
    ) -> None:
        response = client.post(SELFIE, selfie(*colours))
        assert response.status_code == 400
        assert sentence in response.content.decode()

    @pytest.mark.parametrize("content", [b"no picture", b"\x89PNG\r\n\x1a\n"])
    def test_must_be_a_picture(self, client: Client, run: Event, content: bytes) -> None:
        response = client.post(SELFIE, {"file": SimpleUploadedFile("me.png", content)})
        assert response.status_code == 400
        assert 'role="alert"' in response.content.decode()

    @pytest.mark.parametrize("data", [{}, {"file": "words"}])
    def test_must_be_there(self, client: Client, run: Event, data: dict[str, str]) -> None:
        response = client.post(SELFIE, data)
        assert response.status_code == 400
        assert response.context["problem"].code == "missing_file"
        assert "choose a photo first" in response.content.decode()

    def test_must_not_be_too_large(self, client: Client, run: Event, selfie: Any, settings: Settings) -> None:
        settings.MAX_SELFIE_MB = 0
        assert client.post(SELFIE, selfie(RED)).status_code == 400

    def test_address_leads_back_to_the_event(self, client: Client, run: Event) -> None:
        assert client.get(SELFIE)["Location"] == EVENT

    def test_of_a_draft_does_not_exist(self, client: Client, run: Event, selfie: Any) -> None:
        take_back(run)
        assert client.post(SELFIE, selfie(RED)).status_code == 404
        assert client.get(SELFIE).status_code == 404

    def test_of_a_draft_works_for_staff(self, staff_client: Client, run: Event, selfie: Any) -> None:
        take_back(run)
        assert staff_client.post(SELFIE, selfie(RED)).status_code == 303

    def test_to_an_event_without_photos_finds_nothing(self, client: Client, other_event: Event, selfie: Any) -> None:
        assert client.post("/events/other-run/selfie/", selfie(RED)).status_code == 404

    def test_says_so_when_the_engine_fails_and_the_log_says_why(
        self, client: Client, run: Event, selfie: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        Event.objects.update(engine="unknown")
        response = client.post(SELFIE, selfie(RED))
        assert response.status_code == 503
        assert "Try again later" in response.content.decode()
        assert "no face engine &#x27;unknown&#x27;" not in response.content.decode()
        assert "no face engine 'unknown'" in caplog.text

    def test_changes_the_key_of_the_session(self, client: Client, run: Event, selfie: Any) -> None:
        client.post(SELFIE, selfie(RED))
        before = client.session.session_key
        client.post(SELFIE, selfie(RED))
        assert client.session.session_key != before


class TestGallery:
    def test_shows_the_visitors_photos_and_no_others(self, attendee: Client, run: Event) -> None:
        page = attendee.get(GALLERY).content.decode()
        assert "You are in 3 photos<" in page
        for name in ("red.png", "red-green.png", "all.png"):
            assert address(photo(run, name)) in page
            assert address(photo(run, name), "thumbnail") in page
        assert str(photo(run, "empty.png").image_id) not in page

    def test_works_without_scripts(self, attendee: Client, run: Event) -> None:
        image = photo(run, "red.png")
        page = attendee.get(GALLERY).content.decode()
        assert f'<a href="{address(image)}" data-original="{address(image, "original")}?download">' in page
        assert 'width="400" height="300" alt="Photo 1: red.png" loading="lazy"' in page

    def test_asks_a_stranger_for_a_selfie(self, client: Client, run: Event) -> None:
        response = client.get(GALLERY, follow=True)
        assert response.redirect_chain == [(EVENT, 302)]
        assert "A selfie opens your photos, for 72 hours." in response.content.decode()

    def test_of_another_event_stays_closed(self, attendee: Client, other_event: Event) -> None:
        assert attendee.get("/events/other-run/gallery/")["Location"] == "/events/other-run/"

    def test_a_token_under_another_events_key_opens_nothing(
        self, attendee: Client, run: Event, other_event: Event
    ) -> None:
        session = attendee.session
        session[views.SESSION_KEY] = {str(other_event.pk): session[views.SESSION_KEY][str(run.pk)]}
        session.save()
        assert attendee.get("/events/other-run/gallery/").status_code == 302

    def test_of_another_person_shows_theirs(self, client: Client, run: Event) -> None:
        green = ImageFace.objects.filter(image=photo(run, "red-green.png")).order_by("-x")[0]
        session = client.session
        session[views.SESSION_KEY] = {str(run.pk): Grant(run.pk, (green.pk,)).to_token()}
        session.save()
        page = client.get(GALLERY).content.decode()
        assert "You are in 2 photos<" in page
        assert str(photo(run, "red.png").image_id) not in page

    def test_expires(self, attendee: Client, settings: Settings, run: Event) -> None:
        settings.GALLERY_TOKEN_HOURS = 0
        response = attendee.get(GALLERY, follow=True)
        assert response.redirect_chain == [(EVENT, 302)]
        assert "Back to my photos" not in response.content.decode()
        assert attendee.get(address(photo(run, "red.png"))).status_code == 404

    def test_opens_for_no_forged_token(self, client: Client, run: Event) -> None:
        session = client.session
        session[views.SESSION_KEY] = {str(run.pk): "forged"}
        session.save()
        assert client.get(GALLERY).status_code == 302

    def test_of_a_draft_is_closed(self, attendee: Client, run: Event) -> None:
        take_back(run)
        assert attendee.get(GALLERY).status_code == 404
        assert attendee.get(address(photo(run, "red.png"))).status_code == 404

    def test_is_found_again_from_the_event(self, attendee: Client) -> None:
        assert "Back to my photos" in attendee.get(EVENT).content.decode()

    def test_can_be_closed(self, attendee: Client, run: Event) -> None:
        assert attendee.post(GALLERY)["Location"] == EVENT
        assert attendee.get(GALLERY).status_code == 302
        assert attendee.get(address(photo(run, "red.png"))).status_code == 404

    def test_closing_leaves_other_events_open(
        self, attendee: Client, other_event: Event, add: Any, selfie: Any
    ) -> None:
        add("elsewhere.png", RED, to=other_event)
        pipeline.ingest(other_event)
        attendee.post("/events/other-run/selfie/", selfie(RED))
        attendee.post(GALLERY)
        assert attendee.get("/events/other-run/gallery/").status_code == 200

    def test_closing_what_is_not_open_makes_no_session(self, client: Client, run: Event) -> None:
        client.post(GALLERY)
        assert "sessionid" not in client.cookies

    def test_without_photos_says_so(self, attendee: Client, run: Event) -> None:
        run.images.all().delete()
        assert "No photos of you yet" in attendee.get(GALLERY).content.decode()

    def test_is_kept_by_no_shared_cache(self, attendee: Client) -> None:
        assert "private" in attendee.get(GALLERY)["Cache-Control"]

    @pytest.mark.parametrize("more", [0, 5])
    def test_takes_three_queries_whatever_the_number_of_photos(
        self,
        attendee: Client,
        run: Event,
        add: Any,
        more: int,
        django_assert_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(more):
            add(f"{number}.png", RED)
        pipeline.ingest(run)
        with django_assert_num_queries(3):  # session, event, photos
            attendee.get(GALLERY)


@pytest.mark.parametrize("rendition", ["original", "preview", "thumbnail"])
class TestPhoto:
    def test_is_not_for_strangers(self, client: Client, run: Event, rendition: str) -> None:
        assert client.get(address(photo(run, "red.png"), rendition)).status_code == 404

    def test_is_not_for_members(self, client: Client, run: Event, member: User, rendition: str) -> None:
        client.force_login(member)
        assert client.get(address(photo(run, "red.png"), rendition)).status_code == 404

    def test_is_for_those_in_it(self, attendee: Client, run: Event, rendition: str) -> None:
        response = attendee.get(address(photo(run, "all.png"), rendition))
        assert response.status_code == 200
        assert response["Content-Type"] == ("image/png" if rendition == "original" else "image/jpeg")
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cache-Control"] == "private, max-age=3600"
        with default_storage.open(photo(run, "all.png").key_of(rendition)) as file:
            assert response.getvalue() == file.read()

    def test_is_not_for_those_in_others_of_the_event(self, attendee: Client, run: Event, rendition: str) -> None:
        assert attendee.get(address(photo(run, "empty.png"), rendition)).status_code == 404

    def test_is_not_for_those_in_another_event(
        self, client: Client, run: Event, other_event: Event, add: Any, rendition: str
    ) -> None:
        add("elsewhere.png", RED, to=other_event)
        pipeline.ingest(other_event)
        hold(client, other_event, "elsewhere.png")
        assert client.get(address(photo(other_event, "elsewhere.png"), rendition)).status_code == 200
        assert client.get(address(photo(run, "red.png"), rendition)).status_code == 404

    def test_is_for_staff(self, staff_client: Client, run: Event, rendition: str) -> None:
        assert staff_client.get(address(photo(run, "empty.png"), rendition)).status_code == 200

    def test_without_its_file_is_not_found(self, attendee: Client, run: Event, rendition: str) -> None:
        default_storage.delete(photo(run, "red.png").key_of(rendition))
        assert attendee.get(address(photo(run, "red.png"), rendition)).status_code == 404


class TestDownload:
    def test_is_the_original_under_the_users_name(self, attendee: Client, run: Event) -> None:
        response = attendee.get(address(photo(run, "red.png"), "original") + "?download")
        assert response["Content-Disposition"] == 'attachment; filename="red.png"'

    def test_is_asked_for(self, attendee: Client, run: Event) -> None:
        response = attendee.get(address(photo(run, "red.png"), "original"))
        assert response["Content-Disposition"].startswith("inline")

    @pytest.mark.parametrize("name", ['a"; filename="b.exe', "a\r\nSet-Cookie: x=1", "über 日本.png"])
    def test_name_cannot_write_headers(self, attendee: Client, run: Event, name: str) -> None:
        run.images.filter(file_name="red.png").update(file_name=name)
        response = attendee.get(address(photo(run, name), "original") + "?download")
        assert response["Content-Disposition"].startswith("attachment; filename")
        assert not {"\r", "\n"} & set(response["Content-Disposition"])
        assert "Set-Cookie" not in response

    @pytest.mark.parametrize("rendition", ["huge", "ORIGINAL", "thumbnail-jpg"])
    def test_of_another_rendition_is_not_found(self, staff_client: Client, run: Event, rendition: str) -> None:
        assert staff_client.get(address(photo(run, "red.png"), rendition)).status_code == 404

    def test_of_no_photo_is_not_found(self, staff_client: Client, db: None) -> None:
        path = "/photos/00000000-0000-0000-0000-000000000000/preview/"
        assert staff_client.get(path).status_code == 404


class TestProcess:
    def test_sends_strangers_to_log_in(self, client: Client, event: Event) -> None:
        assert client.post(PROCESS)["Location"] == f"/admin/login/?next={PROCESS}"

    def test_refuses_members_and_attendees(self, attendee: Client, member: User) -> None:
        assert attendee.post(PROCESS).status_code == 302
        attendee.force_login(member)
        assert attendee.post(PROCESS).status_code == 403

    def test_answers_fetch_with_the_counts(self, staff_client: Client, event: Event, add: Any) -> None:
        add("a.png", RED, GREEN)
        add("b.png", RED)
        response = staff_client.post(PROCESS, headers={"Accept": "application/json"})
        assert response.json() == {
            "images": 2,
            "pending": 0,
            "failed": 0,
            "faces": 3,
            "persons": 2,
            "images_processed": 2,
            "faces_detected": 3,
            "new_faces_found": 2,
            "total_faces_known": 2,
        }

    def test_sends_a_plain_form_back_with_a_sentence(self, staff_client: Client, event: Event, add: Any) -> None:
        add("a.png", RED)
        response = staff_client.post(PROCESS, headers={"Accept": "text/html,*/*;q=0.8"}, follow=True)
        assert response.redirect_chain == [(UPLOAD, 302)]
        assert "Photos processed: 1. Faces found: 1. New people: 1." in response.content.decode()

    def test_says_what_is_wrong_with_the_engine(self, staff_client: Client, event: Event, add: Any) -> None:
        add("a.png", RED)
        Event.objects.update(engine="unknown")
        response = staff_client.post(PROCESS, headers={"Accept": "application/json"})
        assert response.status_code == 503
        assert response.json()["code"] == "engine_unavailable"
        assert "unknown" in response.json()["detail"]
        page = staff_client.post(PROCESS, headers={"Accept": "text/html"}, follow=True).content.decode()
        assert "There is no face engine" in page
        assert event.images.pending().count() == 1

    def test_address_leads_back_to_the_upload(self, staff_client: Client, event: Event) -> None:
        assert staff_client.get(PROCESS)["Location"] == UPLOAD

    def test_there_is_nothing_to_process_in_no_event(self, staff_client: Client) -> None:
        assert staff_client.post("/events/nowhere/process/").status_code == 404
