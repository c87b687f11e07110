"""Waits for the workers on behalf of a client that wants to hear the end of it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING

from django.utils import timezone

from events.models import Event
from faces.pipeline import Counts, counts_since
from faces.progress import is_done, workers_alive

if TYPE_CHECKING:
    from datetime import datetime

POLL_SECONDS = 0.25

NO_WORKER = "No worker is running: start one with `manage.py worker`."


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is pending, and every face has its person; the counts are those since the last such end was told."""

    counts: Counts


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The workers are still at it: `pending` photos wait, or, where that is 0, faces for their person."""

    counts: Counts
    pending: int


@dataclass(frozen=True, slots=True)
class NoWorker:
    """There is work, and nobody does it."""

    pending: int


def wait_for_workers(event: Event, seconds: float) -> Done | Unfinished | NoWorker:
    """Wait, at most so long, until the workers have nothing more to do for the event.

    The counts are of all that was processed since the last `Done`, not since this call: workers begin while the photos
    are still being uploaded, and what they finished before the call would be told to nobody.
    """
    deadline = monotonic() + seconds
    while True:
        # Before the look at what is pending: nothing that comes to an end after it must be told now, and then again.
        now = timezone.now()
        if is_done(event) and not _moved_since(event, now):
            counts = counts_since(event, _told_until(event), now)
            Event.objects.filter(pk=event.pk).update(ingest_told_at=now)
            return Done(counts)
        if not workers_alive():
            return NoWorker(event.images.pending().count())
        if monotonic() >= deadline:
            return Unfinished(counts_since(event, _told_until(event)), event.images.pending().count())
        sleep(POLL_SECONDS)


def _moved_since(event: Event, time: datetime) -> bool:
    photos, persons = event.images.filter(processed_at__gte=time), event.faces.filter(created_at__gte=time)
    return photos.exists() or persons.exists()


def _told_until(event: Event) -> datetime:
    return event.ingest_told_at or event.created_at
