"""Counters for the metrics, which the processes of all machines add to."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from django.db import DatabaseError, connection, transaction

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_ADD = """
INSERT INTO events_tally (name, label, count, seconds)
SELECT %s, * FROM unnest(%s::text[], %s::bigint[], %s::float8[])
ON CONFLICT (name, label) DO UPDATE
SET count = events_tally.count + EXCLUDED.count, seconds = events_tally.seconds + EXCLUDED.seconds
"""


class Amount(NamedTuple):
    """How many times something was done, and how many seconds it took in all."""

    times: int = 1
    seconds: float = 0.0


def add(name: str, label: str = "", *, count: int = 1, seconds: float = 0.0) -> None:
    """Count something that was done; `label` is one of a few, for the metrics list them all.

    Inside a transaction it is counted after its end, and not at all where that is rolled back: nobody shall wait for a
    counter. Where the database fails it is not counted, which the log says.
    """
    add_all(name, {label: Amount(count, seconds)})


def add_all(name: str, amounts: Mapping[str, Amount]) -> None:
    """Count several labels in one statement; as `add`."""
    if amounts:
        # In the same order everywhere: two processes that add to the same rows must not wait for each other.
        transaction.on_commit(partial(_write, name, sorted(amounts.items())))


def _write(name: str, amounts: list[tuple[str, Amount]]) -> None:
    labels = [label for label, _ in amounts]
    counts, seconds = zip(*(amount for _, amount in amounts), strict=True)
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ADD, [name, labels, list(counts), list(seconds)])
    except DatabaseError:
        logger.warning("Not counted in the metrics: %s of %s", ", ".join(labels), name, exc_info=True)
