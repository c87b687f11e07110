"""Following worker processes from outside, through the database that they write to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from faces.management.meter import Meter
from faces.progress import workers_alive

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from events.models import Event
    from faces.crew import Crew

POLL = 0.2
"""Seconds between two looks."""


def wait_until_up(workers: Crew, processes: int) -> None:
    """Return when so many workers have loaded their engine and shown a sign of life.

    Raises:
        CrewError: one of them gave up.
    """
    while workers_alive() < processes:
        workers.check()
        time.sleep(POLL)


class Follower:
    """How far the workers have come with an event of `total` photos; shows it on the command line."""

    def __init__(self, event: Event, total: int) -> None:
        self.done = 0
        self._event, self._total = event, total
        self._meter = Meter(event.name, total, "photo")

    def __enter__(self) -> Self:
        self._meter.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._meter.__exit__(kind, error, at)

    @property
    def share(self) -> float:
        """Of the photos that came to an end, when it was last looked."""
        return self.done / self._total

    def look(self) -> None:
        done = self._event.images.exclude(state="pending").count()
        self._meter.update(done - self.done)
        self.done = done
