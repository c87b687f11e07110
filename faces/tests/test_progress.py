"""Where an event stands."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from events.models import Event, Image
from faces.progress import FAILED_SHOWN, Failure, progress
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    Queries = Callable[[int], object]


def processed(event: Event, count: int, seconds_ago: float) -> None:
    listed(event, count, state="no_face", processed_at=timezone.now() - timedelta(seconds=seconds_ago))


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
