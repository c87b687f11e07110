"""How much a request may bring, and what is said when it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from conftest import new_key

if TYPE_CHECKING:
    from pathlib import Path

    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

    from events.models import Event

API_SELFIE, API_UPLOAD = "/api/v1/auth/selfie", "/api/v1/upload"


@pytest.fixture(autouse=True)
def _small_limit(settings: Settings) -> None:
    settings.MAX_SELFIE_MB = 1


def large() -> SimpleUploadedFile:
    return SimpleUploadedFile("large.jpg", bytes(2_100_000))


def test_a_stranger_cannot_send_more_than_a_selfie(client: Client, event: Event) -> None:
    response = client.post(API_SELFIE, {"file": large()})
    assert (response.status_code, response.json()) == (413, {"detail": "Send at most 1 MB.", "code": "file_too_large"})


@pytest.mark.parametrize("page", ["selfie", "upload", "retry"])
def test_nor_to_any_page(event: Event, page: str) -> None:
    """The check of the CSRF token, which tests leave out by default, reads the form before any view does."""
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    assert client.post(f"/events/{event.slug}/{page}/", {"file": large()}).status_code == 413


def test_a_stranger_is_turned_away_from_the_upload_before_the_files_are_read(client: Client, event: Event) -> None:
    assert client.post(API_UPLOAD, {"files": large()}).status_code == 401


def test_staff_and_api_keys_send_large_photos(client: Client, event: Event, staff: User) -> None:
    key = new_key("camera")
    answer = client.post(API_UPLOAD, {"files": large()}, headers={"Authorization": f"Api-Key {key}"})
    assert answer.json()["errors"][0]["code"] == "not_an_image"
    client.force_login(staff)
    assert client.post(f"/events/{event.slug}/upload/", {"files": large()}).status_code == 200


def test_too_many_files_are_refused_in_the_apis_shape(staff_client: Client, event: Event, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(2)]
    response = staff_client.post(API_UPLOAD, {"files": files})
    assert (response.status_code, response.json()["code"]) == (413, "too_many_files")


@pytest.mark.parametrize("address", ["/events/city-run/selfie/", API_SELFIE])
@pytest.mark.parametrize("sender", ["stranger", "staff"])
def test_a_selfie_never_lies_in_a_file(
    client: Client,
    event: Event,
    staff: User,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    sender: str,
) -> None:
    """Not even while the request lasts: who kills the process then would leave it there."""
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 1000
    made: list[str] = []
    monkeypatch.setattr("tempfile.NamedTemporaryFile", lambda *_, **options: made.append(str(options)))
    if sender == "staff":
        client.force_login(staff)
    selfie = SimpleUploadedFile("me.jpg", bytes(900_000))
    answer = client.post(address, {"file": selfie, "consent": "2026-11"})
    assert answer.status_code == 400
    assert made == []
    assert list(tmp_path.iterdir()) == []


def test_nor_do_staff_send_larger_selfies(client: Client, event: Event, staff: User) -> None:
    client.force_login(staff)
    assert client.post(API_SELFIE, {"file": large()}).status_code == 413


def test_photos_of_staff_do_lie_in_files(staff_client: Client, event: Event, settings: Settings) -> None:
    """Else the test above would hold for a site that uses no files at all."""
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = "/nowhere", 1000
    with pytest.raises(FileNotFoundError):
        staff_client.post(API_UPLOAD, {"files": SimpleUploadedFile("me.jpg", bytes(9000))})
