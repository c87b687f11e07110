"""Indexing an event while somebody waits for it."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.utils import timezone

from faces import crew, pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from events.models import Event, Image

POLL = 0.5
"""Seconds between two looks at what the processes have done."""

OVERLAP = timedelta(seconds=10)
"""A photo may appear so much later than the time that it bears."""


def usual_processes() -> int:
    """Return how many processes to index with: one for each processor.

    Only this one inside a transaction, as in tests: others would not see the photos.
    """
    return 1 if connection.in_atomic_block else os.cpu_count() or 1


@contextmanager
def indexing(event: Event, processes: int) -> Iterator[Callable[[], Iterator[list[Image]]]]:
    """Have the event's photos indexed inside the block, in so many processes; 1: in this one.

    Yield a function that goes on until nothing is pending any more, and yields the photos as they come to an end.

    Raises:
        EngineError, CrewError: the event's engine cannot be used; the photos stay pending.
    """
    if processes == 1:
        yield _Follower(event, lambda: _index_here(event)).follow
        return
    with crew.at_work(processes, "--event", event.slug) as workers:
        yield _Follower(event, lambda: _tend(workers)).follow


def _index_here(event: Event) -> None:
    pipeline.check_engine(event)
    if not pipeline.index_batch(event) and event.images.pending().exists():
        time.sleep(POLL)  # what is left is in others' hands, or waits for its next attempt


def _tend(workers: crew.Crew) -> None:
    workers.check()
    workers.keep_alive()
    time.sleep(POLL)


class _Follower:
    """Tells which photos have come to an end, whoever brought them there; `work` is done between two looks."""

    def __init__(self, event: Event, work: Callable[[], None]) -> None:
        self._event, self._work = event, work
        self._since = timezone.now()
        self._told: set[int] = set()

    def follow(self) -> Iterator[list[Image]]:
        pending = True
        while pending:
            self._work()
            pending = self._event.images.pending().exists()
            if done := self._new():
                yield done

    def _new(self) -> list[Image]:
        now = timezone.now()
        processed = self._event.images.filter(processed_at__gte=self._since).order_by("processed_at")
        new = [image for image in processed if image.pk not in self._told]
        self._told.update(image.pk for image in new)
        self._since = max(self._since, now - OVERLAP)
        return new
