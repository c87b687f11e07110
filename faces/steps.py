"""How long the steps of the work take, for the metrics."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from events import tallies
from events.tallies import Amount

if TYPE_CHECKING:
    from collections.abc import Iterator

STEP = "step"
"""The name of the tallies; their labels are the steps."""

_taken: ContextVar[dict[str, Amount] | None] = ContextVar("taken", default=None)


@contextmanager
def batch() -> Iterator[None]:
    """Add the steps that are timed inside to the tallies, all at once when the block ends."""
    taken: dict[str, Amount] = {}
    token = _taken.set(taken)
    try:
        yield
    finally:
        _taken.reset(token)
        tallies.add_all(STEP, taken)


@contextmanager
def timed(step: str, count: int = 1) -> Iterator[None]:
    """Take the time of a step that is done to so many photos, inside a `batch`; outside of one it does nothing."""
    start = time.perf_counter()
    try:
        yield
    finally:
        taken = _taken.get()
        if taken is not None:
            before = taken.get(step, Amount(0))
            taken[step] = Amount(before.times + count, before.seconds + time.perf_counter() - start)


@contextmanager
def counted(step: str) -> Iterator[None]:
    """Take the time of a step, and add it to the tallies."""
    with batch(), timed(step):
        yield
