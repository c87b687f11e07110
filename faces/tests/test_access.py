"""Who gets what of an event, by its access, its publishing window and its code: pages, files and API."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import segno
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image as Picture

from conftest import RED
from events.models import Event, Image
from faces import consent
from faces.models import Face
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client

    Painter = Callable[..., io.BytesIO]

Access = Event.Access
EVENT = "/events/city-run/"
PAGES = {"event": EVENT, "gallery": EVENT + "gallery/", "browse": EVENT + "photos/", "cover": EVENT + "cover/"}
API_SELFIE = "/api/v1/auth/selfie"


def publish(event: Event, access: Event.Access, **fields: Any) -> Event:
    Event.objects.filter(pk=event.pk).update(access=access, **fields)
    event.refresh_from_db()
    return event


def selfie_of(paint: Painter) -> dict[str, Any]:
    return {"file": SimpleUploadedFile("me.png", paint(RED).read(), "image/png"), "consent": consent.VERSION}


def photo(event: Event, rendition: str, name: str = "red.png") -> str:
    return f"/photos/{event.images.get(file_name=name).image_id}/{rendition}/"


def person_of(event: Event, name: str = "red.png") -> Face:
    return Face.objects.get(image_faces__image__file_name=name, event=event)


def text(client: Client, address: str) -> str:
    return client.get(address).content.decode()


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


class TestDraft:
    @pytest.mark.parametrize("page", PAGES)
    def test_is_nobodys_but_its_staffs(
        self, client: Client, run: Event, organiser: User, member: User, page: str
    ) -> None:
        publish(run, Access.DRAFT, cover=run.images.first())
        assert client.get(PAGES[page]).status_code == 404
        client.force_login(member)
        assert client.get(PAGES[page]).status_code == 404
        client.force_login(organiser)
        assert client.get(PAGES[page]).status_code in {200, 302}


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"opens_at": timezone.now() + timedelta(days=3)}, "Not open yet"),
        ({"closes_at": timezone.now() - timedelta(days=3)}, "Closed"),
    ],
    ids=["upcoming", "over"],
)
class TestOutsideTheWindow:
    @pytest.mark.parametrize("page", ["event", "gallery", "browse"])
    def test_every_page_says_so(
        self, client: Client, run: Event, window: dict[str, Any], words: str, page: str, organiser: User
    ) -> None:
        publish(run, Access.OPEN, contact="run@example.org", **window)
        response = client.get(PAGES[page])
        assert response.status_code == 200
        assert words in response.content.decode()
        assert "mailto:run@example.org" in response.content.decode()
        assert 'enctype="multipart/form-data"' not in response.content.decode()
        client.force_login(organiser)
        assert words not in client.get(PAGES[page], follow=True).content.decode()

    def test_no_selfie_is_looked_at(
        self, client: Client, run: Event, paint: Painter, window: dict[str, Any], words: str
    ) -> None:
        publish(run, Access.SELFIE, **window)
        assert client.post(EVENT + "selfie/", selfie_of(paint)).status_code == 403
        asked = client.post(EVENT + "selfie/", selfie_of(paint), headers={"Accept": "application/json"})
        assert (asked.status_code, asked.json()) == (403, {"code": "event_not_open"})
        answer = client.post(f"{API_SELFIE}?event=city-run", selfie_of(paint))
        assert (answer.status_code, answer.json()["code"]) == (403, "event_not_open")
        assert not run.consents.exists()

    def test_a_gallery_that_was_open_is_closed(
        self, client: Client, run: Event, window: dict[str, Any], words: str
    ) -> None:
        open_gallery(client, run, [person_of(run).cover_id or 0])
        assert client.get(photo(run, "preview")).status_code == 200
        publish(run, Access.SELFIE, **window)
        assert client.get(photo(run, "preview")).status_code == 404


def test_what_is_over_is_not_listed_and_what_comes_is(client: Client, event: Event, organiser: User) -> None:
    publish(event, Access.SELFIE, opens_at=timezone.now() + timedelta(days=3))
    assert "City Run" in text(client, "/")
    publish(event, Access.SELFIE, opens_at=None, closes_at=timezone.now())
    assert "City Run" not in text(client, "/")
    client.force_login(organiser)
    assert "Over" in text(client, "/")


class TestCode:
    @pytest.fixture(autouse=True)
    def _code(self, run: Event) -> None:
        publish(run, Access.CODE, access_code="ABCD-2345")

    def test_is_asked_for_before_the_selfie(self, client: Client, run: Event, paint: Painter) -> None:
        for page in ("event", "gallery"):
            shown = text(client, PAGES[page])
            assert 'name="code"' in shown
            assert 'type="file"' not in shown
        assert client.post(EVENT + "selfie/", selfie_of(paint)).status_code == 403
        assert not run.consents.exists()

    @pytest.mark.parametrize("code", ["ABCD-2345", "abcd 2345", " AbCd2345 "])
    def test_opens_the_event(self, client: Client, run: Event, paint: Painter, code: str) -> None:
        assert client.post(EVENT + "code/", {"code": code})["Location"] == EVENT
        assert 'type="file"' in text(client, EVENT)
        assert client.post(EVENT + "selfie/", selfie_of(paint)).status_code == 303

    @pytest.mark.parametrize("code", ["", "-", "ABCD-2346", "ABCD-234"])
    def test_that_is_wrong_is_refused(self, client: Client, run: Event, code: str) -> None:
        response = client.post(EVENT + "code/", {"code": code})
        assert response.status_code == 403
        assert 'role="alert"' in response.content.decode()
        assert 'type="file"' not in text(client, EVENT)

    def test_may_be_in_the_address_and_leaves_it(self, client: Client, run: Event) -> None:
        assert client.get(EVENT + "?code=abcd2345")["Location"] == EVENT
        assert 'type="file"' in text(client, EVENT)

    def test_that_is_changed_closes_the_event_again(self, client: Client, run: Event) -> None:
        client.post(EVENT + "code/", {"code": "ABCD-2345"})
        publish(run, Access.CODE, access_code="WXYZ-2345")
        assert 'name="code"' in text(client, EVENT)

    def test_opens_no_other_event(self, client: Client, run: Event, other_event: Event) -> None:
        publish(other_event, Access.CODE, access_code="WXYZ-2345")
        client.post(EVENT + "code/", {"code": "ABCD-2345"})
        assert 'name="code"' in text(client, "/events/other-run/")

    def test_is_not_asked_of_its_staff(self, client: Client, run: Event, organiser: User, other_event: Event) -> None:
        publish(other_event, Access.CODE, access_code="WXYZ-2345")
        client.force_login(organiser)
        assert 'type="file"' in text(client, EVENT)
        assert 'name="code"' in text(client, "/events/other-run/")

    @pytest.mark.parametrize(("given", "code"), [({}, "code_required"), ({"code": "ABCD-2346"}, "wrong_code")])
    def test_is_asked_for_by_the_api(
        self, client: Client, run: Event, paint: Painter, given: dict[str, str], code: str
    ) -> None:
        answer = client.post(API_SELFIE, selfie_of(paint) | given)
        assert (answer.status_code, answer.json()["code"]) == (403, code)

    def test_is_taken_by_the_api(self, client: Client, run: Event, paint: Painter) -> None:
        assert client.post(API_SELFIE, selfie_of(paint) | {"code": "abcd 2345"}).status_code == 200
        assert client.post(f"{API_SELFIE}?code=abcd2345", selfie_of(paint)).status_code == 200

    @pytest.mark.parametrize("code", ["", " - "])
    def test_is_made_up_where_there_is_none(self, run: Event, code: str) -> None:
        run.access_code = code
        run.full_clean()
        assert len(run.access_code) == 9
        assert run.accepts_code(run.access_code.lower())

    def test_must_not_be_short(self, run: Event) -> None:
        run.access_code = "A- - -B"
        with pytest.raises(ValidationError, match="at least 6"):
            run.full_clean()


class TestOpen:
    @pytest.fixture(autouse=True)
    def _open(self, run: Event) -> None:
        publish(run, Access.OPEN)

    def test_shows_all_photos_to_everybody(self, client: Client, run: Event) -> None:
        page = text(client, PAGES["browse"])
        for image in run.images.all():
            assert f"/photos/{image.image_id}/thumbnail/" in page
        for rendition in Image.Rendition:
            assert client.get(photo(run, rendition)).status_code == 200

    def test_shows_a_persons_photos_by_the_grab_id(self, client: Client, run: Event) -> None:
        red = person_of(run)
        page = text(client, f"{EVENT}people/{red.grab_id}/")
        assert "One person, 3 photos" in page
        assert str(run.images.get(file_name="empty.png").image_id) not in page
        answer = client.get(f"/api/v1/users/{red.grab_id}/images").json()
        assert answer["total"] == 3
        assert client.get(f"/api/v1/storage/{answer['images'][0]['file_path']}").status_code == 200

    def test_hides_who_is_hidden(self, client: Client, run: Event) -> None:
        red = person_of(run)
        Face.objects.update(hidden=True)
        assert client.get(f"{EVENT}people/{red.grab_id}/").status_code == 404
        assert client.get(f"/api/v1/users/{red.grab_id}/images").status_code == 401

    def test_shows_nobody_of_another_event(self, client: Client, run: Event, other_event: Event) -> None:
        publish(other_event, Access.OPEN)
        assert client.get(f"/events/other-run/people/{person_of(run).grab_id}/").status_code == 404

    @pytest.mark.parametrize("access", [Access.SELFIE, Access.CODE, Access.DRAFT])
    def test_is_closed_by_another_access(self, client: Client, run: Event, access: Event.Access) -> None:
        publish(run, access, access_code="ABCD-2345")
        client.post(EVENT + "code/", {"code": "ABCD-2345"})
        red = person_of(run)
        assert client.get(PAGES["browse"]).status_code == 404
        assert client.get(f"{EVENT}people/{red.grab_id}/").status_code == 404
        assert client.get(photo(run, "thumbnail")).status_code == 404
        assert client.get(f"/api/v1/users/{red.grab_id}/images").status_code == 401
        key = run.images.get(file_name="red.png").key_of("thumbnail")
        assert client.get(f"/api/v1/storage/{key}").status_code == 401

    @pytest.mark.parametrize("page", ["0", "2", "x", "-1"])
    def test_has_no_page_beyond_the_last(self, client: Client, run: Event, page: str) -> None:
        assert client.get(PAGES["browse"], {"page": page}).status_code == 404

    def test_goes_page_by_page(
        self, client: Client, run: Event, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        monkeypatch.setattr("faces.views.open.PAGE_SIZE", 3)
        with django_assert_num_queries(3):  # event, count, photos
            first = text(client, PAGES["browse"])
        assert 'href="?page=2"' in first
        second = text(client, PAGES["browse"] + "?page=2")
        assert "Page 2 of 2" in second
        assert first.count("/thumbnail/") + second.count("/thumbnail/") == run.images.count()


class TestFiles:
    @pytest.fixture
    def attendee(self, client: Client, run: Event) -> Client:
        open_gallery(client, run, [person_of(run).cover_id or 0])
        return client

    def test_originals_are_not_for_visitors_where_the_event_keeps_them(self, attendee: Client, run: Event) -> None:
        publish(run, Access.SELFIE, originals=False)
        assert attendee.get(photo(run, "original")).status_code == 403
        kept = attendee.get(photo(run, "original") + "?download")
        assert kept["Content-Disposition"] == 'attachment; filename="red.jpg"'
        assert kept["Content-Type"] == "image/jpeg"

    def test_nor_for_api_clients(self, client: Client, run: Event, paint: Painter) -> None:
        publish(run, Access.SELFIE, originals=False)
        token = client.post(API_SELFIE, selfie_of(paint)).json()["token"]
        image = run.images.get(file_name="red.png")
        answer = client.get(f"/api/v1/storage/{image.storage_key}", headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer.json()["code"]) == (403, "originals_not_offered")
        preview = image.key_of("preview")
        assert client.get(f"/api/v1/storage/{preview}", headers={"Authorization": f"Bearer {token}"}).status_code == 200

    def test_staff_have_them_all_the_same(self, client: Client, run: Event, organiser: User) -> None:
        publish(run, Access.SELFIE, originals=False, watermark="City Runners")
        client.force_login(organiser)
        assert client.get(photo(run, "original")).status_code == 200
        Event.objects.update(watermark="")
        plain = content(client.get(photo(run, "preview")))
        Event.objects.update(watermark="City Runners")
        assert content(client.get(photo(run, "preview"))) == plain

    def test_previews_carry_the_watermark_and_thumbnails_do_not(self, attendee: Client, run: Event) -> None:
        plain = {rendition: content(attendee.get(photo(run, rendition))) for rendition in Image.Rendition}
        publish(run, Access.SELFIE, watermark="© Läuferfest")
        marked = {rendition: content(attendee.get(photo(run, rendition))) for rendition in Image.Rendition}
        assert marked[Image.Rendition.THUMBNAIL] == plain[Image.Rendition.THUMBNAIL]
        assert marked[Image.Rendition.ORIGINAL] == plain[Image.Rendition.ORIGINAL]
        before, after = (Picture.open(io.BytesIO(files[Image.Rendition.PREVIEW])) for files in (plain, marked))
        assert before.size == after.size
        assert before.tobytes() != after.tobytes()

    def test_the_api_gives_strangers_no_preview_without_the_watermark(
        self, client: Client, run: Event, organiser: User
    ) -> None:
        preview = f"/api/v1/storage/{run.images.get(file_name='red.png').key_of('preview')}"
        publish(run, Access.OPEN)
        plain = content(client.get(preview))
        publish(run, Access.OPEN, watermark="City Runners")
        assert content(client.get(preview)) != plain
        client.force_login(organiser)
        assert content(client.get(preview)) == plain

    @pytest.mark.parametrize("access", [Access.OPEN, Access.SELFIE])
    def test_a_watermark_must_be_drawable(self, run: Event, access: Event.Access) -> None:
        run.watermark = "走 Läufer"
        with pytest.raises(ValidationError, match="cannot be drawn: 走"):
            run.full_clean()

    def test_the_cover_is_for_everybody(self, client: Client, run: Event, other_event: Event) -> None:
        assert client.get(PAGES["cover"]).status_code == 404
        publish(run, Access.CODE, access_code="ABCD-2345", cover=run.images.get(file_name="empty.png"))
        assert client.get(PAGES["cover"])["Content-Type"] == "image/jpeg"
        other_event.cover = run.cover
        with pytest.raises(ValidationError, match="photo of this event"):
            other_event.full_clean()


class TestPoster:
    def test_leads_to_the_event(self, client: Client, event: Event, organiser: User) -> None:
        client.force_login(organiser)
        page = text(client, EVENT + "poster/")
        code = segno.make("http://testserver/events/city-run/", error="m", micro=False)
        assert code.svg_inline(border=0, omitsize=True, svgclass="qr", lineclass=None) in page
        assert "http://testserver/events/city-run/" in page
        assert "You also need the code" not in page
        publish(event, Access.CODE, access_code="ABCD-2345", organiser="City Runners")
        page = text(client, EVENT + "poster/")
        assert "You also need the code that you have from City Runners." in page
        assert "ABCD" not in page

    def test_is_for_its_staff(self, client: Client, event: Event, other_event: Event, organiser: User) -> None:
        assert client.get(EVENT + "poster/").status_code == 302
        client.force_login(organiser)
        assert client.get("/events/other-run/poster/").status_code == 404

    def test_is_not_for_members(self, client: Client, event: Event, member: User) -> None:
        client.force_login(member)
        assert client.get(EVENT + "poster/").status_code == 403


def test_a_window_must_not_end_before_it_begins(event: Event) -> None:
    event.opens_at = timezone.now()
    event.closes_at = event.opens_at - timedelta(seconds=1)
    with pytest.raises(ValidationError, match="after the opening"):
        event.full_clean()


def test_an_events_page_leads_its_staff_and_nobody_else_to_their_pages(
    client: Client, event: Event, other_event: Event, organiser: User
) -> None:
    for login, page, led in ((False, EVENT, False), (True, EVENT, True), (True, "/events/other-run/", False)):
        if login:
            client.force_login(organiser)
        shown = text(client, page)
        assert (f'href="{page}upload/"' in shown, f'href="{page}poster/"' in shown) == (led, led)


def test_the_page_of_an_open_event_leads_to_all_photos(client: Client, event: Event) -> None:
    assert 'href="/events/city-run/photos/"' not in text(client, EVENT)
    publish(event, Access.OPEN)
    assert 'href="/events/city-run/photos/"' in text(client, EVENT)
