"""How fast do photos get in? The whole way, from files in a folder to persons in the database.

Three figures side by side, on one machine in one run, in photos per second:

- grabpic: `events.ingest.add` for every file, then `faces.pipeline.ingest`: originals, previews and thumbnails
  stored, faces written, persons grouped. The engine is loaded before.
- classic: photo by photo, `DeepFace.represent` on the file, and each face compared with all identities so far, as
  in `benchmarks.classic`; nothing is stored. The model is loaded before. On the first photos only, since it takes
  tens of seconds for each.
- limit: as many times as there are processors what one of them does if it does nothing but decode, make preview and
  thumbnail, detect and embed; by processor time.
"""

from __future__ import annotations

import os
import resource
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import numpy as np

from benchmarks import synthesis
from benchmarks.bare_steps import Sizes, seconds_per_photo
from benchmarks.classic import ClassicIdentities
from benchmarks.report import Figure
from events import ingest
from events.models import Event
from faces import looking, pipeline
from faces.engine import classic, get_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

LIMIT_SAMPLE = 10
SIZES = Sizes(looking.WORKING_SIDE, (looking.PREVIEW_SIDE, looking.THUMBNAIL_SIDE))


@dataclass(frozen=True, slots=True)
class Ingested:
    """What the pipeline did with all photos, and what it took."""

    photos: int
    faces: int
    seconds: float
    cpu_seconds: float
    peak_rss_mb: float


def synthesize(folder: Path, count: int) -> list[Path]:
    """Write so many synthetic photos, in processes of their own; those that are there already stay."""
    folder.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        return list(pool.map(partial(synthesis.make, folder), range(count)))


def measure(
    dataset: str, photos: Sequence[Path], engine: str, classic_photos: int, log: Callable[[str], object]
) -> list[Figure]:
    """Measure the pipeline, the limit, and the classic way on the first photos (0: not at all).

    Raises:
        EngineError: an engine cannot be used.
        PictureError: one of the photos the limit is measured on cannot be read.
    """
    log(f"grabpic: {len(photos)} photos, engine {engine}")
    ours = _run_pipeline(photos, engine)
    log(f"limit: {len(photos[:LIMIT_SAMPLE])} photos, one thread, times {os.cpu_count()}")
    steps = seconds_per_photo(photos[:LIMIT_SAMPLE], engine, SIZES)
    theirs = _run_classic(photos[:classic_photos], log) if classic_photos else None
    make = partial(Figure, "ingest", dataset)
    return [make(*values) for values in (*_our_values(ours, steps, theirs), *_limit_values(steps), *_classic(theirs))]


def _run_pipeline(photos: Sequence[Path], engine: str) -> Ingested:
    get_engine(engine).detect(np.zeros((64, 64, 3), np.uint8))
    event = Event.objects.create(slug="ingest", name="Ingest", engine=engine)
    started, cpu_started = time.perf_counter(), time.process_time()
    for path in photos:
        ingest.add_path(event, path)
    counts = pipeline.ingest(event)
    seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
    return Ingested(counts.images_processed, counts.faces_detected, seconds, cpu_seconds, _peak_rss_mb())


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
        ("grabpic", "photos_per_second", speed, "photos/s"),
        ("grabpic", "share_of_limit", speed / _limit(steps), "share"),
        ("grabpic", "cpu_ms", 1000 * ours.cpu_seconds / max(1, ours.photos), "ms/photo"),
        ("grabpic", "faces_per_photo", ours.faces / max(1, ours.photos), "faces"),
        ("grabpic", "peak_rss_mb", ours.peak_rss_mb, "MB"),
    ]
    return values if theirs is None else [*values, ("grabpic", "ratio_to_classic", speed / theirs, "times")]


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


def _peak_rss_mb() -> float:
    """Return the most memory that this process has held so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1_000_000 if sys.platform == "darwin" else 1000)
