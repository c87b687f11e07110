"""Selfie, gallery and files over the API."""

from __future__ import annotations

import io
import uuid
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import pipeline
from faces.gallery import Grant
from faces.models import Face, FaceAlias, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

SELFIE = "/api/v1/auth/selfie"
ORANGE, NEARLY_RED = (230, 140, 20), (230, 72, 20)


def send_selfie(client: Client, file: io.BytesIO, **fields: str) -> tuple[int, dict[str, object]]:
    response = client.post(SELFIE, {"file": SimpleUploadedFile("me.png", file.getvalue()), **fields})
    return response.status_code, response.json()


@pytest.fixture
def red_token(run: Event, client: Client, paint: Painter) -> str:
    return str(send_selfie(client, paint(RED))[1]["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def person_in(photo: str) -> Face:
    """The leftmost person of a photo."""
    face = Face.objects.filter(image_faces__image__file_name=photo).order_by("image_faces__x").first()
    assert face
    return face


def images_url(photo: str) -> str:
    """The gallery of the leftmost person of a photo."""
    return f"/api/v1/users/{person_in(photo).grab_id}/images"


def storage_url(photo: str, rendition: str = "original") -> str:
    return f"/api/v1/storage/{Image.objects.get(file_name=photo).key_of(rendition)}"


def test_a_selfie_is_answered_with_a_token(client: Client, run: Event, paint: Painter) -> None:
    status, answer = send_selfie(client, paint(RED))
    assert status == 200
    assert answer["confidence"] == pytest.approx(1, abs=1e-3)
    assert answer["total"] == 3
    assert Face.objects.get(grab_id=str(answer["grab_id"])).image_faces.count() == 3
    assert answer["token"]
    assert answer["expires_in"] == 72 * 3600
    assert answer["tier"] == "sure"
    assert answer["probability"] == pytest.approx(1, abs=1e-3)
    assert "maybe" not in answer
    assert "maybe_total" not in answer


def test_a_stranger_is_not_found(client: Client, run: Event, paint: Painter) -> None:
    assert send_selfie(client, paint((220, 220, 0))) == (
        404,
        {
            "detail": "No matching identity found. Your face is not in any ingested photos.",
            "code": "no_match",
        },
    )


def test_selfies_that_cannot_be_used(client: Client, run: Event, paint: Painter) -> None:
    assert send_selfie(client, paint())[0] == 400
    assert send_selfie(client, io.BytesIO(b"no picture"))[1]["code"] == "not_an_image"
    assert send_selfie(client, paint(RED, GREEN))[1]["code"] == "several_faces"
    assert send_selfie(client, io.BytesIO())[0] == 400
    response = client.post(SELFIE, {})
    assert (response.status_code, response.json()["code"]) == (400, "missing_file")
    response = client.post(SELFIE, {"file": "a text field"})
    assert (response.status_code, response.json()["code"]) == (400, "missing_file")


def test_a_selfie_for_a_draft_is_for_staff(client: Client, run: Event, staff: User, paint: Painter) -> None:
    Event.objects.update(access=Event.Access.DRAFT)
    Event.objects.create(slug="second", name="Second", engine="fake")
    assert send_selfie(client, paint(RED), event=run.slug)[0] == 404
    client.force_login(staff)
    assert send_selfie(client, paint(RED), event=run.slug)[0] == 200


def test_selfies_leave_nothing_behind(client: Client, run: Event, paint: Painter, settings: Settings) -> None:
    before = sorted(settings.STORAGE_PATH.rglob("*"))
    send_selfie(client, paint(RED))
    assert sorted(settings.STORAGE_PATH.rglob("*")) == before


def test_the_gallery_lists_the_persons_photos(client: Client, run: Event, red_token: str) -> None:
    answer = client.get(images_url("red.png"), headers=bearer(red_token)).json()
    assert answer["total"] == 3
    assert [image["file_name"] for image in answer["images"]] == ["red.png", "red-green.png", "all.png"]
    first = Image.objects.get(file_name="red.png")
    assert answer["images"][0]["image_id"] == str(first.image_id)
    assert answer["images"][0]["file_path"] == first.storage_key
    assert answer["images"][0]["ingested_at"]


def test_the_number_of_queries_does_not_grow_with_the_gallery(
    client: Client, run: Event, red_token: str, django_assert_num_queries: Callable[..., object]
) -> None:
    url = images_url("red.png")
    with django_assert_num_queries(3):  # type: ignore[attr-defined]
        client.get(url, headers=bearer(red_token))


def test_a_bare_grab_id_opens_nothing(client: Client, run: Event) -> None:
    assert client.get(images_url("red.png")).status_code == 401
    assert client.get(storage_url("red.png")).status_code == 401


def test_a_token_opens_no_other_person(client: Client, run: Event, paint: Painter) -> None:
    blue = bearer(str(send_selfie(client, paint(BLUE))[1]["token"]))
    response = client.get(images_url("red.png"), headers=blue)
    assert (response.status_code, response.json()["code"]) == (403, "not_yours")
    assert client.get(storage_url("red.png"), headers=blue).status_code == 404
    assert client.get(storage_url("red.png", "thumbnail"), headers=blue).status_code == 404
    assert client.get(storage_url("all.png"), headers=blue).status_code == 200


def test_a_token_opens_no_less_than_everybody_sees(client: Client, run: Event, paint: Painter) -> None:
    Event.objects.update(access=Event.Access.OPEN)
    blue = bearer(str(send_selfie(client, paint(BLUE))[1]["token"]))
    assert client.get(images_url("red.png"), headers=blue).json() == client.get(images_url("red.png")).json()


def test_a_token_of_a_closed_event_is_told_why(client: Client, run: Event, red_token: str) -> None:
    Event.objects.update(closes_at=timezone.now() - timedelta(days=1))
    response = client.get(images_url("red.png"), headers=bearer(red_token))
    assert (response.status_code, response.json()["code"]) == (403, "event_not_open")


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_forged_tokens_open_nothing(client: Client, run: Event, token: str) -> None:
    for url in (images_url("red.png"), storage_url("red.png")):
        response = client.get(url, headers=bearer(token))
        assert (response.status_code, response.json()["code"]) == (401, "invalid_token")


def test_an_expired_token_opens_nothing(client: Client, red_token: str, settings: Settings) -> None:
    settings.GALLERY_TOKEN_HOURS = 0
    assert client.get(images_url("red.png"), headers=bearer(red_token)).status_code == 401


def test_an_unknown_person_is_not_found(client: Client, staff: User, run: Event, red_token: str) -> None:
    url = f"/api/v1/users/{uuid.uuid4()}/images"
    assert client.get(url, headers=bearer(red_token)).status_code == 404
    client.force_login(staff)
    response = client.get(url)
    assert response.status_code == 404
    assert response.json() == {"detail": "There is no person with this grab_id.", "code": "not_found"}


@pytest.mark.parametrize("path", ["users/no-uuid/images", "users/a%00b/images", "storage/no-key", "nothing"])
def test_what_is_not_there_is_answered_in_the_apis_shape(client: Client, staff: User, run: Event, path: str) -> None:
    client.force_login(staff)
    response = client.get(f"/api/v1/{path}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_bug_is_answered_in_the_apis_shape_and_keeps_its_traceback(
    client: Client, run: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object, **options: object) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr("faces.search.find", fail)
    client.raise_request_exception = False
    status, answer = send_selfie(client, paint(RED))
    assert (status, answer["code"]) == (500, "server_error")
    assert "a bug" in caplog.text


def test_staff_see_every_person_and_file(client: Client, staff: User, run: Event) -> None:
    client.force_login(staff)
    assert client.get(images_url("all.png")).json()["total"] == 3
    assert client.get(storage_url("empty.png")).status_code == 200


def test_members_are_no_staff(client: Client, member: User, run: Event) -> None:
    client.force_login(member)
    assert client.get(images_url("red.png")).status_code == 403
    assert client.get(storage_url("red.png")).status_code == 403


def test_files_come_whole_and_private(client: Client, run: Event, red_token: str) -> None:
    response = client.get(storage_url("red.png"), headers=bearer(red_token))
    assert b"".join(response.streaming_content)[:8] == b"\x89PNG\r\n\x1a\n"  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Cache-Control"].startswith("private")
    preview = client.get(storage_url("red.png", "preview"), headers=bearer(red_token))
    assert preview["Content-Type"] == "image/jpeg"
    assert 'filename="red.png"' in response["Content-Disposition"]
    assert 'filename="red.jpg"' in preview["Content-Disposition"]


@pytest.mark.parametrize("accept", ["image/*", "image/jpeg", "*/*", "text/html"])
def test_files_come_whatever_is_accepted(client: Client, run: Event, red_token: str, accept: str) -> None:
    headers = {**bearer(red_token), "Accept": accept}
    assert client.get(storage_url("red.png"), headers=headers).status_code == 200
    assert client.get(storage_url("empty.png"), headers=headers).json()["code"] == "not_found"


@pytest.mark.parametrize(
    "path", ["../../manage.py", "photos/../../manage.py", "photos/x/y", "photos", "/etc/passwd", "photos/{}/other.jpg"]
)
def test_only_keys_of_photos_are_served(client: Client, staff: User, run: Event, path: str) -> None:
    client.force_login(staff)
    response = client.get("/api/v1/storage/" + path.format(Image.objects.all()[0].image_id))
    assert response.status_code in {301, 404}


class TestMaybe:
    """Nearly red is 14 degrees of hue from red, and 21 from orange: neither is sure, and red may be."""

    @pytest.fixture(autouse=True)
    def _orange(self, run: Event, add: Callable[..., Image]) -> None:
        add("orange.png", ORANGE)
        pipeline.ingest(run)
        run.maybe_distance = 0.6
        run.save()

    def guess(self, client: Client, paint: Painter, **fields: str) -> tuple[int, dict[str, Any]]:
        status, answer = send_selfie(client, paint(NEARLY_RED), **fields)
        return status, answer

    def test_is_not_told_to_who_does_not_ask(self, client: Client, paint: Painter) -> None:
        status, answer = self.guess(client, paint)
        assert (status, answer["code"]) == (404, "no_match")
        assert answer["detail"] == "No matching identity found. Your face is not in any ingested photos."
        assert self.guess(client, paint, maybe="false")[0] == 404

    def test_is_told_to_who_asks(self, client: Client, paint: Painter) -> None:
        status, answer = self.guess(client, paint, maybe="true")
        assert status == 200
        assert (answer["tier"], answer["total"], answer["maybe_total"]) == ("maybe", 0, 3)
        [red] = answer["maybe"]
        assert red["grab_id"] == answer["grab_id"] == str(person_in("red.png").grab_id)
        assert red["confidence"] == answer["confidence"] == pytest.approx(0.62, abs=0.05)
        assert red["probability"] == answer["probability"]

    def test_may_be_asked_for_in_the_address(self, client: Client, paint: Painter) -> None:
        file = SimpleUploadedFile("me.png", paint(NEARLY_RED).getvalue())
        assert client.post(f"{SELFIE}?maybe=true", {"file": file}).json()["tier"] == "maybe"

    def test_is_asked_for_by_true_or_false(self, client: Client, paint: Painter) -> None:
        status, answer = self.guess(client, paint, maybe="perhaps")
        assert (status, answer["code"]) == (400, "bad_request")
        assert answer["detail"].startswith("`maybe`: ")

    def test_comes_beside_what_is_sure(self, client: Client, paint: Painter) -> None:
        answer = send_selfie(client, paint(RED), maybe="true")[1]
        assert (answer["tier"], answer["total"], answer["maybe"], answer["maybe_total"]) == ("sure", 3, [], 0)

    def test_opens_its_gallery_and_files(self, client: Client, paint: Painter) -> None:
        token = bearer(self.guess(client, paint, maybe="true")[1]["token"])
        answer = client.get(images_url("red.png"), headers=token).json()
        assert answer["total"] == 3
        assert {image["tier"] for image in answer["images"]} == {"maybe"}
        assert client.get(storage_url("red.png"), headers=token).status_code == 200
        assert client.get(storage_url("orange.png"), headers=token).status_code == 404

    def test_is_in_the_gallery_after_what_is_sure(self, client: Client, run: Event) -> None:
        orange, red = (ImageFace.objects.filter(face=person_in(name))[0].pk for name in ("orange.png", "red.png"))
        token = bearer(Grant(run.pk, sure=(orange,), maybe=(red,)).to_token())
        for photo in ("orange.png", "red.png"):
            images = client.get(images_url(photo), headers=token).json()["images"]
            assert [(image["file_name"], image["tier"]) for image in images] == [
                ("orange.png", "sure"),
                ("red.png", "maybe"),
                ("red-green.png", "maybe"),
                ("all.png", "maybe"),
            ]

    def test_is_not_opened_by_a_token_without_it(self, client: Client, run: Event) -> None:
        orange = ImageFace.objects.filter(face=person_in("orange.png"))[0].pk
        token = bearer(Grant(run.pk, sure=(orange,)).to_token())
        assert client.get(images_url("red.png"), headers=token).status_code == 403
        assert client.get(storage_url("red.png"), headers=token).status_code == 404

    def test_is_no_tier_for_staff(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        images = client.get(images_url("red.png")).json()["images"]
        assert {image["tier"] for image in images} == {"sure"}


class TestHidden:
    @pytest.fixture(autouse=True)
    def _hide(self, red_token: str) -> None:
        Face.objects.filter(pk=person_in("red.png").pk).update(hidden=True)

    def test_is_not_found(self, client: Client, paint: Painter) -> None:
        assert send_selfie(client, paint(RED), maybe="true")[1]["code"] == "no_match"

    def test_closes_the_galleries_that_were_open(self, client: Client, red_token: str) -> None:
        assert client.get(images_url("red.png"), headers=bearer(red_token)).status_code == 403
        assert client.get(storage_url("red.png"), headers=bearer(red_token)).status_code == 404

    def test_is_seen_by_staff(self, client: Client, staff: User) -> None:
        client.force_login(staff)
        assert client.get(images_url("red.png")).json()["total"] == 3


class TestAlias:
    @pytest.fixture
    def url(self, run: Event) -> str:
        """The gallery of somebody who became part of red."""
        alias = FaceAlias.objects.create(grab_id=uuid.uuid4(), face=person_in("red.png"))
        return f"/api/v1/users/{alias.grab_id}/images"

    def test_leads_to_the_person(self, client: Client, url: str, red_token: str) -> None:
        answer = client.get(url, headers=bearer(red_token)).json()
        assert (answer["grab_id"], answer["total"]) == (str(person_in("red.png").grab_id), 3)

    def test_opens_nothing(self, client: Client, url: str, paint: Painter, member: User) -> None:
        assert client.get(url).status_code == 401
        blue = str(send_selfie(client, paint(BLUE))[1]["token"])
        assert client.get(url, headers=bearer(blue)).status_code == 403
        client.force_login(member)
        assert client.get(url).status_code == 403

    def test_is_for_staff(self, client: Client, staff: User, url: str) -> None:
        client.force_login(staff)
        assert client.get(url).json()["total"] == 3
