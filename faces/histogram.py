"""How far apart the faces of an event are: those that grouping gave to one person, and those of different people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from faces.engine import calibration_of
from faces.thresholds import Thresholds, thresholds
from faces.vectors import embeddings_of, load

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from events.models import Event

SAMPLE: Final = 3000
"""So many faces, drawn at random, show the same picture as 150,000, in a fiftieth of the time."""

BLOCK_ROWS: Final = 256

BIN_WIDTH: Final = 0.02
BINS: Final = 60
"""From 0 to 1.2; what is further apart is in the last one."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of pairs by cosine distance, BINS of BIN_WIDTH each, among `faces` of the event's faces.

    Distances are what thresholds are compared with: of faces that show little they are larger. `strangers` is how many
    faces of strangers are expected within the sure distance of a selfie, by the engine's calibration.
    """

    same: tuple[int, ...]
    different: tuple[int, ...]
    faces: int
    limits: Thresholds
    strangers: float


def histogram(event: Event) -> Histogram:
    """Compare faces of the event that have a person, all or SAMPLE of them, with each other.

    Raises:
        EngineError: the event's engine cannot be used.
    """
    limits = thresholds(event)
    vectors, persons = _sample(event)
    same, different = _count(vectors, persons)
    strangers = calibration_of(event.engine).expected_false_matches(1 - limits.sure, limits.faces)
    return Histogram(tuple(same.tolist()), tuple(different.tolist()), len(persons), limits, strangers)


def _sample(event: Event) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return the vectors, each as long as its clarity, and the persons of faces drawn at random."""
    own = embeddings_of(event)
    # The keys first: vectors are large, and only these are wanted.
    drawn = list(own.order_by("?").values_list("pk", flat=True)[:SAMPLE])
    faces = load(own.filter(pk__in=drawn, image_face__face__isnull=False))
    return faces.embeddings, faces.persons


def _count(vectors: NDArray[np.float32], persons: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the histograms of the pairs of one person and of different people."""
    same, different = np.zeros(BINS, np.int64), np.zeros(BINS, np.int64)
    for start in range(0, len(persons), BLOCK_ROWS):
        distances = 1 - vectors[start : start + BLOCK_ROWS] @ vectors[start:].T
        bins = np.clip(distances / BIN_WIDTH, 0, BINS - 1).astype(np.int64)
        alike = persons[start : start + BLOCK_ROWS, None] == persons[start:]
        once = np.triu(np.ones_like(alike), 1)
        same += np.bincount(bins[once & alike], minlength=BINS)
        different += np.bincount(bins[once & ~alike], minlength=BINS)
    return same, different
