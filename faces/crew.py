"""Worker processes: started, started again when they die, and stopped."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from faces.engine.network import THREADS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)

GRACE = 8
"""Seconds for a process to bring its photos to an end when it is asked to stop; it takes one or two. A grouping that
takes longer is cut off: it is one transaction, and will be done again."""

LONGEST_PAUSE = 30
"""Seconds before a process that dies again and again is started once more."""

STEADY = 10
"""A process that lived so many seconds did not die of its start: its successor need not wait."""

GAVE_UP = os.EX_CONFIG
"""The exit code of a process whose successor would give up, too."""

TRY_LATER = os.EX_TEMPFAIL
"""The exit code of a process that ended because the database was away."""

HOPELESS = 5
"""So many processes in a row that failed at once are enough."""

SESSION = "-c synchronous_commit=off -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=3"
"""PostgreSQL's settings for a worker. What it had not written to disk when the server fell over is done again; and a
machine that lost its power holds its photos for a minute, not for hours."""


class CrewError(Exception):
    """A process gave up, and its successor would, too; it has said why."""


@dataclass
class _Place:
    """Where one process works, and the one after it."""

    process: subprocess.Popen[bytes]
    started: float = field(default_factory=time.monotonic)
    deaths: int = 0
    start_again: float = 0.0

    def is_hopeless(self) -> bool:
        """Whether another process would fail, too. One that was killed, or that misses the database, says nothing."""
        code = self.process.poll() or 0
        return code == GAVE_UP or (code > 0 and code != TRY_LATER and self.deaths >= HOPELESS)


class Crew:
    """Processes of `manage.py worker --supervised …`, each on its share of the processors.

    They end with this process, whatever becomes of it: each watches its standard input.
    """

    def __init__(self, processes: int, *arguments: str) -> None:
        self._command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "worker", "--supervised", *arguments]
        self._environment = os.environ | same_site() | _share_of_the_machine(processes)
        self._places = [_Place(self._start()) for _ in range(processes)]

    def pids(self) -> list[int]:
        return [place.process.pid for place in self._places if place.process.poll() is None]

    def keep_alive(self) -> None:
        """Start again what died; to be called every now and then."""
        for place in self._places:
            if place.process.poll() is not None:
                self._replace(place)

    def check(self) -> None:
        """Raise CrewError if a process gave up, or each fails as soon as it starts; they have said why."""
        if any(place.is_hopeless() for place in self._places):
            raise CrewError("A worker process gave up; see above.")

    def stop(self) -> None:
        """Ask all to stop, wait until they have, and kill those that do not."""
        for place in self._places:
            place.process.terminate()
        deadline = time.monotonic() + GRACE
        for place in self._places:
            try:
                place.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                logger.warning("Worker process %s does not stop, and is killed", place.process.pid)
                place.process.kill()
                place.process.wait()

    def _replace(self, place: _Place) -> None:
        """Start a dead process's successor: at once, but later and later if they keep dying."""
        now = time.monotonic()
        if not place.start_again:
            place.deaths = place.deaths + 1 if now - place.started < STEADY else 0
            pause = min(LONGEST_PAUSE, 2 ** (place.deaths - 2)) if place.deaths > 1 else 0
            place.start_again = now + pause
            logger.warning("Worker process %s %s.", place.process.pid, _death(place.process.returncode))
        if now >= place.start_again:
            before = place.process.pid
            place.process, place.started, place.start_again = self._start(), now, 0.0
            logger.info("Worker process %s has taken the place of %s.", place.process.pid, before)

    def _start(self) -> subprocess.Popen[bytes]:
        # A session of its own: Ctrl-C reaches the parent alone, which then stops the crew.
        return subprocess.Popen(
            self._command, env=self._environment, stdin=subprocess.PIPE, start_new_session=True, cwd=settings.BASE_DIR
        )


@contextmanager
def at_work(processes: int, *arguments: str) -> Iterator[Crew]:
    """Have a crew inside the block."""
    crew = Crew(processes, *arguments)
    try:
        yield crew
    finally:
        crew.stop()


def end_with_parent() -> None:
    """Ask this process to stop, as SIGTERM does, when the one that started it is gone."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # nobody writes: it ends when the other side is gone
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def _death(code: int) -> str:
    return f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended (exit code {code})"


def same_site() -> dict[str, str]:
    """Return the environment in which a process works on the site that this one does, whatever .env says."""
    return {
        "GRABPIC_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        "EMBEDDED_POSTGRES_DIR": str(settings.EMBEDDED_POSTGRES_DIR),
        "STORAGE_PATH": str(settings.STORAGE_PATH),
    }


def _share_of_the_machine(processes: int) -> dict[str, str]:
    """Return the environment in which so many processes do not fight over the processors."""
    threads = str(max(1, (os.cpu_count() or 1) // processes))
    share = dict.fromkeys((THREADS_VARIABLE, "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), threads)
    # Else every thread keeps the memory of the largest photo it ever had.
    share |= {"MALLOC_ARENA_MAX": "2", "PGOPTIONS": f"{os.environ.get('PGOPTIONS', '')} {SESSION}".strip()}
    return {name: value for name, value in share.items() if name == "PGOPTIONS" or not os.environ.get(name)}
