"""The one face of a selfie, or of several selfies of one person, as a vector to search with."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, NamedTuple

import numpy as np
from django.conf import settings

from events import pictures
from faces import flaws
from faces.engine import shrunken
from faces.looking import scaled
from faces.quality import clarity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from faces.engine import Box, Detection, FaceEngine, RGBArray

SELFIE_SIDE = 1280
"""A selfie is looked at with at least this many pixels on its long side, where it has them."""

QUICK_SIDE = 800
QUICK_FACE = 100
"""Where somebody has so many pixels in a picture of that size, it is enough, and a third of the work. Portraits of LFW
as selfies of 1280 pixels, similarity to another photo of the same person in the mean: faces of a third of the width
0.658 with all pixels and 0.658 so, of a half 0.654 and 0.658, of a quarter 0.661 and 0.658; one in a hundred is found
in the one way alone, about as often as in the other."""

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


POINT = r"^([0-9]):([01](?:\.[0-9]{1,20})?),([01](?:\.[0-9]{1,20})?)\Z"
"""How `Meant` is written; a regular expression."""


class Meant(NamedTuple):
    """A point in the face that is meant, where a selfie (by its index) shows several; in shares of the picture."""

    selfie: int
    x: float
    y: float

    @classmethod
    def parse(cls, text: str) -> Meant:
        """Return the point that `<index>:<x>,<y>` stands for; ValueError for anything else."""
        if not (found := re.match(POINT, text)):
            raise ValueError(f"No point in a selfie: {text!r}")
        return cls(int(found[1]), float(found[2]), float(found[3]))

    def __str__(self) -> str:
        return f"{self.selfie}:{self.x:.4f},{self.y:.4f}"


class Share(NamedTuple):
    """A face's box in shares of the upright picture's width and height."""

    x: float
    y: float
    width: float
    height: float

    @classmethod
    def of(cls, box: Box, pixels: RGBArray) -> Share:
        height, width = pixels.shape[:2]
        return cls(box.x / width, box.y / height, box.width / width, box.height / height)

    def middle(self, selfie: int) -> Meant:
        """Return the point to choose this face by; a box may reach beyond the picture."""
        x, y = self.x + self.width / 2, self.y + self.height / 2
        return Meant(selfie, min(max(x, 0), 1), min(max(y, 0), 1))

    def has(self, point: Meant) -> bool:
        return 0 <= point.x - self.x <= self.width and 0 <= point.y - self.y <= self.height


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why there is no match: `code` is stable, `reason` is a sentence that says what to do.

    `selfie` is the index of the one that it is about; `faces` are those of `several_faces`, the likeliest first.
    """

    code: str
    reason: str
    selfie: int | None = None
    faces: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """The face of a selfie: a unit vector, and what its size brings to each similarity (`quality.clarity`).

    `agreement` is 1, or for several selfies the length of the mean of their vectors: a cosine to `embedding` times this
    is the mean of their similarities. `flaw` is what makes the face hard to recognise; it may be found all the same.
    `faces` are all in the selfie, this one first.
    """

    embedding: NDArray[np.float32]
    clarity: float
    flaw: NoMatch | None = None
    agreement: float = 1.0
    faces: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What selfies show: the probes to go on with, why the others are left out, and all faces of each selfie."""

    probes: list[Probe]
    left_out: list[NoMatch]
    faces: tuple[tuple[Share, ...], ...]


DIFFERENT_PEOPLE = NoMatch("different_people", "The selfies show different people. Send those of one person only.")


def read_all(engine: FaceEngine, selfies: Sequence[IO[bytes]], meant: Sequence[Meant] = ()) -> Reading:
    """Read each selfie by itself.

    A face that is hard to recognise is left out, where there is one without a flaw.

    Raises:
        EngineError: the engine cannot be used.
    """
    probes: list[Probe] = []
    left_out: list[NoMatch] = []
    faces = []
    for index, selfie in enumerate(selfies):
        found = read(engine, selfie, [point for point in meant if point.selfie == index])
        faces.append(found.faces)
        if isinstance(found, NoMatch):
            left_out.append(replace(found, selfie=index))
        else:
            probes.append(replace(found, flaw=found.flaw and replace(found.flaw, selfie=index)))
    if flawless := [probe for probe in probes if not probe.flaw]:
        left_out += [probe.flaw for probe in probes if probe.flaw]
    return Reading(flawless or probes, left_out, tuple(faces))


def combine(probes: Sequence[Probe], max_distance: float) -> Probe | NoMatch:
    """Return one probe for all of them, if each is within this cosine distance of another, so one person.

    It is as similar to a face as they are in the mean, in which a clear face counts more than a small one: together
    they are nearer to nobody than the best of them. Its clarity is a mean, too: small faces all look alike, and so do
    the means of small faces. docs/accuracy.md says what else was tried.
    """
    first, *others = probes
    if not others:
        return first
    vectors = np.stack([probe.embedding for probe in probes])
    similarities = vectors @ vectors.T
    np.fill_diagonal(similarities, -1)
    if similarities.max(axis=1).min() < 1 - max_distance:
        return first.flaw or DIFFERENT_PEOPLE
    clarities = np.array([probe.clarity for probe in probes], np.float32)
    mean = np.average(vectors, axis=0, weights=clarities)
    length = float(np.linalg.norm(mean))
    return Probe(mean / length, float(np.average(clarities, weights=clarities)), first.flaw, length)


def read(engine: FaceEngine, selfie: IO[bytes], meant: Iterable[Meant] = ()) -> Probe | NoMatch:
    """Return the face of the selfie that it was taken for, or say why there is none that can be compared.

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
    detected = detect(engine, pixels)
    found = _meant(pixels, detected, meant)
    if isinstance(found, NoMatch):
        return found
    flaw = flaws.flaw_of(pixels, found.box)
    if flaws.is_smeared(pixels, found.box):
        return _hard_to_recognise(flaw or "too_blurred")
    all_faces = [found, *(other for other in detected if other is not found)]
    return Probe(
        engine.embed(pixels, [found])[0],
        float(clarity(found.box.width, found.box.height)),
        _hard_to_recognise(flaw) if flaw else None,
        faces=tuple(Share.of(face.box, pixels) for face in all_faces),
    )


def _hard_to_recognise(flaw: str) -> NoMatch:
    return NoMatch(flaw, flaws.REASONS[flaw])


def detect(engine: FaceEngine, pixels: RGBArray) -> list[Detection]:
    """Return the faces of a selfie, looking at fewer pixels first: whoever takes one is large in it."""
    small = shrunken(pixels, QUICK_SIDE)
    found = engine.detect(small)
    if small is not pixels and max((min(face.box.width, face.box.height) for face in found), default=0) < QUICK_FACE:
        return engine.detect(pixels)
    factor = max(pixels.shape) / max(small.shape)
    return [scaled(face, factor) for face in found]


def _meant(pixels: RGBArray, found: list[Detection], meant: Iterable[Meant] = ()) -> Detection | NoMatch:
    """Return the face that the selfie was taken for: the one pointed at, else the one that stands out."""
    if not found:
        return NoMatch("no_face", "No face detected in the selfie. Face the camera, closer and in good light.")
    ranked = sorted(found, key=lambda face: _weight(pixels, face.box), reverse=True)
    boxes = [Share.of(face.box, pixels) for face in ranked]
    for face, box in zip(ranked, boxes, strict=True):
        if any(box.has(point) for point in meant):
            return face
    if len(ranked) > 1 and _weight(pixels, ranked[0].box) < CLEARLY_LARGER * _weight(pixels, ranked[1].box):
        reason = "Several faces detected. Take a selfie with only you in it."
        return NoMatch("several_faces", reason, faces=tuple(boxes))
    return ranked[0]


def _weight(pixels: RGBArray, box: Box) -> float:
    """Return the area of a face, less at the edge of the picture."""
    height, width = pixels.shape[:2]
    left, top = box.x / width, box.y / height
    right, bottom = left + box.width / width, top + box.height / height
    whole = min(left, top, 1 - right, 1 - bottom) > EDGE
    off_centre = ((left + right - 1) / 2) ** 2 + ((top + bottom - 1) / 2) ** 2
    return box.width * box.height * math.exp(-CENTRED * off_centre) * (1 if whole else CUT_OFF)
