"""Who has which photo in hand.

A worker holds a lock of the database for each photo that it works on. It goes with the worker's connection: whatever
kills the worker, the photo is free again at once, and nobody has to guess how long to wait.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from events.models import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from events.models import Event

BATCH_SIZE = 8
"""Photos that one worker takes at once; their faces share a batch of the networks."""

LOOK_AHEAD = 512
"""So many due photos are looked at for some that are free: enough for 64 workers at one event."""

MAX_ATTEMPTS = 3

BACK_OFF = timedelta(seconds=10)
"""Between the first attempt at a photo and the second; four times as long before the third."""

LOCKS = 0x67726162 << 32
"""Added to a photo's primary key, so that the lock is nobody else's."""

_TAKE = """
WITH due AS MATERIALIZED (
    SELECT id FROM events_image
    WHERE event_id = %s AND state = 'pending' AND (retry_at IS NULL OR retry_at <= %s)
    ORDER BY id LIMIT %s
)
SELECT id FROM due WHERE pg_try_advisory_lock(%s + id) LIMIT %s
"""


@contextmanager
def claim(event: Event) -> Iterator[list[Image]]:
    """Hold up to `BATCH_SIZE` photos of the event that are pending, due and in nobody's hands; none: there are none."""
    keys = _take(event)
    try:
        # Another may have finished with one of them, or postponed it, between our look and our lock.
        yield list(event.images.due().filter(pk__in=keys))
    finally:
        _let_go(keys)


def begin_attempt(image: Image, *, after: Image | None) -> None:
    """Count an attempt, and set the time of the next one, before the photo is touched.

    A photo that kills its worker leaves no later moment. The one before it, if given, has come through, and is not the
    one to blame if the worker dies from now on.
    """
    image.attempts += 1
    image.retry_at = timezone.now() + BACK_OFF * 4 ** (image.attempts - 1)
    this = Q(pk=image.pk)
    Image.objects.filter(pk__in=[each.pk for each in (image, after) if each]).update(
        attempts=F("attempts") + Case(When(this, then=1), default=-1),
        retry_at=Case(When(this, then=Value(image.retry_at)), default=None),
    )


def _take(event: Event) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [event.pk, timezone.now(), LOOK_AHEAD, LOCKS, BATCH_SIZE])
        return [key for (key,) in cursor.fetchall()]


def _let_go(keys: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s + key) FROM unnest(%s::bigint[]) AS key", [LOCKS, keys])
