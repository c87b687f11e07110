"""Where an event stands: photos by state, the rate, the time left, what failed, and who is at work."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import Count, Min
from django.db.models.functions import Now
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateWorker

from events.models import Image
from faces.models import Embedding

if TYPE_CHECKING:
    from events.models import Event

RATE_WINDOW = timedelta(seconds=60)
"""The rate is that of the last minute."""

SHORTEST_RUN = 1.0
"""Seconds that a run lasts at least: several photos written at the same moment are no rate of thousands."""

HEARTBEAT_TIMEOUT = timedelta(seconds=20)
"""A worker that was silent for so long is dead: procrastinate's workers say every 5 seconds that they are there."""

FAILED_SHOWN = 100

DECODED = frozenset({"engine_failed"})
"""Codes of failures that come after decoding, when the photo has its thumbnail already."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Photos that failed for the same reason: `code` is stable, `reason` the sentence of one of them."""

    code: str
    reason: str
    count: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an event's photos have come.

    `images` is the sum of the four states, `faces` counts faces seen, `workers` worker processes alive, on whatever
    machine. `seconds_left` is None when nothing is pending or nothing was processed in the last minute. `failures` has
    the most frequent first, `failed_images` the first 100 photos that failed.
    """

    images: int
    pending: int
    indexed: int
    no_face: int
    failed: int
    faces: int
    persons: int
    photos_per_second: float
    seconds_left: int | None
    workers: int
    failures: list[Failure]
    failed_images: list[Image]


def progress(event: Event) -> Progress:
    """Return where the event stands, in a fixed number of queries that are quick at 100,000 photos."""
    states = event.images.all().by_state()
    rate = photos_per_second(event)
    return Progress(
        images=sum(states.values()),
        **states,
        faces=Embedding.objects.filter(event=event).count(),
        persons=event.faces.count(),
        photos_per_second=round(rate, 2),
        seconds_left=math.ceil(states[Image.State.PENDING] / rate) or None if rate else None,
        workers=workers_alive(),
        failures=_failures(event),
        failed_images=list(event.images.failed().order_by("pk")[:FAILED_SHOWN]),
    )


def is_done(event: Event) -> bool:
    """Tell whether no photo of the event is pending and no face lacks its person."""
    faces = Embedding.objects.filter(event=event, engine=event.engine)
    return not event.images.pending().exists() and not faces.filter(image_face__face=None).exists()


def photos_per_second(event: Event) -> float:
    """Return the rate of the last minute, or since its first photo where a run has just begun; 0.0 when idle."""
    now = timezone.now()
    recent = event.images.filter(processed_at__gt=now - RATE_WINDOW)
    found = recent.aggregate(count=Count("*"), first=Min("processed_at"))
    if not found["count"]:
        return 0.0
    return float(found["count"] / max(SHORTEST_RUN, (now - found["first"]).total_seconds()))


def workers_alive() -> int:
    """Return how many worker processes have shown a sign of life lately, by the clock of the database."""
    return ProcrastinateWorker.objects.filter(last_heartbeat__gt=Now() - HEARTBEAT_TIMEOUT).count()


def _failures(event: Event) -> list[Failure]:
    by_code = event.images.failed().order_by().values_list("failure_code")
    rows = by_code.annotate(reason=Min("failure_reason"), count=Count("*")).order_by("-count", "failure_code")
    return [Failure(*row) for row in rows]
