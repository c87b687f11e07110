"""Waits for the workers on behalf of a client that wants to hear the end of it."""

from __future__ import annotations

from dataclasses import dataclass
from time import monotonic, sleep

from django.utils import timezone

from events.models import Event
from faces.models import Embedding
from faces.pipeline import Counts, counts_since
from faces.progress import workers_alive

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
        # Before the look at what is pending: what comes to an end after it is for the next call.
        now = timezone.now()
        if is_done(event):
            counts = _counts(event)
            Event.objects.filter(pk=event.pk).update(ingest_told_at=now)
            return Done(counts)
        if not workers_alive():
            return NoWorker(event.images.pending().count())
        if monotonic() >= deadline:
            return Unfinished(_counts(event), event.images.pending().count())
        sleep(POLL_SECONDS)


def is_done(event: Event) -> bool:
    """Tell whether no photo of the event is pending and no face lacks its person."""
    faces = Embedding.objects.filter(event=event, engine=event.engine)
    return not event.images.pending().exists() and not faces.filter(image_face__face=None).exists()


def _counts(event: Event) -> Counts:
    return counts_since(event, event.ingest_told_at or event.created_at)
