"""How much a request may bring, and what is said when it is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework_api_key.models import APIKey

if TYPE_CHECKING:
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
    key = APIKey.objects.create_key(name="camera")[1]
    answer = client.post(API_UPLOAD, {"files": large()}, headers={"Authorization": f"Api-Key {key}"})
    assert answer.json()["errors"][0]["code"] == "not_an_image"
    client.force_login(staff)
    assert client.post(f"/events/{event.slug}/upload/", {"files": large()}).status_code == 200


def test_too_many_files_are_refused_in_the_apis_shape(staff_client: Client, event: Event, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = 1
    files = [SimpleUploadedFile(f"{number}.jpg", b"x") for number in range(2)]
    response = staff_client.post(API_UPLOAD, {"files": files})
    assert (response.status_code, response.json()["code"]) == (413, "too_many_files")
