"""The narrow waist between Grabpic and the face recognition libraries."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from .calibration import Calibration

RGBArray = NDArray[np.uint8]
"""Pixels of an upright picture: (height, width, 3), red first."""

Embeddings = NDArray[np.float32]
"""One embedding a row: (n, dimension), each row of unit length."""

Point = tuple[float, float]

BATCH: Final = 16
"""Faces a network sees at once; more do not make it faster."""


@dataclass(frozen=True, slots=True)
class Box:
    """A face's bounding box, in pixels of the upright picture, inside it."""

    x: float
    y: float
    width: float
    height: float

    def overlap(self, other: "Box") -> float:
        """Return the intersection over union of the two boxes, from 0 to 1."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        common = max(0.0, width) * max(0.0, height)
        return common / (self.width * self.height + other.width * other.height - common)


@dataclass(frozen=True, slots=True)
class Detection:
    """One face found in a picture; every coordinate is in pixels of that picture.

    `landmarks` are, as seen by the person: right eye, left eye, nose tip, right and left corner of the
    mouth. Some of DeepFace's detectors know the two eyes only, or nothing: then it is the first two,
    or empty.
    """

    box: Box
    landmarks: tuple[Point, ...]
    score: float


class EngineError(Exception):
    """The engine could not do its work.

    `permanent` says that trying again will not help (weights missing, model unknown).
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


def unit_rows(rows: NDArray[np.float32]) -> Embeddings:
    """Return the rows, each scaled to unit length; EngineError (permanent) for one that has no direction."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise EngineError("A network answered with a vector that is zero or not finite.", permanent=True)
    return np.asarray(rows / lengths, dtype=np.float32)


class FaceEngine(Protocol):
    """Finds the faces of a picture and describes each by a vector. Safe to call from several threads."""

    @property
    def name(self) -> str:
        """What `get_engine` was asked for; stored with every embedding."""

    @property
    def dimension(self) -> int:
        """Length of an embedding."""

    @property
    def calibration(self) -> Calibration:
        """How the cosine similarities of its embeddings are to be read."""

    def detect(self, image: RGBArray) -> list[Detection]:
        """Return the faces of the picture, best score first; [] is an answer, not an error."""

    def embed(self, image: RGBArray, faces: Sequence[Detection]) -> Embeddings:
        """Return (number of faces, dimension) unit rows, in the order given."""

    def embed_many(self, pictures: Sequence[tuple[RGBArray, Sequence[Detection]]]) -> Embeddings:
        """Return what `embed` gives for each picture, one below the other: (number of all faces, dimension).

        Quicker than a call for each picture, since a network takes less time for a face among others than for one
        alone.
        """


Crop = TypeVar("Crop")


def _batches(crops: Sequence[Crop]) -> Iterator[Sequence[Crop]]:
    """Yield the crops in batches of 16, 8, 4, 2 and 1: OpenVINO keeps 7 MB for every size that it has seen."""
    start = 0
    while start < len(crops):
        size = min(BATCH, 1 << (len(crops) - start).bit_length() - 1)
        yield crops[start : start + size]
        start += size


class BatchEngine(ABC, Generic[Crop]):
    """How every engine embeds: cut out the faces of all the pictures, then describe the crops in batches."""

    dimension: int

    def embed(self, image: RGBArray, faces: Sequence[Detection]) -> Embeddings:
        """See FaceEngine."""
        return self.embed_many([(image, faces)])

    def embed_many(self, pictures: Sequence[tuple[RGBArray, Sequence[Detection]]]) -> Embeddings:
        """See FaceEngine."""
        crops = [crop for image, faces in pictures for crop in self._cut(image, faces)]
        rows = [self._describe(batch) for batch in _batches(crops)]
        return np.vstack([np.empty((0, self.dimension), np.float32), *rows])

    @abstractmethod
    def _cut(self, image: RGBArray, faces: Sequence[Detection]) -> Iterable[Crop]:
        """Return what `_describe` wants to see of each face, without a view of the picture's pixels."""

    @abstractmethod
    def _describe(self, crops: Sequence[Crop]) -> Embeddings:
        """Return one unit row per crop, of 1 to BATCH crops."""
