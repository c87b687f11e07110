"""Health, upload, and what staff ask about an event's photos."""

from __future__ import annotations

import errno
import hashlib
import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from conftest import BLUE, GREEN, RED, new_key
from events import ingest
from events.models import ApiKey, Event, Image

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
    return new_key("camera")


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
    ApiKey.objects.update(expiry_date=timezone.now() - timedelta(days=1))
    assert status_with(api_key) == 401
    ApiKey.objects.update(expiry_date=None, revoked=True)
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


RETRY, KNOWN = "/api/v1/events/city-run/retry", "/api/v1/events/city-run/known"


@pytest.fixture
def failed(event: Event, other_event: Event, paint: Painter) -> list[Image]:
    """Photos that failed: two truncated, one crashed, and one of another event."""
    for shade in range(3):
        ingest.add(event, paint(shade=shade), f"{shade}.png")
    ingest.add(other_event, paint(), "other.png")
    Image.objects.update(state="failed", failure_code="truncated")
    Image.objects.filter(file_name="2.png").update(failure_code="crashed")
    return list(event.images.all())


@pytest.mark.parametrize("content_type", ["application/json", None])
def test_one_failed_photo_is_tried_again(
    staff_client: Client, event: Event, failed: list[Image], content_type: str | None
) -> None:
    kind = {"content_type": content_type} if content_type else {}
    response = staff_client.post(RETRY, {"image_id": str(failed[1].image_id)}, **kind)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (200, {"retried": 1})
    assert list(event.images.pending()) == [failed[1]]


def test_all_photos_of_a_reason_are_tried_again(staff_client: Client, event: Event, failed: list[Image]) -> None:
    response = staff_client.post(RETRY, {"code": "truncated"}, content_type="application/json")
    assert response.json() == {"retried": 2}
    assert list(event.images.pending()) == failed[:2]


def test_all_failed_photos_of_the_event_are_tried_again(
    staff_client: Client, event: Event, other_event: Event, failed: list[Image]
) -> None:
    assert staff_client.post(RETRY).json() == {"retried": 3}
    assert staff_client.post(RETRY).json() == {"retried": 0}
    assert list(event.images.pending()) == failed
    assert not other_event.images.pending().exists()


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"image_id": "7"}, "bad_request"),
        ({"code": "\0"}, "bad_request"),
        ({"cod": "truncated"}, "bad_request"),
        ([], "bad_request"),
        ("{", "parse_error"),
    ],
)
def test_a_retry_that_makes_no_sense_retries_nothing(
    staff_client: Client, event: Event, failed: list[Image], body: object, code: str
) -> None:
    response = staff_client.post(RETRY, body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, code)
    assert not event.images.pending().exists()


def test_the_refusal_names_the_field(staff_client: Client, event: Event) -> None:
    response = staff_client.post(RETRY, {"image_id": "7"}, content_type="application/json")
    assert response.json()["detail"] == "`image_id`: Must be a valid UUID."
    response = staff_client.post(KNOWN, {"sha256": ["0" * 64, "F" * 64]}, content_type="application/json")
    assert response.json()["detail"] == "`sha256`: Send 64 lower-case hex digits."
    response = staff_client.post(KNOWN, {"sha256": ["0" * 64] * 1001}, content_type="application/json")
    assert "no more than 1000" in response.json()["detail"]


def test_a_client_learns_what_need_not_be_sent(
    staff_client: Client, event: Event, other_event: Event, paint: Painter
) -> None:
    ours, others, unsent = (hashlib.sha256(paint(shade=shade).getvalue()).hexdigest() for shade in range(3))
    ingest.add(event, paint(shade=0), "ours.png")
    ingest.add(other_event, paint(shade=1), "others.png")
    response = staff_client.post(KNOWN, {"sha256": [ours, others, unsent]}, content_type="application/json")
    assert (response.status_code, response.json()) == (200, {"known": [ours]})
    assert staff_client.post(KNOWN, {"sha256": []}, content_type="application/json").json() == {"known": []}


def test_a_photo_whose_file_went_missing_is_to_be_sent_again(
    staff_client: Client, event: Event, paint: Painter
) -> None:
    ingest.add(event, paint(), "a.png")
    Image.objects.update(state="failed", failure_code="file_missing")
    hashes = list(event.images.values_list("sha256", flat=True))
    assert staff_client.post(KNOWN, {"sha256": hashes}, content_type="application/json").json() == {"known": []}


@pytest.mark.parametrize("body", [{}, {"sha256": "0" * 64}, {"sha256": [7]}, {"sha256": ["0" * 63]}, [], None])
def test_hashes_that_are_none_are_refused(staff_client: Client, event: Event, body: object) -> None:
    response = staff_client.post(KNOWN, json.dumps(body), content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("url", "body"), [(RETRY, {}), (KNOWN, {"sha256": []})])
def test_strangers_may_neither_retry_nor_ask(
    client: Client, failed: list[Image], event: Event, member: User, api_key: str, url: str, body: object
) -> None:
    def status_for(**headers: str) -> int:
        return client.post(url, body, content_type="application/json", headers=headers).status_code

    assert status_for() == 401
    client.force_login(member)
    assert status_for() == 403
    assert not event.images.pending().exists()
    client.logout()
    assert status_for(Authorization=f"Api-Key {api_key}") == 200


@pytest.mark.parametrize(("call", "body"), [("retry", "{}"), ("known", '{"sha256": []}')])
def test_drafts_are_known_here_and_unknown_events_named(
    staff_client: Client, event: Event, call: str, body: str
) -> None:
    Event.objects.update(access=Event.Access.DRAFT)
    kind = "application/json"
    assert staff_client.post(f"/api/v1/events/city-run/{call}", body, content_type=kind).status_code == 200
    response = staff_client.post(f"/api/v1/events/nosuch/{call}", body, content_type=kind)
    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")


def test_a_storage_that_is_down_takes_nothing_and_says_so(
    staff_client: Client, event: Event, paint: Painter, dead_s3: None
) -> None:
    response = staff_client.post(UPLOAD, {"files": [upload_file(paint(RED), "a.png"), upload_file(paint(), "b.png")]})
    assert (response.status_code, response.json()["code"]) == (503, "storage_unavailable")
    assert not Image.objects.exists()


def test_a_storage_that_fails_midway_keeps_what_it_took(
    staff_client: Client, event: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def disk_is_full(name: str, content: File[Any]) -> str:
        tried.append(name)
        if len(tried) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return save(name, content)

    tried: list[str] = []
    save = default_storage.save
    files = [(RED, "a.png"), (GREEN, "b.png"), (BLUE, "c.png")]

    def send() -> Any:
        return staff_client.post(UPLOAD, {"files": [upload_file(paint(who), name) for who, name in files]}).json()

    with monkeypatch.context() as patch:
        patch.setattr(default_storage, "save", disk_is_full, raising=False)
        answer = send()
    assert [file["file"] for file in answer["files"]] == ["a.png"]
    assert [(error["file"], error["code"]) for error in answer["errors"]] == [
        ("b.png", "storage_unavailable"),
        ("c.png", "storage_unavailable"),
    ]
    assert len(tried) == 2, "the third could only have waited in vain"
    assert send()["uploaded"] == 2
