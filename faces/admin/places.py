"""Faces boxed on their photo: drawn in SVG, since the site's Content-Security-Policy allows no `style` attribute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from faces.models import ImageFace


@dataclass(frozen=True, slots=True)
class Place:
    """The box of a face, in percentages of the photo's sides, as attributes of SVG take them."""

    left: str
    top: str
    width: str
    height: str
    bottom: str


def place_of(face: ImageFace) -> Place:
    """Return where a face is in its photo, which is loaded."""
    photo = face.image
    return Place(
        left=_share(face.x, photo.width),
        top=_share(face.y, photo.height),
        width=_share(face.width, photo.width),
        height=_share(face.height, photo.height),
        bottom=_share(face.y + face.height, photo.height),
    )


def _share(part: float, whole: int) -> str:
    return f"{100 * part / whole:.3f}%"
