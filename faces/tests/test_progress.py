"""Where an event stands, as a value and over the API."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse
from django.utils import timezone
from rest_framework_api_key.models import APIKey

from conftest import GREEN, RED
from events.models import Event, Image
from faces.progress import FAILED_SHOWN, Failure, progress
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client

    Queries = Callable[[int], object]

PROGRESS = "/api/v1/events/city-run/progress"


def processed(event: Event, count: int, seconds_ago: float) -> None:
    listed(event, count, state="no_face", processed_at=timezone.now() - timedelta(seconds=seconds_ago))


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass while a rate is measured."""
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def test_an_event_without_photos_stands_at_zero(event: Event) -> None:
    stand = progress(event)
    assert (stand.images, stand.pending, stand.faces, stand.persons, stand.workers) == (0, 0, 0, 0, 0)
    assert (stand.photos_per_second, stand.seconds_left) == (0.0, None)
    assert (stand.failures, stand.failed_images) == ([], [])


def test_photos_are_counted_by_state_for_this_event_only(run: Event, other_event: Event) -> None:
    listed(run, 3)
    listed(run, 2, state="failed", failure_code="truncated")
    listed(other_event, 5)
    stand = progress(run)
    assert (stand.images, stand.pending, stand.indexed, stand.no_face, stand.failed) == (9, 3, 3, 1, 2)
    assert (stand.faces, stand.persons) == (6, 3)
    assert progress(other_event).images == 5
    assert progress(other_event).faces == 0


@pytest.mark.usefixtures("frozen")
def test_the_rate_is_that_of_the_last_minute(event: Event) -> None:
    processed(event, 1000, seconds_ago=70)
    processed(event, 58, seconds_ago=59)
    processed(event, 60, seconds_ago=10)
    listed(event, 30)
    stand = progress(event)
    assert (stand.photos_per_second, stand.seconds_left) == (2.0, 15)


@pytest.mark.usefixtures("frozen")
def test_a_run_that_has_just_begun_shows_a_sensible_rate(event: Event) -> None:
    processed(event, 40, seconds_ago=4)
    assert progress(event).photos_per_second == 10.0


@pytest.mark.usefixtures("frozen")
def test_photos_written_at_the_same_moment_are_no_rate_of_thousands(event: Event) -> None:
    processed(event, 8, seconds_ago=0)
    assert progress(event).photos_per_second == 8.0


def test_the_time_left_is_unknown_while_nothing_moves_or_waits(event: Event) -> None:
    listed(event, 5)
    assert progress(event).seconds_left is None
    Image.objects.update(state="indexed", processed_at=timezone.now())
    assert progress(event).seconds_left is None


def test_only_workers_with_a_fresh_heartbeat_are_alive(event: Event, start_worker: Callable[..., None]) -> None:
    start_worker()
    start_worker(seconds_silent=15)
    start_worker(seconds_silent=25)
    assert progress(event).workers == 2


def test_failures_are_grouped_by_their_code_the_most_frequent_first(event: Event) -> None:
    listed(event, 1, state="failed", failure_code="crashed", failure_reason="It crashed.")
    listed(event, 1, state="failed", failure_code="too_large", failure_reason="It has 200 megapixels.")
    listed(event, 1, state="failed", failure_code="too_large", failure_reason="It has 300 megapixels.")
    assert progress(event).failures == [
        Failure("too_large", "It has 200 megapixels.", 2),
        Failure("crashed", "It crashed.", 1),
    ]


def test_the_first_failed_photos_are_listed(event: Event) -> None:
    photos = listed(event, FAILED_SHOWN + 1, state="failed", failure_code="crashed")
    assert progress(event).failed_images == photos[:FAILED_SHOWN]


def test_the_number_of_queries_is_fixed(run: Event, django_assert_num_queries: Queries) -> None:
    for code in ("crashed", "truncated", "engine_failed"):
        listed(run, 5, state="failed", failure_code=code)
    with django_assert_num_queries(7):  # type: ignore[attr-defined]
        progress(run)


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
    key = APIKey.objects.create_key(name="camera")[1]
    assert client.get(PROGRESS, headers={"Authorization": f"Api-Key {key}"}).status_code == 200
    client.force_login(member)
    assert client.get(PROGRESS).status_code == 403


@pytest.mark.parametrize("slug", ["nosuch", "a%00b", "..x"])
def test_progress_of_an_unknown_event(staff_client: Client, event: Event, slug: str) -> None:
    response = staff_client.get(f"/api/v1/events/{slug}/progress")
    assert (response.status_code, response.json()["code"]) == (404, "unknown_event")
