"""One look at a photo: decode it once, write its preview and thumbnail, find the faces. Touches no database."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from events import pictures
from events.models import Image
from faces.engine import Detection, EngineError, shrunken
from faces.steps import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from faces.engine import FaceEngine, RGBArray

WORKING_SIDE = 2048
"""Faces are cut out of a picture whose long side has at least this many pixels, where the photo has them."""

PREVIEW_SIDE, THUMBNAIL_SIDE = 1600, 400
"""Long sides in pixels; the faces are found in the preview."""

TURNED_SIDE = 640
"""A quick look is enough to see which way up a photo is."""

TURNED_SCORE = 0.85
"""A photo is turned only for a face as sure as this: three more looks are three more chances to see one in a bush."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a photo shows: `detections` in pixels of `pixels`, which are upright and `scale` times the original's size.

    `turns`: quarter turns counter-clockwise that brought the photo upright, beyond its orientation tag.
    """

    pixels: RGBArray
    scale: float
    turns: int
    detections: list[Detection]


@dataclass(frozen=True, slots=True)
class Failed:
    """The photo cannot be looked at: `code` is stable, `reason` is a sentence for people."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """The photo could not be looked at now: worth another attempt."""

    code: str
    reason: str


def look(engine: FaceEngine, image: Image) -> Seen | Failed | Postponed:
    """Return the faces of a photo, its preview and thumbnail written, or why there is nothing to return."""
    try:
        with timed("decode"), default_storage.open(image.storage_key) as file:
            picture = pictures.load(file, WORKING_SIDE)
        with timed("previews"):
            preview = shrunken(picture.pixels, PREVIEW_SIDE)
            _write_renditions(image, preview)
        with timed("detect"):
            seen = find_faces(engine, picture, preview)
        if seen.turns:
            _write_renditions(image, _turned(preview, seen.turns))
    except pictures.PictureError as error:
        return Failed(error.code, str(error))
    except FileNotFoundError:
        return Failed("file_missing", "The stored file is gone. Upload the photo again.")
    except EngineError as error:
        return engine_trouble(error)
    except OSError as error:
        return Postponed("storage_unavailable", f"The storage did not answer as it should: {error}"[:300])
    return seen


def find_faces(engine: FaceEngine, picture: pictures.Picture, preview: RGBArray) -> Seen:
    """Find the faces in the preview, to be cut out of the larger picture.

    Raises:
        EngineError: the engine could not look.
    """
    turns, found = 0, engine.detect(preview)
    if not found and not picture.has_orientation:
        turns, found = _found_in_a_turn(engine, preview)
    factor = max(picture.pixels.shape[:2]) / max(preview.shape[:2])
    return Seen(_turned(picture.pixels, turns), picture.scale, turns, [scaled(each, factor) for each in found])


def look_again(engine: FaceEngine, image: Image) -> Seen:
    """Return what an engine sees in a photo that was looked at before, the same way up; writes nothing.

    Raises:
        PictureError: the file cannot be read.
        OSError: the storage fails; FileNotFoundError: the original is not there, or its thumbnail.
        EngineError: the engine could not look.
    """
    with default_storage.open(image.storage_key) as file:
        picture = pictures.load(file, WORKING_SIDE)
    picture = as_before(image, picture)
    return find_faces(engine, picture, shrunken(picture.pixels, PREVIEW_SIDE))


def as_before(image: Image, picture: pictures.Picture) -> pictures.Picture:
    """Return a photo's original the way up that the first look found it to be, which its thumbnail shows."""
    if picture.has_orientation:
        return picture
    upright = _turned(picture.pixels, _turns_before(image, picture.pixels))
    return replace(picture, pixels=upright, has_orientation=True)


def renditions(preview: RGBArray) -> Iterator[tuple[Image.Rendition, bytes]]:
    """Yield the preview and the thumbnail as JPEG files."""
    yield Image.Rendition.PREVIEW, pictures.to_jpeg(preview)
    yield Image.Rendition.THUMBNAIL, pictures.to_jpeg(shrunken(preview, THUMBNAIL_SIDE))


def engine_trouble(error: EngineError) -> Failed | Postponed:
    """Return what a photo ends as that the networks stumbled over: it must not stop those behind it."""
    outcome = Failed if error.permanent else Postponed
    return outcome("engine_failed", str(error)[:300])


def scaled(found: Detection, factor: float) -> Detection:
    """Return the detection in a picture of so many times the size."""
    box = found.box
    return replace(
        found,
        box=type(box)(box.x * factor, box.y * factor, box.width * factor, box.height * factor),
        landmarks=tuple((x * factor, y * factor) for x, y in found.landmarks),
    )


def _found_in_a_turn(engine: FaceEngine, preview: RGBArray) -> tuple[int, list[Detection]]:
    """Return the quarter turns that show the faces upright, and the faces; (0, []) where none is sure enough."""
    small = shrunken(preview, TURNED_SIDE)
    scores = {turns: _sure_score(engine.detect(_turned(small, turns))) for turns in (1, 3, 2)}
    best = max(scores, key=scores.__getitem__)
    return (best, engine.detect(_turned(preview, best))) if scores[best] else (0, [])


def _turns_before(image: Image, pixels: RGBArray) -> int:
    """Return the quarter turns that the first look gave the photo: those that make it look like its thumbnail."""
    with default_storage.open(image.key_of(Image.Rendition.THUMBNAIL)) as file:
        upright = _squeezed(pictures.load(file, THUMBNAIL_SIDE).pixels)
    lying = _squeezed(pixels)
    return min((0, 2, 1, 3), key=lambda turns: float(np.square(np.rot90(lying, turns) - upright).sum()))


def _squeezed(pixels: RGBArray) -> NDArray[np.float32]:
    """Return the picture as (32, 32, 3), whatever its shape."""
    small = shrunken(pixels, 64)
    rows, columns = (np.linspace(0, side - 1, 32).round().astype(int) for side in small.shape[:2])
    squeezed: NDArray[np.float32] = small[rows][:, columns].astype(np.float32)
    return squeezed


def _sure_score(found: Sequence[Detection]) -> float:
    return sum(each.score for each in found if each.score >= TURNED_SCORE)


def _turned(pixels: RGBArray, turns: int) -> RGBArray:
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _write_renditions(image: Image, preview: RGBArray) -> None:
    for rendition, content in renditions(preview):
        # Overwrites: a run that died before it wrote its rows may have left the file.
        default_storage.save(image.key_of(rendition), ContentFile(content))
