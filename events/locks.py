"""Locks of the database's that go with our connection: whatever kills this process, they are free again at once."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "hashtextextended(%s, 0)"
"""The lock of a name, in SQL."""


@contextmanager
def held(name: str) -> Iterator[bool]:
    """Hold the lock of this name, unless somebody does; tells whether it is ours."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_try_advisory_lock({KEY})", [name])
        (ours,) = cursor.fetchone()
    try:
        yield ours
    finally:
        if ours:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_advisory_unlock({KEY})", [name])
