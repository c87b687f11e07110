"""How fast do photos get in? The whole way, from files in a folder to persons in the database.

Three figures side by side, on one machine in one run, in photos per second:

- grabpic: `events.ingest.add_path` for every file, and as many worker processes as there are processors, until every
  original, preview and thumbnail is stored, every face written and every face has its person. The workers have loaded
  their engine before. Memory is the workers' resident set size.
- classic: photo by photo, `DeepFace.represent` on the file, and each face compared with all identities so far, as
  in `benchmarks.classic`; nothing is stored. The model is loaded before. On the first photos only, since it takes
  tens of seconds for each.
- limit: as many times as there are processors what one of them does if it does nothing but decode, make preview and
  thumbnail, detect and embed; by processor time.
"""

from __future__ import annotations

import os
import time
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks import synthesis
from benchmarks.bare_steps import seconds_per_photo
from benchmarks.classic import ClassicIdentities
from benchmarks.crew_run import Ingested, run
from benchmarks.report import Figure
from faces.engine import classic

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LIMIT_SAMPLE = 16
"""Photos that the limit is measured on: two batches."""


def synthesize(folder: Path, count: int) -> list[Path]:
    """Write so many synthetic photos, in processes of their own; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(synthesis.make, folder), range(count)))


def measure(
    dataset: str,
    photos: Sequence[Path],
    engine: str,
    log: Callable[[str], object],
    *,
    repeat_to: int = 0,
    classic_photos: int = 0,
) -> list[Figure]:
    """Measure the pipeline, the limit, and the classic way on the first photos (0: not at all).

    The pipeline gets `repeat_to` photos, if that is more than there are: the same ones again, made new.

    Raises:
        CrewError: the workers cannot use the engine.
        EngineError: an engine cannot be used.
        PictureError: one of the photos the limit is measured on cannot be read.
    """
    count = max(len(photos), repeat_to)
    log(f"grabpic: {count} photos, engine {engine}, {os.cpu_count()} workers")
    ours = run(photos, count, engine)
    log(f"limit: {len(photos[:LIMIT_SAMPLE])} photos, one thread, times {os.cpu_count()}")
    steps = seconds_per_photo(photos[:LIMIT_SAMPLE], engine)
    theirs = _run_classic(photos[:classic_photos], log) if classic_photos else None
    make = partial(Figure, "ingest", dataset)
    return [make(*values) for values in (*_our_values(ours, steps, theirs), *_limit_values(steps), *_classic(theirs))]


def _run_classic(photos: Sequence[Path], log: Callable[[str], object]) -> float:
    """Return photos per second."""
    model = classic.classic_model()
    log(f"classic: {len(photos)} photos, DeepFace's {model}, detector {classic.DETECTOR}")
    classic.load_classic(model)
    identities: ClassicIdentities | None = None
    started = time.perf_counter()
    for path in photos:
        for vector in classic.represent_classic(path, model):
            identities = identities or ClassicIdentities(len(vector))
            identities.add(vector)
    return len(photos) / (time.perf_counter() - started)


Values = list[tuple[str, str, float, str]]
"""Subject, metric, value and unit."""


def _our_values(ours: Ingested, steps: dict[str, float], theirs: float | None) -> Values:
    speed = ours.photos / ours.seconds
    values = [
        ("photos_per_second", speed, "photos/s"),
        ("ratio_to_classic", theirs and speed / theirs, "times"),
        ("share_of_limit", speed / _limit(steps), "share"),
        ("cpu_ms", 1000 * ours.cpu_seconds / max(1, ours.photos), "ms/photo"),
        ("faces_per_photo", ours.faces / max(1, ours.photos), "faces"),
        ("peak_rss_mb", ours.peak_rss_mb, "MB"),
        ("rss_growth", ours.rss_growth, "share"),
    ]
    return [("grabpic", metric, value, unit) for metric, value, unit in values if value is not None]


def _limit_values(steps: dict[str, float]) -> Values:
    return [
        ("limit", "photos_per_second", _limit(steps), "photos/s"),
        ("limit", "cpu_ms", 1000 * sum(steps.values()), "ms/photo"),
        *(("limit", f"{step}_ms", 1000 * seconds, "ms/photo") for step, seconds in steps.items()),
    ]


def _classic(speed: float | None) -> Values:
    return [] if speed is None else [("classic", "photos_per_second", speed, "photos/s")]


def _limit(steps: dict[str, float]) -> float:
    return (os.cpu_count() or 1) / sum(steps.values())
