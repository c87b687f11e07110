"""What cannot be left out of indexing a photo, step by step, on one thread: what the pipeline is measured against.

Runs in a process of its own, whose engine has one thread only.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

import django

from events import pictures
from faces import looking
from faces.claims import BATCH_SIZE
from faces.engine import get_engine, shrunken
from faces.engine.network import THREADS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from faces.engine import FaceEngine
    from faces.looking import Seen

    Step = tuple[str, float]


def seconds_per_photo(photos: Sequence[Path], engine: str) -> dict[str, float]:
    """Return the processor time of each step, mean over the photos: decode, renditions, detect, embed.

    Raises:
        EngineError: the engine cannot be used.
        PictureError: a photo cannot be read.
    """
    # Spawned, since a forked process would share the database connection and the engine's threads.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=django.setup) as pool:
        return pool.submit(_measure, photos, engine).result()


def _measure(photos: Sequence[Path], name: str) -> dict[str, float]:
    os.environ[THREADS_VARIABLE] = "1"
    engine = get_engine(name)
    batches = [photos[start : start + BATCH_SIZE] for start in range(0, len(photos), BATCH_SIZE)]
    list(_steps(engine, batches[0]))  # the first call of a network prepares it
    total: dict[str, float] = defaultdict(float)
    for batch in batches:
        for step, seconds in _steps(engine, batch):
            total[step] += seconds
    return {step: seconds / len(photos) for step, seconds in total.items()}


def _steps(engine: FaceEngine, batch: Sequence[Path]) -> Iterator[Step]:
    """Yield the steps of a batch of photos, whose faces are embedded together, as in the pipeline."""
    seen = []
    for path in batch:
        seen.append((yield from _looked_at(engine, path)))
    started = time.process_time()
    engine.embed_many([(photo.pixels, photo.detections) for photo in seen])
    yield "embed", time.process_time() - started


def _looked_at(engine: FaceEngine, path: Path) -> Generator[Step, None, Seen]:
    started = time.process_time()
    with path.open("rb") as file:
        picture = pictures.load(file, looking.WORKING_SIDE)
    yield "decode", -started + (started := time.process_time())
    preview = shrunken(picture.pixels, looking.PREVIEW_SIDE)
    list(looking.renditions(preview))
    yield "renditions", -started + (started := time.process_time())
    seen = looking.find_faces(engine, picture, preview)
    yield "detect", time.process_time() - started
    return seen
