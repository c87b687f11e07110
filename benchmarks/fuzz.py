"""Does any file break the site? Thousands of tampered pictures are sent to it, and looked at by workers.

They go to the API's upload, to its selfie and to the selfie's form of the website, over HTTP, from several clients at a
time, with hostile names and types. No answer may be 500 or missing, no process of the web server or of the crew may
die, and every photo that was taken must come to an end. A mutation that does harm is named with its number: with the
same seed, `benchmarks.mutations.mutation(seed, number)` is the same file.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import psutil

from benchmarks.following import POLL, wait_until_up
from benchmarks.mutations import mutation
from benchmarks.report import Figure
from benchmarks.sending import PAGE, SELFIE, UNANSWERED, UPLOAD, Answer, Sender
from benchmarks.throwaway import environment
from demo import server
from events.models import ApiKey, Event, Scope
from faces import crew
from faces.progress import is_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Found = dict[tuple[str, str, str], float]

SENDERS = 4
"""Clients at a time."""

PLACES = (UPLOAD, SELFIE, PAGE, UPLOAD, SELFIE)
"""Where they go, one after the other."""

PATIENCE = 400.0
"""Seconds without another photo coming to an end; a worker that hangs is ended after 300."""


class Watch:
    """Which processes live, and how much memory they ever had."""

    def __init__(self, workers: crew.Crew, site: server.Server) -> None:
        self.lost = 0
        self.peaks: dict[str, int] = {"gunicorn": 0, "worker": 0}
        self._workers, self._site = workers, psutil.Process(site.process.pid)
        self._known: dict[int, str] = self._alive()

    def look(self) -> None:
        """Count those that are gone, have the crew replace its own, and take down the memory of all others."""
        alive = self._alive()
        self.lost += len(self._known.keys() - alive.keys())
        self._known = alive
        for pid, kind in alive.items():
            with suppress(psutil.NoSuchProcess, FileNotFoundError):
                self.peaks[kind] = max(self.peaks[kind], _peak(pid))
        self._workers.keep_alive()

    def _alive(self) -> dict[int, str]:
        site = [self._site.pid, *(child.pid for child in self._site.children())] if self._site.is_running() else []
        return dict.fromkeys(site, "gunicorn") | dict.fromkeys(self._workers.pids(), "worker")


def _peak(pid: int) -> int:
    """Return the most memory that the process ever had, in bytes; where the kernel does not tell, what it has now."""
    with suppress(KeyError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(dict(line.split(":", 1) for line in status.splitlines())["VmHWM"].split()[0]) * 1024
    return int(psutil.Process(pid).memory_info().rss)


def measure(engine: str, mutations: int, seed: int, log: Callable[[str], object]) -> list[Figure]:
    """Measure inside a `throwaway_site`.

    Raises:
        CrewError: the workers cannot use the engine.
        ServerError: the web server does not start.
    """
    event = Event.objects.create(slug="fuzz", name="Fuzz", access=Event.Access.SELFIE, engine=engine)
    secret = ApiKey.objects.create_key(name="benchmark", scopes=list(Scope), every_event=True)[1]
    port, processes = server.free_port(), os.cpu_count() or 1
    with (
        TemporaryDirectory(prefix="grabpic_fuzz_") as folder,
        crew.at_work(processes) as workers,
        environment(_site(engine)),
        server.running(port, Path(folder) / "web.log") as site,
    ):
        wait_until_up(workers, processes)
        watch = Watch(workers, site)
        answers = _send_all(Sender(port, event.slug, secret), mutations, seed, watch, log)
        _settle(event, watch, log)
    found = {**of_answers(answers), **_of_photos(event), **_of_processes(watch)}
    return [Figure("fuzz", f"seed-{seed}", who, metric, value, unit) for (who, metric, unit), value in found.items()]


def _site(engine: str) -> dict[str, str]:
    """Return the environment of a server of this very site, which counts nobody's requests."""
    unlimited = dict.fromkeys(("LIMIT_REQUESTS", "LIMIT_SELFIES"), "")
    return crew.same_site() | unlimited | {"FACE_ENGINE": engine, "LOG_LEVEL": "WARNING"}


def _send_all(
    sender: Sender, mutations: int, seed: int, watch: Watch, log: Callable[[str], object]
) -> list[tuple[str, Answer]]:
    """Send them, and name those that were not answered as they should be."""

    def send(number: int) -> tuple[str, Answer]:
        place, made = PLACES[number % len(PLACES)], mutation(seed, number)
        answer = sender.send(place, made)
        if answer.status == UNANSWERED or answer.status >= 500:
            log(f"mutation {number} ({made.kind}) to {place}: {answer.status} {answer.code}")
        return place, answer

    with ThreadPoolExecutor(SENDERS) as pool:
        under_way = [pool.submit(send, number) for number in range(mutations)]
        while not all(each.done() for each in under_way):
            watch.look()
            time.sleep(POLL)
        return [each.result() for each in under_way]


def _settle(event: Event, watch: Watch, log: Callable[[str], object]) -> None:
    """Return when all photos have come to an end, or none does any more."""
    log(f"{event.images.pending().count()} photos are still pending …")
    before, moved = -1, time.monotonic()
    while not is_done(event) and time.monotonic() - moved < PATIENCE:
        if (pending := event.images.pending().count()) != before:
            before, moved = pending, time.monotonic()
        watch.look()
        time.sleep(POLL)
    watch.look()


def of_answers(answers: Iterable[tuple[str, Answer]]) -> Found:
    answers = list(answers)
    found: Found = {
        ("all", "mutations", "files"): len(answers),
        ("all", "answers_500", "answers"): sum(answer.status >= 500 for _, answer in answers),
        ("all", "unanswered", "files"): sum(answer.status == UNANSWERED for _, answer in answers),
        ("all", "slowest_ms", "ms"): 1000 * max((answer.seconds for _, answer in answers), default=0.0),
    }
    counts = Counter((place, f"{answer.status} {answer.code}") for place, answer in answers)
    return found | {(*which, "answers"): count for which, count in sorted(counts.items())}


def _of_photos(event: Event) -> Found:
    photos = event.images.values_list("state", "failure_code")
    counts = Counter(f"{state} {code or ''}".strip() for state, code in photos)
    found: Found = {("all", "unfinished", "photos"): event.images.pending().count()}
    return found | {("photos", state, "photos"): count for state, count in sorted(counts.items())}


def _of_processes(watch: Watch) -> Found:
    peaks: Found = {("all", f"peak_memory_mb_{kind}", "MB"): peak / 1e6 for kind, peak in watch.peaks.items()}
    most = max(watch.peaks.values()) / 1e6
    return {("all", "workers_lost", "processes"): watch.lost, ("all", "peak_memory_mb", "MB"): most, **peaks}
