"""Does all that the site needs work? For whatever starts, watches or balances its processes."""

from __future__ import annotations

import logging
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, cast

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from faces.engine import get_engine
from faces.progress import HEARTBEAT_TIMEOUT, workers_alive
from grabpic_site.database_checks import OLDEST_PGVECTOR, is_too_old

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from events.storage import PhotoStorage

logger = logging.getLogger(__name__)

PATIENCE = 5.0
"""Seconds after which what does not answer does not work."""

FRESH = 5.0
"""Seconds for which an answer is given again: anybody may ask."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Whether a part works, and a sentence for strangers: without names of hosts, folders or people."""

    ok: bool
    detail: str


def database() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return Finding(True, "It answers.")


def pgvector() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        (version,) = cursor.fetchone() or (None,)
    if version is None:
        return Finding(False, "The database has no pgvector: run `manage.py migrate`.")
    if is_too_old(version):
        return Finding(False, f"pgvector {version} is too old: {OLDEST_PGVECTOR} is needed.")
    return Finding(True, f"pgvector {version}.")


def storage() -> Finding:
    cast("PhotoStorage", default_storage).ping()
    return Finding(True, "It answers.")


def queue() -> Finding:
    waiting = ProcrastinateJob.objects.filter(status="todo").count()
    if workers := workers_alive():
        return Finding(True, f"Workers: {workers}. Jobs that wait: {waiting}.")
    silence = round(HEARTBEAT_TIMEOUT.total_seconds())
    return Finding(False, f"No worker has been seen for {silence} s: start one. Jobs that wait: {waiting}.")


def engine() -> Finding:
    return Finding(True, f"{get_engine(settings.FACE_ENGINE).name} is loaded.")


CHECKS: Mapping[str, Callable[[], Finding]] = {
    check.__name__: check for check in (database, pgvector, storage, queue, engine)
}

NO_ANSWER = Finding(False, f"No answer within {PATIENCE:g} s.")
FAILS = Finding(False, "It fails; the log says why.")


@dataclass
class Readiness:
    """Looks at every part, all at once, and remembers for a moment what it saw."""

    checks: Mapping[str, Callable[[], Finding]] = field(default_factory=lambda: CHECKS)
    _findings: dict[str, Finding] = field(default_factory=dict)
    _looked_at: float = float("-inf")
    _looking: Lock = field(default_factory=Lock)
    _under_way: dict[str, Future[Finding]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._threads = ThreadPoolExecutor(len(self.checks), "readiness")

    def findings(self) -> dict[str, Finding]:
        """Return what was found, by part, at most some seconds ago; never takes much longer than `PATIENCE`."""
        if self._is_fresh():
            return self._findings
        # While somebody else looks, what was seen before will do, so that nobody can keep all threads waiting.
        if not self._looking.acquire(blocking=not self._findings):
            return self._findings
        try:
            if not self._is_fresh():
                self._findings, self._looked_at = self._look(), time.monotonic()
            return self._findings
        finally:
            self._looking.release()

    def _is_fresh(self) -> bool:
        return time.monotonic() - self._looked_at < FRESH

    def _look(self) -> dict[str, Finding]:
        for name, check in self.checks.items():
            # One that hangs is not asked again: each part has one thread.
            if name not in self._under_way or self._under_way[name].done():
                self._under_way[name] = self._threads.submit(_with_connection_of_its_own, check)
        wait(self._under_way.values(), PATIENCE)
        return {name: _outcome(name, self._under_way[name]) for name in self.checks}


def _with_connection_of_its_own(check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    finally:
        connection.close()


def _outcome(name: str, answer: Future[Finding]) -> Finding:
    if not answer.done():
        logger.warning("Not ready: %s does not answer", name)
        return NO_ANSWER
    if error := answer.exception():
        logger.warning("Not ready: %s fails", name, exc_info=error)
        return FAILS
    finding = answer.result()
    if not finding.ok:
        logger.warning("Not ready: %s: %s", name, finding.detail)
    return finding


SITE = Readiness()
