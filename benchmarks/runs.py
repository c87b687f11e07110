"""One upload of the photos by a process of its own, looked at by workers; with or without processes that die."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Min
from django.utils.text import slugify

from benchmarks import victims
from benchmarks.following import Follower
from benchmarks.uploader import Uploader
from events.models import Event
from faces.progress import is_done

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path
    from random import Random
    from types import TracebackType
    from typing import Self

    from faces.crew import Crew

PATIENCE = 300.0
"""Seconds without another photo coming to an end, after which nothing more is expected."""

LOOK_EVERY = 0.5
"""Seconds between two counts of the photos."""

TICK = 0.02
"""Seconds between two looks at the processes."""

REST = 10.0
"""Seconds at most until the next one dies: processes that die again and again are started later and later."""

UPLOADING = 0.2
"""Seconds in which the uploader takes some files, and is killed at one of them."""

WORKER, SERVER, UPLOADER = "worker", "database server", "uploader"

IN_HAND = "worker with photos in hand"


class FaultsError(Exception):
    """The benchmark cannot do what it is to do; the message says why."""


@dataclass(frozen=True)
class Scene:
    """What all the runs have in common: so many worker processes, and the database server of the folder `data_dir`."""

    photos: Sequence[Path]
    engine: str
    workers: Crew
    processes: int
    data_dir: Path
    random: Random
    log: Callable[[str], object]


class Run:
    """The photos uploaded into an event of its own, by a process of its own."""

    def __init__(self, scene: Scene, name: str) -> None:
        self.event = Event.objects.create(slug=slugify(name), name=name, engine=scene.engine)
        self.uploader = Uploader(self.event.slug, scene.photos)
        self._scene = scene
        self._follower = Follower(self.event, len(scene.photos))
        self._looked = self._moved = time.monotonic()

    def __enter__(self) -> Self:
        self.uploader.__enter__()
        self._follower.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._follower.__exit__(kind, error, at)
        self.uploader.__exit__(kind, error, at)

    def settle(self) -> None:
        """Have the rest uploaded, and return when all is done, or nothing has moved for too long."""
        self.uploader.allowed = math.inf
        while not (self._is_stuck or (self.uploader.is_done and is_done(self.event))):
            self._tick()

    def seconds_per_photo(self) -> float:
        """Return how quickly the photos came to an end."""
        times = self.event.images.aggregate(first=Min("processed_at"), last=Max("processed_at"), count=Count("*"))
        return float((times["last"] - times["first"]).total_seconds() / times["count"])

    @property
    def _is_stuck(self) -> bool:
        return time.monotonic() - self._moved > PATIENCE

    def _tick(self) -> None:
        """See to the processes and let a moment pass."""
        self._scene.workers.keep_alive()
        self.uploader.tend()
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._looked, before = time.monotonic(), self._follower.done
            self._follower.look()
            if self._follower.done > before:
                self._moved = self._looked
        time.sleep(TICK)


class DisturbedRun(Run):
    """Processes die while photos are worked at; `killed` counts them. `pace`: seconds that a photo takes else.

    The uploader gets ahead by a portion of the photos for each of them only, so that the work lasts.
    """

    def __init__(self, scene: Scene, name: str, pace: float) -> None:
        super().__init__(scene, name)
        self.killed: Counter[str] = Counter()
        self._random, self._pace = scene.random, pace
        self._portion = 0

    def kill(self, todo: list[str]) -> None:
        """Kill the last one of the list and take it off, until the list or the photos are at an end."""
        self._portion = max(1, len(self._scene.photos) // (len(todo) + 2))
        while todo and not (self.uploader.is_done and self._is_idle):
            self.uploader.allowed = len(self.uploader.acknowledged) + self._portion
            if self._kill(todo[-1]):
                victim = todo.pop()
                self.killed[victim] += 1
                self._scene.log(f"killed the {victim}, {len(todo)} to come")
                self._rest()

    @property
    def _is_idle(self) -> bool:
        """Whether every photo that was allowed in is done."""
        is_waiting = self.uploader.is_done or self.uploader.is_held_up
        return is_waiting and not self.event.images.pending().exists()

    def _kill(self, victim: str) -> bool:
        """Kill it at a random moment while it is at work; tell whether there was one."""
        if victim == UPLOADER:
            return self._kill_uploader()
        if not self._is_moment_of_work():
            return False
        if victim == SERVER:
            victims.kill_server(self._scene.data_dir)
            return True
        in_hand = victims.kill_worker(self._random.choice(self._scene.workers.pids()))
        self.killed[IN_HAND] += bool(in_hand)
        return in_hand is not None

    def _kill_uploader(self) -> bool:
        before = len(self.uploader.acknowledged)
        self.uploader.allowed = math.inf
        while len(self.uploader.acknowledged) == before and not self.uploader.is_done:
            self._wait(TICK)
        self._wait(self._random.uniform(0, UPLOADING))
        if self.uploader.is_done:
            return False
        self.uploader.kill()
        return True

    def _rest(self) -> None:
        """Wait for a while, and until the workers are all there again."""
        self._wait(self._random.uniform(0, REST))
        while len(self._scene.workers.pids()) < self._scene.processes:
            self._wait(TICK)

    def _is_moment_of_work(self) -> bool:
        """Wait until photos are in hand, and then for a random while; tell whether there is still something to do."""
        while not victims.photos_in_hand():
            if self._is_idle:
                return False
            self._wait(TICK)
        self._wait(self._random.uniform(0, self._portion * self._pace))
        return self.event.images.pending().exists()

    def _wait(self, seconds: float) -> None:
        """Raise FaultsError where nothing moves any more."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._tick()
        if self._is_stuck:
            raise FaultsError(f"Nothing has moved for {PATIENCE:.0f} s: {self.event.images.pending().count()} pending.")
