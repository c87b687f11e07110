"""A whole run as users have it: files added by this process, looked at by worker processes, through the queue."""

from __future__ import annotations

import io
import itertools
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psutil
from procrastinate.contrib.django.models import ProcrastinateJob

from benchmarks.following import POLL, Follower, wait_until_up
from benchmarks.memory import Memory
from events import ingest, queue
from events.models import Event
from faces import crew
from faces.claims import BATCH_SIZE
from faces.models import ImageFace
from faces.progress import is_done

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

LOOK_EVERY = 0.2
"""Seconds between two samples while photos are added."""


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of the photos, and what it took; `rss_growth` is None where the run was too short to tell."""

    photos: int
    faces: int
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    rss_growth: float | None


def run(photos: Sequence[Path], count: int, engine: str) -> Ingested:
    """Add so many photos, and return when all came to an end and every face has its person.

    The photos are taken again and again, each time made new by other bytes behind the end of the picture. The clock
    starts when every worker has loaded its engine and looked at photos of another event.

    Raises:
        CrewError: a worker cannot use the engine.
        psutil.NoSuchProcess: a worker died.
    """
    processes = os.cpu_count() or 1
    with crew.at_work(processes) as workers:
        wait_until_up(workers, processes)
        _warm_up(photos[0], engine, processes)
        return _Run(Event.objects.create(slug="ingest", name="Photos", engine=engine), workers).measure(photos, count)


class _Run:
    def __init__(self, event: Event, workers: crew.Crew) -> None:
        self._event = event
        self._pids = workers.pids()
        self._memory = Memory(self._pids)
        self._last_look = 0.0

    def measure(self, photos: Sequence[Path], count: int) -> Ingested:
        started, cpu_started = time.perf_counter(), self._cpu_seconds()
        with Follower(self._event, count) as follower:
            for path, ending in _supply(photos, count):
                _add(self._event, path, ending)
                self._look(follower)
            while not is_done(self._event):
                self._look(follower)
                time.sleep(POLL)
            self._last_look = 0
            self._look(follower)
        seconds, cpu_seconds = time.perf_counter() - started, self._cpu_seconds() - cpu_started
        faces = ImageFace.objects.filter(image__event=self._event).count()
        return Ingested(
            self._event.images.count(), faces, seconds, cpu_seconds, self._memory.peak_mb(), self._memory.growth()
        )

    def _look(self, follower: Follower) -> None:
        if (now := time.monotonic()) - self._last_look >= LOOK_EVERY:
            self._last_look = now
            follower.look()
            self._memory.sample(follower.share)

    def _cpu_seconds(self) -> float:
        """Return the processor time of this process and the workers."""
        times = [psutil.Process(pid).cpu_times() for pid in self._pids]
        return time.process_time() + sum(float(each.user + each.system) for each in times)


def _warm_up(photo: Path, engine: str, processes: int) -> None:
    """Return when every worker has had photos in hand, and all is quiet again."""
    event = Event.objects.create(slug="warm-up", name="Warm-up", engine=engine)
    numbers, at_work = itertools.count(1), set[int]()
    while len(at_work) < processes or not is_done(event):
        if len(at_work) < processes and not event.images.pending().exists():
            for number in itertools.islice(numbers, processes * BATCH_SIZE):
                _add(event, photo, _ending(number))
        jobs = ProcrastinateJob.objects.filter(task_name=queue.INDEX, status="doing")
        at_work.update(jobs.exclude(worker=None).values_list("worker", flat=True))
        time.sleep(POLL / 20)
    while ProcrastinateJob.objects.filter(task_name=queue.INDEX).exists():
        time.sleep(POLL)


def _supply(photos: Sequence[Path], count: int) -> Iterator[tuple[Path, bytes]]:
    """Yield each photo and what to put behind its end: nothing, the first time."""
    for number in range(count):
        rounds, place = divmod(number, len(photos))
        yield photos[place], _ending(rounds) if rounds else b""


def _ending(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _add(event: Event, path: Path, ending: bytes) -> None:
    if ending:
        ingest.add(event, io.BytesIO(path.read_bytes() + ending), path.name)
    else:
        ingest.add_path(event, path)
