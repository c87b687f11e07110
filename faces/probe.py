"""The one face of a selfie, as a vector to search with."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING

from django.conf import settings

from events import pictures
from faces.quality import clarity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from faces.engine import Box, Detection, FaceEngine, RGBArray

SELFIE_SIDE = 1280
"""A selfie is looked at with at least this many pixels on its long side, where it has them."""

CLEARLY_LARGER = 2.0
"""A selfie may show others in the background; its face must cover this many times the area of the next one."""

CUT_OFF = 0.5
"""What the area of a face counts that the edge of the picture cuts off: that of somebody passing by."""

CENTRED = 4.0
"""Who takes a selfie is in the middle: an area counts exp(-4 r²), at a distance of r from there, in picture sides.

Of LFW's photos, 396 have several faces: 94 would be refused with the cut off ones at half their area, 20 with this,
and no neighbour is taken for the one meant. Two friends side by side are refused in any case."""

EDGE = 0.005
"""A box so near to the edge, as a share of the picture's side, touches it."""

_decoding = BoundedSemaphore(os.cpu_count() or 1)
"""A picture needs hundreds of megabytes while it is decoded, and anybody may send one."""


@dataclass(frozen=True, slots=True)
class Probe:
    """The face of a selfie: a unit vector, and what its size brings to each similarity (`thresholds.clarity`)."""

    embedding: NDArray[np.float32]
    clarity: float


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why there is no match: `code` is stable, `reason` is a sentence that says what to do."""

    code: str
    reason: str


def read(engine: FaceEngine, selfie: IO[bytes]) -> Probe | NoMatch:
    """Return the one face of the selfie, or say why there is none.

    Raises:
        EngineError: the engine cannot be used.
    """
    if selfie.seek(0, 2) > settings.MAX_SELFIE_MB * 1_000_000:
        return NoMatch("file_too_large", f"The selfie has more than {settings.MAX_SELFIE_MB} MB.")
    try:
        with _decoding:
            pixels = pictures.load(selfie, SELFIE_SIDE, settings.MAX_SELFIE_MEGAPIXELS).pixels
    except pictures.PictureError as error:
        return NoMatch(error.code, str(error))
    found = _meant(pixels, engine.detect(pixels))
    if isinstance(found, NoMatch):
        return found
    return Probe(engine.embed(pixels, [found])[0], float(clarity(found.box.width, found.box.height)))


def _meant(pixels: RGBArray, found: list[Detection]) -> Detection | NoMatch:
    """Return the face that the selfie was taken for."""
    if not found:
        return NoMatch("no_face", "No face detected in the selfie. Face the camera, closer and in good light.")
    first, *others = sorted(found, key=lambda face: _weight(pixels, face.box), reverse=True)
    if others and _weight(pixels, first.box) < CLEARLY_LARGER * _weight(pixels, others[0].box):
        return NoMatch("several_faces", "Several faces detected. Take a selfie with only you in it.")
    return first


def _weight(pixels: RGBArray, box: Box) -> float:
    """Return the area of a face, less at the edge of the picture."""
    height, width = pixels.shape[:2]
    left, top = box.x / width, box.y / height
    right, bottom = left + box.width / width, top + box.height / height
    whole = min(left, top, 1 - right, 1 - bottom) > EDGE
    off_centre = ((left + right - 1) / 2) ** 2 + ((top + bottom - 1) / 2) ** 2
    return box.width * box.height * math.exp(-CENTRED * off_centre) * (1 if whole else CUT_OFF)
