"""Selfie, gallery and files over the API."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

SELFIE = "/api/v1/auth/selfie"


def send_selfie(client: Client, file: io.BytesIO, **fields: str) -> tuple[int, dict[str, object]]:
    response = client.post(SELFIE, {"file": SimpleUploadedFile("me.png", file.getvalue()), **fields})
    return response.status_code, response.json()


@pytest.fixture
def red_token(run: Event, client: Client, paint: Painter) -> str:
    return str(send_selfie(client, paint(RED))[1]["token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def images_url(photo: str) -> str:
    """The gallery of the leftmost person of a photo."""
    face = Face.objects.filter(image_faces__image__file_name=photo).order_by("image_faces__x").first()
    assert face
    return f"/api/v1/users/{face.grab_id}/images"


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
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["users/no-uuid/images", "users/a%00b/images", "storage/no-key", "nothing"])
def test_what_is_not_there_is_answered_in_the_apis_shape(client: Client, staff: User, run: Event, path: str) -> None:
    client.force_login(staff)
    response = client.get(f"/api/v1/{path}")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


def test_a_bug_is_answered_in_the_apis_shape_and_keeps_its_traceback(
    client: Client, run: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: object) -> None:
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
    assert 'filename="preview.jpg"' in preview["Content-Disposition"]


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
