"""The pages of faces: selfie, gallery, photos and progress, for those who may and those who may not."""

from __future__ import annotations

import io
import re
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import consent, pipeline
from faces.models import ImageFace, Visitor
from faces.templatetags.progress import time_left
from faces.tests.galleries import open_gallery
from faces.views.session import SESSION_KEY

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]
    Visit = Callable[..., Client]

EVENT = "/events/city-run/"
SELFIE, GALLERY, RETRY, UPLOAD = (EVENT + page for page in ("selfie/", "gallery/", "retry/", "upload/"))
ORANGE = (230, 140, 20)
"""A stranger to every event."""


@pytest.fixture
def selfie(paint: Painter) -> Callable[..., dict[str, Any]]:
    """Return a function that makes a selfie form of these colours."""
    return lambda *colours: {
        "file": SimpleUploadedFile("me.png", paint(*colours).read(), "image/png"),
        "consent": consent.VERSION,
    }


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
    open_gallery(client, event, witnesses)


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
        agreed = f'--x\r\nContent-Disposition: form-data; name="consent"\r\n\r\n{consent.VERSION}\r\n'.encode()
        body = agreed + b"".join(
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
        assert "You are not in these photos yet" in page
        assert "without sunglasses" in page
        assert 'id="selfie"' in page
        assert client.get(GALLERY).status_code == 302

    @pytest.mark.parametrize(
        ("colours", "sentence"), [((), "We see no face"), ((RED, GREEN), "There are several faces")]
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
        response = client.post(SELFIE, data | {"consent": consent.VERSION})
        assert response.status_code == 400
        assert response.context["problem"]["code"] == "missing_file"
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
        assert "Try again in a few minutes" in response.content.decode()
        assert "no face engine &#x27;unknown&#x27;" not in response.content.decode()
        assert "no face engine 'unknown'" in caplog.text

    def test_opens_the_gallery_for_the_hours_that_are_set(
        self, client: Client, run: Event, selfie: Any, settings: Settings
    ) -> None:
        settings.GALLERY_TOKEN_HOURS = 2
        client.post(SELFIE, selfie(RED))
        left = Visitor.objects.get().expires_at - timezone.now()
        assert timedelta(hours=1, minutes=59) < left < timedelta(hours=2)

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
        session[SESSION_KEY] = {str(other_event.pk): session[SESSION_KEY][str(run.pk)]}
        session.save()
        assert attendee.get("/events/other-run/gallery/").status_code == 302

    def test_of_another_person_shows_theirs(self, client: Client, run: Event) -> None:
        green = ImageFace.objects.filter(image=photo(run, "red-green.png")).order_by("-x")[0]
        open_gallery(client, run, [green.pk])
        page = client.get(GALLERY).content.decode()
        assert "You are in 2 photos<" in page
        assert str(photo(run, "red.png").image_id) not in page

    def test_expires(self, attendee: Client, run: Event) -> None:
        Visitor.objects.update(expires_at=timezone.now())
        response = attendee.get(GALLERY, follow=True)
        assert response.redirect_chain == [(EVENT, 302)]
        assert "Back to my photos" not in response.content.decode()
        assert attendee.get(address(photo(run, "red.png"))).status_code == 404

    def test_that_has_expired_opens_no_photo_by_its_address_either(self, attendee: Client, run: Event) -> None:
        Visitor.objects.update(expires_at=timezone.now())
        red = photo(run, "red.png")
        chosen = {"chosen": "yes", "image_id": str(red.image_id)}
        assert attendee.get(address(red)).status_code == 404
        assert attendee.post("/events/city-run/download/", chosen).status_code == 404

    def test_opens_for_no_visitor_who_is_gone(self, client: Client, run: Event) -> None:
        session = client.session
        session[SESSION_KEY] = {str(run.pk): str(uuid.uuid4())}
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
    def test_takes_five_queries_whatever_the_number_of_photos(
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
        with django_assert_num_queries(5):  # session, event, visitor, answers, photos
            attendee.get(GALLERY)


class TestMaybe:
    """A visitor who is surely blue, in two photos, and maybe green, in one of these and one more."""

    @pytest.fixture
    def visitor(self, client: Client, run: Event, add: Any) -> Client:
        add("blue.png", BLUE)
        pipeline.ingest(run)
        self.hold(client, run, sure=True)
        return client

    def hold(self, client: Client, run: Event, *, sure: bool) -> None:
        """Put the grant into the session; without `sure`, for green alone."""
        _, green, blue = ImageFace.objects.filter(image=photo(run, "all.png")).order_by("x")
        open_gallery(client, run, [blue.pk] if sure else [], [green.pk])

    def test_photos_have_a_section_of_their_own(self, visitor: Client, run: Event) -> None:
        page = visitor.get(GALLERY).content.decode()
        sure, maybe = page.split('<h2 id="maybe-you" tabindex="-1">Maybe you</h2>')
        assert "You are in 2 photos<" in sure
        assert [re.findall(r'alt="(Photo \d: .+?)"', part) for part in (sure, maybe)] == [
            ["Photo 1: all.png", "Photo 2: blue.png"],
            ["Photo 3: red-green.png"],
        ]
        assert "In 1 more photo<" in maybe
        assert maybe.count("/thumbnail/") == 1
        assert str(photo(run, "red.png").image_id) not in page

    def test_alone_says_so(self, client: Client, run: Event) -> None:
        self.hold(client, run, sure=False)
        page = client.get(GALLERY).content.decode()
        assert "We are not sure. Is this you?</h1>" in page
        assert "You are in" not in page
        assert page.count("/thumbnail/") == 2

    def test_is_not_there_when_there_is_none(self, attendee: Client) -> None:
        assert "Maybe" not in attendee.get(GALLERY).content.decode()

    def test_photos_open(self, visitor: Client, run: Event) -> None:
        assert visitor.get(address(photo(run, "red-green.png"))).status_code == 200
        assert visitor.get(address(photo(run, "red.png"))).status_code == 404

    def test_photos_are_not_for_strangers_and_members(self, visitor: Client, run: Event, member: User) -> None:
        visitor.post(GALLERY)
        assert visitor.get(address(photo(run, "red-green.png"))).status_code == 404
        visitor.force_login(member)
        assert visitor.get(address(photo(run, "red-green.png"))).status_code == 404

    def test_photos_of_somebody_hidden_since_are_closed(self, visitor: Client, run: Event) -> None:
        run.faces.update(hidden=True)
        assert "No photos of you yet" in visitor.get(GALLERY).content.decode()
        assert visitor.get(address(photo(run, "red-green.png"))).status_code == 404

    def test_a_selfie_opens_it(self, client: Client, run: Event, selfie: Any) -> None:
        run.maybe_distance = 0.6
        run.save()
        assert client.post(SELFIE, selfie((230, 72, 20))).status_code == 303
        assert "We are not sure." in client.get(GALLERY).content.decode()

    def test_takes_one_query_more(self, visitor: Client, django_assert_num_queries: DjangoAssertNumQueries) -> None:
        with django_assert_num_queries(6):  # session, event, visitor, answers, photos, photos that may be
            visitor.get(GALLERY)


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


class TestRetry:
    @pytest.fixture(autouse=True)
    def _failures(self, event: Event, add: Any) -> None:
        add("torn.png", RED)
        add("cut.png", RED)
        add("odd.png", RED)
        fail(event, "truncated", "The file ends too early.", "torn.png", "cut.png")
        fail(event, "engine_failed", "The engine stumbled.", "odd.png")

    def test_sends_strangers_to_log_in(self, client: Client, event: Event) -> None:
        assert client.post(RETRY)["Location"] == f"/admin/login/?next={RETRY}"
        assert event.images.failed().count() == 3

    def test_refuses_members(self, client: Client, event: Event, member: User) -> None:
        client.force_login(member)
        assert client.post(RETRY).status_code == 403
        assert event.images.failed().count() == 3

    @pytest.mark.parametrize(
        ("code", "names"), [("truncated", {"torn.png", "cut.png"}), ("engine_failed", {"odd.png"})]
    )
    def test_of_all_of_a_reason(self, staff_client: Client, event: Event, code: str, names: set[str]) -> None:
        staff_client.post(RETRY, {"code": code})
        assert set(event.images.pending().values_list("file_name", flat=True)) == names

    def test_of_one(self, staff_client: Client, event: Event) -> None:
        response = staff_client.post(RETRY, {"image_id": photo(event, "torn.png").image_id}, follow=True)
        assert [image.file_name for image in event.images.pending()] == ["torn.png"]
        assert response.redirect_chain == [(UPLOAD, 302)]
        assert "1 photo will be looked at again." in response.content.decode()

    def test_of_everything(self, staff_client: Client, event: Event) -> None:
        response = staff_client.post(RETRY, follow=True)
        assert "3 photos will be looked at again." in response.content.decode()

    def test_leaves_other_events_alone(self, staff_client: Client, other_event: Event, event: Event) -> None:
        staff_client.post("/events/other-run/retry/", {"image_id": photo(event, "torn.png").image_id})
        assert event.images.failed().count() == 3

    def test_returns_to_the_page_of_its_form(self, staff_client: Client) -> None:
        assert staff_client.post(RETRY, {"next": "/admin/"})["Location"] == "/admin/"

    @pytest.mark.parametrize("page", ["back", "index"])
    def test_takes_the_page_for_an_address_and_no_name(self, staff_client: Client, page: str) -> None:
        assert staff_client.post(RETRY, {"next": page})["Location"] == page

    @pytest.mark.parametrize("elsewhere", ["https://example.org/", "//example.org", "javascript:alert(1)"])
    def test_leads_to_no_other_site(self, staff_client: Client, elsewhere: str) -> None:
        assert staff_client.post(RETRY, {"next": elsewhere})["Location"] == UPLOAD

    @pytest.mark.parametrize("data", [{"image_id": "words"}, {"code": "a b"}])
    def test_of_nonsense_is_refused(self, staff_client: Client, event: Event, data: dict[str, str]) -> None:
        assert staff_client.post(RETRY, data).status_code == 400
        assert event.images.failed().count() == 3

    def test_address_leads_back_to_the_upload(self, staff_client: Client) -> None:
        assert staff_client.get(RETRY)["Location"] == UPLOAD

    def test_there_is_nothing_to_retry_in_no_event(self, staff_client: Client) -> None:
        assert staff_client.post("/events/nowhere/retry/").status_code == 404


class TestProgressPanel:
    """Without scripts: the figures and the failures as they were when the page was asked for."""

    @pytest.fixture(params=["upload", "admin"])
    def page(self, request: pytest.FixtureRequest, staff: User, event: Event) -> str:
        """The address of a page that has the panel."""
        staff.user_permissions.add(Permission.objects.get(codename="view_event"))
        return UPLOAD if request.param == "upload" else f"/admin/events/event/{event.pk}/change/"

    @pytest.mark.usefixtures("frozen")
    def test_says_how_far_the_photos_have_come(self, staff_client: Client, run: Event, add: Any, page: str) -> None:
        run.images.update(processed_at=timezone.now() - timedelta(seconds=10))
        add("new.png", RED)
        content = staff_client.get(page).content.decode()
        figures = re.findall(r'data-figure="(\w+)">([\d,]+)<', content)
        expected = {"images": 5, "pending": 1, "indexed": 3, "no_face": 1, "failed": 0, "faces": 6, "persons": 3}
        assert {name: int(value) for name, value in figures} == expected
        assert re.search(r"4 of 5 photos looked at · 0\.4 a second · less than a minute left", content)
        assert '<p class="warning" id="no-worker">No worker is running.' in content

    def test_misses_no_worker_when_nothing_waits(self, staff_client: Client, run: Event, page: str) -> None:
        assert 'id="no-worker" hidden' in staff_client.get(page).content.decode()

    def test_says_so_when_there_are_no_photos(self, staff_client: Client, event: Event, page: str) -> None:
        assert "No photos yet." in staff_client.get(page).content.decode()

    def test_lists_what_failed_with_forms(self, staff_client: Client, run: Event, page: str) -> None:
        fail(run, "truncated", "The file <b>ends too early.", "red.png", "all.png")
        fail(run, "engine_failed", "The engine stumbled.", "empty.png")
        content = staff_client.get(page).content.decode()
        assert f'<form class="problems" id="failures" method="post" action="{RETRY}">' in content
        assert f'<input type="hidden" name="next" value="{page}">' in content
        assert '<strong>2</strong> <span class="reason">The file &lt;b&gt;ends too early.</span>' in content
        assert 'name="code" value="truncated"' in content
        assert f'name="image_id" value="{photo(run, "all.png").image_id}"' in content
        content = content[content.index('id="failures"') :].split("</form>")[0]
        # Only what was decoded has a thumbnail.
        assert content.count("<img") - content.count('<img src=""') == 1
        assert address(photo(run, "empty.png"), "thumbnail") in content

    def test_is_not_on_the_page_of_a_new_event(self, staff_client: Client, staff: User) -> None:
        staff.user_permissions.add(Permission.objects.get(codename="add_event"))
        content = staff_client.get("/admin/events/event/add/").content.decode()
        assert "progress" not in content

    def test_is_for_those_who_may_view_the_event(self, staff_client: Client, event: Event) -> None:
        assert staff_client.get(f"/admin/events/event/{event.pk}/change/").status_code == 403

    @pytest.mark.parametrize(
        ("seconds", "words"),
        [
            (59, "less than a minute left"),
            (61, "about 2 min left"),
            (3600, "about 1 h 0 min left"),
            (4_000_000, "about 1,111 h 7 min left"),
        ],
    )
    def test_says_time_as_people_do(self, seconds: int, words: str) -> None:
        assert time_left(seconds) == words


def fail(event: Event, code: str, reason: str, *names: str) -> None:
    images = event.images.filter(file_name__in=names)
    images.update(state=Image.State.FAILED, failure_code=code, failure_reason=reason)
