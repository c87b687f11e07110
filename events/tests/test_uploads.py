"""How much a request may bring, and what is said when it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.test import Client

from conftest import new_key, paint_photo
from events import ingest

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
    for kind in ("NamedTemporaryFile", "TemporaryFile"):
        monkeypatch.setattr(f"tempfile.{kind}", lambda *_, **options: made.append(str(options)))
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


def test_a_member_cannot_fill_the_disk_before_the_csrf_token_is_looked_for(event: Event, member: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    client.cookies["csrftoken"] = "a" * 32
    assert client.post(API_UPLOAD, {"files": large()}).status_code == 413


def test_a_key_sends_photos_to_the_upload_alone(client: Client, event: Event) -> None:
    headers = {"Authorization": f"Api-Key {new_key()}"}
    for address in (f"/api/v1/events/{event.slug}/retry", "/api/v1/ingest", API_SELFIE):
        assert client.post(address, {"files": large()}, headers=headers).status_code == 413


def test_what_takes_no_file_takes_less_than_a_selfie(event: Event, settings: Settings) -> None:
    settings.MAX_SELFIE_MB = 20
    client = Client(enforce_csrf_checks=True)
    client.cookies["csrftoken"] = "a" * 32
    assert client.post("/admin/login/", {"file": large()}).status_code == 413
    assert client.post(f"/events/{event.slug}/selfie/", {"file": large()}).status_code == 403


@pytest.mark.parametrize("in_memory", [0, 10_000_000])
def test_of_a_file_that_is_too_large_no_more_is_kept_than_tells_so(
    client: Client, event: Event, settings: Settings, monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    settings.MAX_UPLOAD_MB, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = 1, in_memory
    sizes: list[int | None] = []
    add_all = ingest.add_all

    def noting(event: Event, files: list[tuple[UploadedFile[bytes], str]]) -> list[ingest.Outcome]:
        sizes.extend(file.size for file, _ in files)
        return add_all(event, files)

    monkeypatch.setattr(ingest, "add_all", noting)
    files = {"files": [large(), SimpleUploadedFile("small.png", paint_photo().getvalue())]}
    answer = client.post(API_UPLOAD, files, headers={"Authorization": f"Api-Key {new_key()}"}).json()
    assert [error["code"] for error in answer["errors"]] == ["file_too_large"]
    assert answer["uploaded"] == 1
    assert sizes[0] is not None
    assert 1_000_000 < sizes[0] <= 1_000_000 + 2 * 65_536


def test_photos_lie_in_files_without_a_name(
    client: Client, event: Event, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who kills the process leaves nothing behind; nor does who goes away in the middle."""
    settings.FILE_UPLOAD_TEMP_DIR, settings.FILE_UPLOAD_MAX_MEMORY_SIZE = str(tmp_path), 1000
    seen: list[object] = []

    def look(event: Event, files: list[tuple[UploadedFile[bytes], str]]) -> list[ingest.Outcome]:
        seen.append((files[0][0].size, files[0][0].read(3), list(tmp_path.iterdir())))
        return []

    monkeypatch.setattr(ingest, "add_all", look)
    monkeypatch.setattr("events.api.photos._stored", lambda *_: {})
    headers = {"Authorization": f"Api-Key {new_key()}"}
    with pytest.raises(ValueError, match="zip"):
        client.post(API_UPLOAD, {"files": SimpleUploadedFile("a.jpg", b"abc" * 3000)}, headers=headers)
    assert seen == [(9000, b"abc", [])]


def test_a_body_without_a_length_is_refused(client: Client, event: Event) -> None:
    request: dict[str, Any] = {"CONTENT_LENGTH": "", "headers": {"Transfer-Encoding": "chunked"}}
    for address in (API_UPLOAD, "/admin/login/"):
        assert client.post(address, {"files": large()}, **request).status_code == 411
