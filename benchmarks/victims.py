"""SIGKILL for the database server, and for a worker, telling what it had in hand."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import psutil
from django.db import connection

from faces.claims import LOCKS

if TYPE_CHECKING:
    from pathlib import Path

LEAVING = 1.0
"""Seconds for the database to notice that a client is gone; it takes milliseconds, unless it works for it."""

_SESSIONS = """
SELECT pid, EXISTS (
    SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory' AND classid::bigint = %s
)
FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


def photos_in_hand() -> bool:
    """Tell whether any worker has."""
    return any(_sessions().values())


def kill_worker(pid: int) -> bool | None:
    """Kill the process; tell whether it had photos in hand, or return None where it was not even up."""
    before = _sessions()
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    left = _left(before)
    return any(before[session] for session in left) if left else None


def kill_server(data_dir: Path) -> None:
    """Kill the PostgreSQL server of the folder, every process of it at once."""
    postmaster = psutil.Process(int((data_dir / "postmaster.pid").read_text().split()[0]))
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=10)
    # Ours is dead as well; the next query starts the server again, if no worker has.
    connection.close()


def _sessions() -> dict[int, bool]:
    """Return the processes of the server that serve others than us, and whether each holds photos."""
    with connection.cursor() as cursor:
        cursor.execute(_SESSIONS, [LOCKS >> 32])
        return dict(cursor.fetchall())


def _left(before: dict[int, bool]) -> set[int]:
    deadline = time.monotonic() + LEAVING
    while not (left := before.keys() - _sessions().keys()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return left
