"""The default engines: YuNet finds the faces, FaceNet and SFace describe them, all on OpenVINO."""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

import numpy as np

from .base import BatchEngine, Detection, Embeddings, FaceEngine, RGBArray
from .calibration import MEASURED
from .network import give_back_memory
from .recognisers import FaceNet, SFace
from .yunet import YuNet

FACENET_WEIGHT: Final = 0.2
"""FaceNet's share of the similarity in `facenet+sface`. LFW, true accepts at one false in 10,000 and in 100,000 pairs:
0.977 and 0.946; with 0.15 0.977 and 0.949, but RBNR's runners were told apart less well than by FaceNet alone; with
0.25 fewer at 100,000; SFace alone 0.972 and 0.939. FaceNet is poor at faces of less than 60 pixels."""


class OpenVINOEngine(BatchEngine[tuple[RGBArray, ...]]):
    """One or two recognisers behind one detector. Safe to call from several threads.

    Two unit vectors are joined with the roots of their weights, so that the cosine of joint vectors is the
    weighted mean of their cosines.
    """

    def __init__(self, name: str, recognisers: Sequence[tuple[FaceNet | SFace, float]]) -> None:
        self.name = name
        self.dimension = sum(recogniser.dimension for recogniser, _ in recognisers)
        self.calibration = MEASURED[name]
        self._detector = _yunet()
        self._recognisers = recognisers

    def detect(self, image: RGBArray) -> list[Detection]:
        """Return the faces of the picture, best score first."""
        return self._detector.detect(image)

    def _cut(self, image: RGBArray, faces: Sequence[Detection]) -> Iterable[tuple[RGBArray, ...]]:
        """Return each face once for every recogniser."""
        return (tuple(recogniser.cut(image, face) for recogniser, _ in self._recognisers) for face in faces)

    def _describe(self, crops: Sequence[tuple[RGBArray, ...]]) -> Embeddings:
        parts = [
            recogniser.describe(seen) * np.float32(weight**0.5)
            for (recogniser, weight), seen in zip(self._recognisers, zip(*crops, strict=True), strict=True)
        ]
        return np.hstack(parts)


def build(name: str) -> FaceEngine:
    """Return the engine; its networks are shared with the other engines of this module.

    Raises EngineError (permanent) where weights are missing.
    """
    engine = OpenVINOEngine(name, _recognisers(name))
    give_back_memory()
    return engine


def _recognisers(name: str) -> list[tuple[FaceNet | SFace, float]]:
    match name:
        case "facenet":
            return [(_facenet(), 1.0)]
        case "sface":
            return [(_sface(), 1.0)]
        case _:
            return [(_facenet(), FACENET_WEIGHT), (_sface(), 1 - FACENET_WEIGHT)]


_yunet = cache(YuNet)
_facenet = cache(FaceNet)
_sface = cache(SFace)
