"""Ingest, and where an event stands, over the API."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone

from conftest import BLUE, GREEN, RED, new_key
from events.models import Event, Image
from faces import pipeline
from faces.gallery import Grant
from faces.models import ImageFace
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

INGEST, PROGRESS = "/api/v1/ingest", "/api/v1/events/city-run/progress"


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
    key = new_key("camera")
    assert client.post(INGEST, headers={"Authorization": f"Api-Key {key}"}).status_code == 200


@pytest.mark.parametrize(("method", "url"), [("post", INGEST), ("get", PROGRESS)])
def test_strangers_may_neither_ingest_nor_ask(client: Client, run: Event, member: User, method: str, url: str) -> None:
    def status_for(**headers: str) -> int:
        return int(getattr(client, method)(url, headers=headers).status_code)

    assert status_for() == 401
    assert status_for(Authorization=f"Bearer {Grant(run.pk, ()).to_token()}") == 401
    client.force_login(member)
    assert status_for() == 403


def test_a_body_that_cannot_be_read_is_refused(staff_client: Client, event: Event) -> None:
    response = staff_client.post(INGEST, b"[" * 100_000, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.usefixtures("frozen")
def test_the_api_answers_all_of_it(staff_client: Client, event: Event, add: Callable[..., Image]) -> None:
    decoded, broken = add("decoded.png", RED), add("broken.png", GREEN)
    Image.objects.filter(pk=decoded.pk).update(state="failed", failure_code="engine_failed", failure_reason="Later.")
    Image.objects.filter(pk=broken.pk).update(state="failed", failure_code="truncated", failure_reason="It is cut off.")
    Image.objects.filter(pk=broken.pk).update(processed_at=timezone.now() - timedelta(seconds=2))
    listed(event, 2)
    thumbnail = reverse("api-storage", args=[decoded.key_of("thumbnail")])
    assert staff_client.get(PROGRESS).json() == {
        "images": 4,
        "pending": 2,
        "indexed": 0,
        "no_face": 0,
        "failed": 2,
        "faces": 0,
        "persons": 0,
        "photos_per_second": 0.5,
        "seconds_left": 4,
        "workers": 0,
        "failures": [
            {"code": "engine_failed", "reason": "Later.", "count": 1},
            {"code": "truncated", "reason": "It is cut off.", "count": 1},
        ],
        "failed_images": [
            {
                "image_id": str(decoded.image_id),
                "file_name": "decoded.png",
                "code": "engine_failed",
                "reason": "Later.",
                "thumbnail": thumbnail,
            },
            {
                "image_id": str(broken.image_id),
                "file_name": "broken.png",
                "code": "truncated",
                "reason": "It is cut off.",
                "thumbnail": None,
            },
        ],
    }


def test_the_thumbnail_of_a_photo_that_was_decoded_can_be_fetched(staff_client: Client, run: Event) -> None:
    Image.objects.filter(file_name="red.png").update(state="failed", failure_code="engine_failed")
    address = staff_client.get(PROGRESS).json()["failed_images"][0]["thumbnail"]
    assert staff_client.get(address)["Content-Type"] == "image/jpeg"


def test_progress_is_for_staff_and_api_keys(client: Client, event: Event, member: User) -> None:
    Event.objects.update(access=Event.Access.DRAFT)
    assert client.get(PROGRESS).status_code == 401
    key = new_key("camera")
    assert client.get(PROGRESS, headers={"Authorization": f"Api-Key {key}"}).status_code == 200
    client.force_login(member)
    assert client.get(PROGRESS).status_code == 403


@pytest.mark.parametrize("slug", ["nosuch", "a%00b", "..x"])
def test_progress_of_an_unknown_event(staff_client: Client, event: Event, slug: str) -> None:
    response = staff_client.get(f"/api/v1/events/{slug}/progress")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")
