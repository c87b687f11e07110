"""Health and upload."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework_api_key.models import APIKey

from conftest import BLUE, GREEN, RED
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client

    Painter = Callable[..., io.BytesIO]

UPLOAD = "/api/v1/upload"


def upload_file(file: io.BytesIO, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, file.getvalue())


@pytest.fixture
def api_key(db: None) -> str:
    return APIKey.objects.create_key(name="camera")[1]


def test_health(client: Client) -> None:
    response = client.get("/api/v1/health")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_photos_are_uploaded(staff_client: Client, event: Event, paint: Painter) -> None:
    files = [upload_file(paint(RED), "photo 1.png"), upload_file(paint(GREEN), "photo2.png")]
    answer = staff_client.post(UPLOAD, {"files": files}).json()
    assert (answer["uploaded"], answer["errors"]) == (2, [])
    assert [file["file"] for file in answer["files"]] == ["photo 1.png", "photo2.png"]
    first = Image.objects.get(file_name="photo 1.png")
    assert answer["files"][0]["saved_as"] == f"{first.image_id.hex[:8]}_photo_1.png"
    assert answer["files"][0]["image_id"] == str(first.image_id)


def test_duplicates_and_refused_files_are_named(staff_client: Client, event: Event, paint: Painter) -> None:
    files = [
        upload_file(paint(RED), "a.png"),
        upload_file(paint(RED), "again.png"),
        SimpleUploadedFile("notes.txt", b"text"),
        SimpleUploadedFile("empty.jpg", b""),
    ]
    answer = staff_client.post(UPLOAD, {"files": files}).json()
    assert answer["uploaded"] == 1
    assert [file["duplicate"] for file in answer["files"]] == [False, True]
    assert [(error["file"], error["code"]) for error in answer["errors"]] == [
        ("notes.txt", "not_an_image"),
        ("empty.jpg", "empty"),
    ]
    assert all(error["detail"] for error in answer["errors"])


def test_an_api_key_may_upload(client: Client, event: Event, api_key: str, paint: Painter) -> None:
    headers = {"Authorization": f"Api-Key {api_key}"}
    response = client.post(UPLOAD, {"files": [upload_file(paint(BLUE), "a.png")]}, headers=headers)
    assert response.json()["uploaded"] == 1


def test_the_event_is_named_in_query_or_form(
    staff_client: Client, event: Event, other_event: Event, paint: Painter
) -> None:
    staff_client.post(UPLOAD, {"files": [upload_file(paint(RED), "default.png")]})
    staff_client.post(f"{UPLOAD}?event=other-run", {"files": [upload_file(paint(RED), "query.png")]})
    staff_client.post(UPLOAD, {"files": [upload_file(paint(GREEN), "form.png")], "event": "other-run"})
    assert list(event.images.values_list("file_name", flat=True)) == ["default.png"]
    assert list(other_event.images.values_list("file_name", flat=True)) == ["query.png", "form.png"]


@pytest.mark.parametrize("slug", ["nosuch", "'; drop table", "../x", "a\0b"])
def test_an_unknown_event_is_named(staff_client: Client, event: Event, paint: Painter, slug: str) -> None:
    response = staff_client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")], "event": slug})
    assert response.status_code == 404
    assert response.json() == {"detail": f"There is no event {slug!r}.", "code": "unknown_event"}


def test_without_any_event_the_answer_says_so(staff_client: Client, paint: Painter) -> None:
    response = staff_client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")]})
    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")


def test_no_file_is_an_error(staff_client: Client, event: Event) -> None:
    response = staff_client.post(UPLOAD, {})
    assert (response.status_code, response.json()["code"]) == (400, "missing_file")


def test_strangers_may_not_upload(client: Client, event: Event, member: User, paint: Painter) -> None:
    assert client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")]}).status_code == 401
    client.force_login(member)
    assert client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")]}).status_code == 403
    assert not Image.objects.exists()


def test_bad_api_keys_are_refused(client: Client, event: Event, api_key: str, paint: Painter) -> None:
    def status_with(key: str) -> int:
        headers = {"Authorization": f"Api-Key {key}"}
        return client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")]}, headers=headers).status_code

    assert status_with("nonsense") == 401
    assert status_with(api_key + "x") == 401
    APIKey.objects.update(expiry_date=timezone.now() - timedelta(days=1))
    assert status_with(api_key) == 401
    APIKey.objects.update(expiry_date=None, revoked=True)
    assert status_with(api_key) == 401


def test_a_session_needs_the_csrf_token(event: Event, staff: User, paint: Painter) -> None:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    response = client.post(UPLOAD, {"files": [upload_file(paint(), "a.png")]})
    assert response.status_code == 403


def test_errors_have_one_shape(staff_client: Client, client: Client, event: Event) -> None:
    for response in (
        staff_client.get(UPLOAD),
        staff_client.post(UPLOAD, b"{}", content_type="application/json"),
        staff_client.post(UPLOAD, b"--x", content_type="multipart/form-data; boundary=y"),
    ):
        assert response.status_code in {400, 405, 415}
        assert set(response.json()) == {"detail", "code"}
