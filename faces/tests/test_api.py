"""Ingest, selfie, gallery and files over the API."""

from __future__ import annotations

import io
import uuid
from typing import TYPE_CHECKING

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework_api_key.models import APIKey

from conftest import BLUE, GREEN, RED
from events.models import Event, Image
from faces import pipeline
from faces.models import Face, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

INGEST, SELFIE = "/api/v1/ingest", "/api/v1/auth/selfie"


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


class Crew:
    """A worker that is alive, and does its work when a test says so, or while the request sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.monkeypatch = monkeypatch

    def work(self, event: Event) -> None:
        pipeline.ingest(event)

    def works_on(self, event: Event) -> None:
        self.monkeypatch.setattr("faces.waiting.sleep", lambda seconds: self.work(event))


@pytest.fixture
def crew(monkeypatch: pytest.MonkeyPatch, start_worker: Callable[..., None]) -> Crew:
    start_worker()
    return Crew(monkeypatch)


def four_counts(processed: int, faces: int, new: int, known: int) -> dict[str, int]:
    return {
        "images_processed": processed,
        "faces_detected": faces,
        "new_faces_found": new,
        "total_faces_known": known,
    }


def test_ingest_answers_without_a_worker_when_there_is_nothing_to_do(staff_client: Client, event: Event) -> None:
    response = staff_client.post(INGEST)
    assert (response.status_code, set(response.json().values())) == (200, {0})


@pytest.mark.parametrize(("body", "status"), [({"event": "nosuch"}, 404), ({"event": 7}, 404), ([], 200), ("x", 400)])
def test_ingest_takes_the_event_as_json(staff_client: Client, event: Event, body: object, status: int) -> None:
    assert staff_client.post(INGEST, body, content_type="application/json").status_code == status


def test_ingest_takes_in_the_drop_folder_and_waits_for_the_workers(
    staff_client: Client, event: Event, settings: Settings, paint: Painter, caplog: pytest.LogCaptureFixture, crew: Crew
) -> None:
    folder = settings.STORAGE_PATH / event.slug
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(paint(RED, GREEN).getvalue())
    (folder / "notes.txt").write_text("no photo")
    crew.works_on(event)
    response = staff_client.post(INGEST)
    assert (response.status_code, response.json()) == (200, four_counts(1, 2, 2, 2))
    assert "notes.txt (not_an_image)" in caplog.text


def test_the_process_that_answers_indexes_nothing(
    staff_client: Client, event: Event, add: Callable[..., Image], settings: Settings, crew: Crew
) -> None:
    settings.INGEST_WAIT_SECONDS = 0
    add("a.png", RED)
    response = staff_client.post(INGEST)
    assert (response.status_code, response.json()) == (202, {**four_counts(0, 0, 0, 0), "pending": 1})
    assert event.images.pending().count() == 1


def test_ingest_waits_for_the_grouping_too(staff_client: Client, run: Event, settings: Settings, crew: Crew) -> None:
    settings.INGEST_WAIT_SECONDS = 0
    ImageFace.objects.update(face=None)
    response = staff_client.post(INGEST)
    assert (response.status_code, response.json()["pending"]) == (202, 0)


def test_without_a_worker_ingest_says_so(staff_client: Client, event: Event, add: Callable[..., Image]) -> None:
    add("a.png", RED)
    response = staff_client.post(INGEST)
    assert (response.status_code, response.json()["code"]) == (503, "no_worker")
    assert "`manage.py worker`" in response.json()["detail"]
    assert "1 are pending" in response.json()["detail"]


def test_the_counts_of_ingest_add_up_to_what_the_workers_did(
    staff_client: Client, event: Event, add: Callable[..., Image], settings: Settings, crew: Crew
) -> None:
    """Also to what they did before the call, and between two calls."""
    settings.INGEST_WAIT_SECONDS = 0
    add("a.png", RED, GREEN)
    crew.work(event)
    add("b.png", RED)
    assert staff_client.post(INGEST).json() == {**four_counts(1, 2, 2, 2), "pending": 1}
    crew.work(event)
    assert staff_client.post(INGEST).json() == four_counts(2, 3, 2, 2)
    assert staff_client.post(INGEST).json() == four_counts(0, 0, 0, 2)
    add("c.png", BLUE)
    crew.work(event)
    assert staff_client.post(INGEST).json() == four_counts(1, 1, 1, 3)


def test_ingest_with_an_api_key(client: Client, event: Event) -> None:
    key = APIKey.objects.create_key(name="camera")[1]
    assert client.post(INGEST, headers={"Authorization": f"Api-Key {key}"}).status_code == 200


def test_strangers_may_not_ingest(client: Client, run: Event, member: User, red_token: str) -> None:
    assert client.post(INGEST).status_code == 401
    assert client.post(INGEST, headers=bearer(red_token)).status_code == 401
    client.force_login(member)
    assert client.post(INGEST).status_code == 403


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


def test_a_body_that_cannot_be_read_is_refused(staff_client: Client, event: Event) -> None:
    response = staff_client.post(INGEST, b"[" * 100_000, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "path", ["../../manage.py", "photos/../../manage.py", "photos/x/y", "photos", "/etc/passwd", "photos/{}/other.jpg"]
)
def test_only_keys_of_photos_are_served(client: Client, staff: User, run: Event, path: str) -> None:
    client.force_login(staff)
    response = client.get("/api/v1/storage/" + path.format(Image.objects.all()[0].image_id))
    assert response.status_code in {301, 404}
