"""What cannot be left out of indexing a photo, step by step, on one thread: what the pipeline is measured against.

Runs in a process of its own, whose engine has one thread only; imports no model, so that this needs no Django setup.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from events import pictures
from faces.engine import get_engine
from faces.engine.network import THREADS_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from faces.engine import FaceEngine


@dataclass(frozen=True, slots=True)
class Sizes:
    """The long sides of what is made of a photo, in pixels."""

    working: int
    renditions: tuple[int, ...]


def seconds_per_photo(photos: Sequence[Path], engine: str, sizes: Sizes) -> dict[str, float]:
    """Return the processor time of each step, mean over the photos: decode, renditions, detect, embed.

    Raises:
        EngineError: the engine cannot be used.
        PictureError: a photo cannot be read.
    """
    # Spawned, since a forked process would share the database connection and the engine's threads.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_limit_threads) as pool:
        return pool.submit(_measure, photos, engine, sizes).result()


def _limit_threads() -> None:
    os.environ[THREADS_VARIABLE] = "1"


def _measure(photos: Sequence[Path], name: str, sizes: Sizes) -> dict[str, float]:
    engine = get_engine(name)
    dict(_steps(engine, photos[0], sizes))  # the first call of a network prepares it
    total: dict[str, float] = defaultdict(float)
    for photo in photos:
        for step, seconds in _steps(engine, photo, sizes):
            total[step] += seconds
    return {step: seconds / len(photos) for step, seconds in total.items()}


def _steps(engine: FaceEngine, path: Path, sizes: Sizes) -> Iterator[tuple[str, float]]:
    started = time.process_time()
    with path.open("rb") as file:
        pixels = pictures.load(file, sizes.working).pixels
    yield "decode", -started + (started := time.process_time())
    pictures.to_jpegs(pixels, sizes.renditions)
    yield "renditions", -started + (started := time.process_time())
    found = engine.detect(pixels)
    yield "detect", -started + (started := time.process_time())
    engine.embed(pixels, found)
    yield "embed", time.process_time() - started
