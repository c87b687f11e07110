"""Vectors of two engines must not meet in an event: who writes faces and who changes the engine agree by a lock.

Not the lock of the event's row, which a grouping holds for minutes: workers must be able to write meanwhile.
"""

from __future__ import annotations

from django.db import connection

from events.models import Event

LOCKS = 0x67726165 << 32
"""Added to an event's primary key, so that the lock is nobody else's."""


def stays_engine(event_id: int, engine_name: str) -> bool:
    """Tell whether the event has this engine, and keep it so until the transaction ends.

    Does not wait: while the engine is being changed, the answer is no.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock_shared(%s)", [LOCKS + event_id])
        (is_ours,) = cursor.fetchone()
    return is_ours and Event.objects.filter(pk=event_id, engine=engine_name).exists()


def keep_writers_out(event_id: int) -> None:
    """Wait for those who are writing faces of the event, and let nobody begin until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCKS + event_id])
