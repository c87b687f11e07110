"""Another engine's vectors for faces that were found before. Reads files, and no database."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from events import pictures
from faces.engine import Box, Detection, EngineError
from faces.looking import look_again, scaled
from faces.pipeline import check_embeddings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from events.models import Image
    from faces.engine import FaceEngine, RGBArray
    from faces.models import ImageFace

SAME_FACE = 0.3
"""Intersection over union from which two detectors have found the same face; they draw their boxes differently."""


@dataclass(frozen=True, slots=True)
class Described:
    """The vector of a face by the new engine."""

    face: ImageFace
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Missing:
    """A face that the new engine cannot describe: `reason` is a sentence for people."""

    face: ImageFace
    reason: str


@dataclass(frozen=True, slots=True)
class _Photo:
    """The upright pixels of a photo, and where its faces are in them."""

    pixels: RGBArray
    faces: list[tuple[ImageFace, Detection]]


def describe(engine: FaceEngine, photos: Iterable[tuple[Image, list[ImageFace]]]) -> Iterator[Described | Missing]:
    """Yield an answer for each of these faces; all photos are in memory at once.

    Raises:
        OSError: the storage fails; a file that is not there is the fault of its photo alone.
    """
    seen = []
    for image, faces in photos:
        photo = _look(engine, image, faces)
        if isinstance(photo, _Photo):
            seen.append(photo)
        else:
            yield from photo
    yield from _embed(engine, seen)


def _look(engine: FaceEngine, image: Image, faces: list[ImageFace]) -> _Photo | list[Missing]:
    try:
        seen = look_again(engine, image)
    except (pictures.PictureError, EngineError) as error:
        reason = str(error)
    except FileNotFoundError:
        reason = "A stored file is gone: `manage.py storage_audit` names it, and says what to do."
    else:
        stored = [scaled(_detection(face), seen.scale) for face in faces]
        return _Photo(seen.pixels, list(zip(faces, as_found(stored, seen.detections), strict=True)))
    return [Missing(face, reason) for face in faces]


def as_found(stored: Sequence[Detection], found: Sequence[Detection]) -> list[Detection]:
    """Return each stored face as the new detector found it; those that it did not find, as they are stored.

    A recogniser wants faces cut out as its own detector draws them, and some need landmarks that others do not give.
    """
    pairs = product(enumerate(stored), enumerate(found))
    overlaps = ((face.box.overlap(other.box), row, place) for (row, face), (place, other) in pairs)
    places: dict[int, int] = {}
    for overlap, row, place in sorted(overlaps, reverse=True):
        if overlap >= SAME_FACE and row not in places and place not in places.values():
            places[row] = place
    return [found[places[row]] if row in places else face for row, face in enumerate(stored)]


def _embed(engine: FaceEngine, photos: Sequence[_Photo]) -> Iterator[Described | Missing]:
    faces = [face for photo in photos for face, _ in photo.faces]
    try:
        vectors = engine.embed_many([(photo.pixels, [found for _, found in photo.faces]) for photo in photos])
        check_embeddings(vectors, len(faces), engine.dimension)
    except EngineError as error:
        if len(faces) == 1:
            yield Missing(faces[0], str(error))
            return
        # One by one, to find those that it is about.
        for alone in (_Photo(photo.pixels, [face]) for photo in photos for face in photo.faces):
            yield from _embed(engine, [alone])
    else:
        yield from (Described(face, vector) for face, vector in zip(faces, vectors, strict=True))


def _detection(face: ImageFace) -> Detection:
    landmarks = tuple((x, y) for x, y in face.landmarks)
    return Detection(Box(face.x, face.y, face.width, face.height), landmarks, face.score)
