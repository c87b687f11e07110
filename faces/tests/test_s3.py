"""The whole way of a photo with the files in a bucket: upload, ingest, selfie, gallery, download, deletion."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from PIL import Image as Picture

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import consent, pipeline
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

RENDITIONS = ("original", "preview", "thumbnail")


def keys() -> set[str]:
    storage: Any = default_storage
    return {file.key for file in storage.walk("photos")}


def content(response: Any) -> bytes:
    assert response.status_code == 200
    return b"".join(response.streaming_content)


def as_upload(file: io.BytesIO, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, file.getvalue())


@pytest.fixture
def run(s3: str, event: Event, client: Client, staff: User, paint: Painter) -> Event:
    """Two photos in the bucket, uploaded by staff and indexed: red is in one, green and blue are in the other."""
    client.force_login(staff)
    files = [as_upload(paint(RED), "Zieleinlauf 🏁 1.png"), as_upload(paint(GREEN, BLUE), "два.png")]
    answer = client.post("/api/v1/upload", {"files": files}).json()
    assert (answer["uploaded"], answer["errors"]) == (2, [])
    assert pipeline.ingest(event).faces_detected == 3
    client.logout()
    return event


@pytest.fixture
def token(run: Event, client: Client, paint: Painter) -> str:
    return str(client.post("/api/v1/auth/selfie", {"file": as_upload(paint(RED), "me.png")}).json()["token"])


def test_every_file_is_in_the_bucket_and_none_on_the_disk(run: Event, settings: Settings) -> None:
    assert keys() == {image.key_of(rendition) for image in Image.objects.all() for rendition in RENDITIONS}
    assert not settings.STORAGE_PATH.exists()
    call_command("storage_audit")


def test_a_selfie_opens_its_photos_over_the_api(client: Client, run: Event, token: str, paint: Painter) -> None:
    bearer = {"Authorization": f"Bearer {token}"}
    red = Image.objects.get(file_name__contains="1.png")
    face = Face.objects.get(image_faces__image=red)
    (listed,) = client.get(f"/api/v1/users/{face.grab_id}/images", headers=bearer).json()["images"]
    assert listed["file_name"] == "Zieleinlauf 🏁 1.png"
    original = client.get(f"/api/v1/storage/{listed['file_path']}", headers=bearer)
    assert content(original) == paint(RED).getvalue()
    assert original["Content-Length"] == str(len(paint(RED).getvalue()))
    for path in (listed["preview_path"], listed["thumbnail_path"]):
        file = io.BytesIO(content(client.get(f"/api/v1/storage/{path}", headers=bearer)))
        assert Picture.open(file).format == "JPEG"


def test_a_selfie_opens_its_photos_on_the_site(client: Client, run: Event, paint: Painter) -> None:
    page = client.post(
        "/events/city-run/selfie/", {"file": as_upload(paint(RED), "me.png"), "consent": consent.VERSION}, follow=True
    )
    red, other = Image.objects.order_by("pk")
    assert f"/photos/{red.image_id}/" in page.content.decode()
    for rendition in RENDITIONS:
        assert content(client.get(f"/photos/{red.image_id}/{rendition}/"))
        assert client.get(f"/photos/{other.image_id}/{rendition}/").status_code == 404
    download = client.get(f"/photos/{red.image_id}/original/?download")
    assert content(download) == paint(RED).getvalue()
    assert download["Content-Disposition"].startswith("attachment")


def test_strangers_get_nothing(client: Client, run: Event, token: str, member: User) -> None:
    other = Image.objects.get(file_name="два.png")
    for key in map(other.key_of, RENDITIONS):
        assert client.get(f"/api/v1/storage/{key}", headers={"Authorization": f"Bearer {token}"}).status_code == 404
    for login in (client.logout, lambda: client.force_login(member)):
        login()
        for rendition in RENDITIONS:
            assert client.get(f"/photos/{other.image_id}/{rendition}/").status_code == 404
            assert client.get(f"/api/v1/storage/{other.key_of(rendition)}").status_code in {401, 403}


def test_a_deleted_photo_takes_its_objects_along(
    run: Event, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    deleted, kept = Image.objects.order_by("pk")
    with django_capture_on_commit_callbacks(execute=True):
        deleted.delete()
    assert keys() == {kept.key_of(rendition) for rendition in RENDITIONS}


def test_a_photo_whose_object_is_gone_is_not_found(client: Client, run: Event, staff: User) -> None:
    client.force_login(staff)
    image = Image.objects.get(file_name="два.png")
    default_storage.delete(image.storage_key)
    assert client.get(f"/photos/{image.image_id}/original/").status_code == 404
    assert client.get(f"/api/v1/storage/{image.storage_key}").json()["code"] == "not_found"


def test_a_storage_that_is_down_is_said_so(
    client: Client, run: Event, staff: User, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue("dead_s3")
    client.force_login(staff)
    image = Image.objects.get(file_name="два.png")
    response = client.get(f"/api/v1/storage/{image.storage_key}")
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert client.get(f"/photos/{image.image_id}/original/").status_code == 503
