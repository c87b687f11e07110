"""Where faces were that had to be forgotten, so that nobody finds them there again: places in photos, no likeness.

A place is a box in the photo as its orientation tag turns it: which way up a face is depends on who finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from faces.engine import Box
from faces.models import Erased

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from events.models import Event, Image
    from faces.models import ImageFace

CERTAIN = 0.5
"""Intersection over union of two boxes that no two people's faces have in one photo."""

LIKELY = 0.3
"""The same of one face as two detectors draw it, or of two people cheek to cheek."""

TIMES_LARGER = 4.0
"""At most so many times the area of the other has a box that another detector draws around the same face."""

Size = tuple[int, int]
"""Width and height of a photo in pixels."""


def remember(event: Event, faces: Iterable[ImageFace]) -> None:
    """Write down where these faces (with their photos) are."""
    Erased.objects.bulk_create(_place(event, face) for face in faces)


def found_again(image: Image, found: Sequence[Box], size: Size, turns: int) -> set[int]:
    """Return which of these faces must not be written down, by their place in the sequence.

    `found` are boxes in the upright photo, which has this size, and was turned so often (`Image.turns`).
    """
    known = Erased.objects.filter(event=image.event_id, sha256=image.sha256).order_by("pk")
    boxes = [Box(*row) for row in known.values_list("x", "y", "width", "height")]
    return same_places(boxes, [laid_back(box, size, turns) for box in found]) if boxes else set()


def laid_back(box: Box, size: Size, turns: int) -> Box:
    """Return where a box is in a photo that so many quarter turns counter-clockwise gave this size."""
    width, height = size
    for _ in range(turns % 4):
        box = Box(height - box.y - box.height, box.x, box.height, box.width)
        width, height = height, width
    return box


def same_places(erased: Sequence[Box], found: Sequence[Box]) -> set[int]:
    """Return which of the faces found are the erased ones, by their place in the sequence.

    All that certainly are; and for an erased face without such a one the closest that may be, so that another detector
    does not bring it back, and of two people cheek to cheek the other one stays.
    """
    gone = {place for place, box in enumerate(found) if any(box.overlap(each) >= CERTAIN for each in erased)}
    for box in erased:
        if all(box.overlap(found[place]) < CERTAIN for place in gone):
            likely = [place for place, each in enumerate(found) if place not in gone and _may_be_one(box, each)]
            gone |= set(sorted(likely, key=lambda place: box.overlap(found[place]))[-1:])
    return gone


def _place(event: Event, face: ImageFace) -> Erased:
    image = face.image
    box = laid_back(Box(face.x, face.y, face.width, face.height), (image.width, image.height), image.turns)
    return Erased(event=event, sha256=image.sha256, x=box.x, y=box.y, width=box.width, height=box.height)


def _may_be_one(box: Box, other: Box) -> bool:
    areas = sorted((box.width * box.height, other.width * other.height))
    alike = areas[1] <= TIMES_LARGER * areas[0] and _has_centre(box, other) and _has_centre(other, box)
    return alike or box.overlap(other) >= LIKELY


def _has_centre(box: Box, other: Box) -> bool:
    """Tell whether the centre of the other box lies in this one."""
    x, y = other.x + other.width / 2, other.y + other.height / 2
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height
