"""How fast is a large event grouped, and how well? The faces are a synthetic crowd's, written without pictures.

A tenth of them is there and consolidated before the clock starts. The rest arrives in batches, each of which is
grouped, and no consolidation comes between: `faces_per_second` counts these groupings alone, and `_last_tenth` the last
tenth of them, when the event is largest. Then everything is consolidated in a process of its own, which does nothing
else: `peak_rss_mb` is the most memory it ever held, with the engine loaded as in a worker. The grouping is judged
before (`_incremental`) and after that.
"""

from __future__ import annotations

import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import django
import numpy as np

from benchmarks import metrics, population
from benchmarks.arrival import groups
from benchmarks.memory import Memory
from benchmarks.population import FACES_PER_PHOTO, Crowd
from benchmarks.report import Figure
from benchmarks.throwaway import environment
from events.models import Event
from faces import crew, grouping
from faces.engine import get_engine

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Figures = dict[tuple[str, str], float]

SEED = 1

FIRST = 0.1
"""This share of the photos is there before the clock starts."""


def measure(faces: int, people: int, batch: int, engine: str, log: Callable[[str], object]) -> list[Figure]:
    """Measure an event of so many faces, stamped with the engine whose thresholds are to be used.

    Raises:
        DatasetError: there are not enough people or faces for a photo.
        EngineError: the engine cannot be used.
    """
    crowd = Crowd(faces, people, SEED)
    event = Event.objects.create(slug="crowd", name="Crowd", engine=engine)
    persons = crowd.persons.ravel()
    keys, seconds = _arrive(event, crowd, max(1, batch // FACES_PER_PHOTO), log)
    values = _speed(seconds)
    values["bcubed_f_incremental", "share"] = _quality(persons, groups(event, keys))["bcubed_f", "share"]
    log(f"consolidating {len(keys)} faces …")
    values |= _consolidation(event)
    values |= _quality(persons, groups(event, keys))
    name = f"synthetic-{len(keys)}-{people}"
    return [Figure("grouping", name, "grabpic", metric, value, unit) for (metric, unit), value in values.items()]


def _arrive(
    event: Event, crowd: Crowd, batch: int, log: Callable[[str], object]
) -> tuple[list[int], list[tuple[int, float]]]:
    """Have the photos arrive; return the keys of all faces, and how many faces each batch has and how long it took."""
    first = math.ceil(len(crowd.persons) * FIRST)
    keys = population.add(event, crowd, crowd.persons[:first])
    log(f"grouping the first {len(keys)} faces …")
    grouping.consolidate(event)
    seconds = []
    for start in range(first, len(crowd.persons), batch):
        new = population.add(event, crowd, crowd.persons[start : start + batch])
        started = time.perf_counter()
        grouping.group(event)
        seconds.append((len(new), time.perf_counter() - started))
        keys += new
        log(f"{len(keys)} faces are in; the last {len(new)} took {seconds[-1][1]:.1f} s")
    return keys, seconds


def _speed(batches: list[tuple[int, float]]) -> Figures:
    last = batches[-math.ceil(len(batches) / 10) :]
    return {
        ("faces_per_second", "faces/s"): _rate(batches),
        ("faces_per_second_last_tenth", "faces/s"): _rate(last),
        ("batch_seconds_max", "s"): max(seconds for _, seconds in batches),
    }


def _rate(batches: list[tuple[int, float]]) -> float:
    return sum(count for count, _ in batches) / sum(seconds for _, seconds in batches)


def _quality(persons: NDArray[np.int64], found: NDArray[np.int64]) -> Figures:
    precision, recall = metrics.pairwise(persons, found)
    return {
        ("pairwise_precision", "share"): precision,
        ("pairwise_recall", "share"): recall,
        ("bcubed_f", "share"): metrics.f_score(*metrics.bcubed(persons, found)),
    }


def _consolidation(event: Event) -> Figures:
    context = get_context("spawn")
    with (
        environment(crew.same_site()),
        ProcessPoolExecutor(1, mp_context=context, initializer=django.setup) as pool,
    ):
        seconds, peak = pool.submit(_consolidate, event.pk).result()
    return {("consolidation_seconds", "s"): seconds, ("peak_rss_mb", "MB"): peak}


def _consolidate(key: int) -> tuple[float, float]:
    """Return the seconds it took, and the most memory this process ever held."""
    event, memory = Event.objects.get(pk=key), Memory([os.getpid()])
    get_engine(event.engine)
    started = time.perf_counter()
    grouping.consolidate(event)
    seconds = time.perf_counter() - started
    memory.sample(1.0)
    return seconds, memory.peak_mb()
