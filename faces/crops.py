"""Faces cut out of their photos, for staff to look at."""

from __future__ import annotations

import math
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.storage import default_storage
from PIL import Image as Picture

from events import pictures
from events.models import Image
from faces.looking import PREVIEW_SIDE, as_before

if TYPE_CHECKING:
    from faces.models import ImageFace

SIDE = 160
"""Pixels of a crop, which is a square."""

MARGIN = 1.5
"""The square's side, in longer sides of the face's box."""

ENOUGH = 60
"""A face of fewer pixels in the preview is cut out of the original, where that is larger."""

_decoding = BoundedSemaphore(2)
"""Browsers ask for many crops at once, and an original takes hundreds of megabytes while it is decoded."""


def crop(face: ImageFace) -> bytes:
    """Return a JPEG file of SIDE x SIDE pixels: the face, and some of what is around it.

    Raises:
        FileNotFoundError: the photo's file is not there.
        OSError: the storage fails.
        PictureError: the photo's file is damaged.
    """
    box = _square(face)
    long_side = max(face.image.width, face.image.height)
    # So that the square has at least the pixels of the crop, where the file has them.
    at_least = math.ceil(long_side * SIDE / (box[2] - box[0]))
    with _decoding:
        pixels = _pixels(face, at_least)
    scale = max(pixels.shape[:2]) / long_side
    left, top, right, bottom = (side * scale for side in box)
    small = Picture.fromarray(pixels).resize((SIDE, SIDE), Picture.Resampling.BICUBIC, (left, top, right, bottom))
    return pictures.to_jpeg(np.asarray(small))


def _square(face: ImageFace) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a square around the face that lies within its photo."""
    width, height = face.image.width, face.image.height
    side = max(1.0, min(MARGIN * max(face.width, face.height), width, height))
    left = min(max(0.0, face.x + (face.width - side) / 2), width - side)
    top = min(max(0.0, face.y + (face.height - side) / 2), height - side)
    return left, top, left + side, top + side


def _pixels(face: ImageFace, at_least: int) -> pictures.Pixels:
    """Return the upright photo in as many pixels as the crop needs."""
    image = face.image
    long_side = max(image.width, image.height)
    if min(face.width, face.height) * PREVIEW_SIDE < ENOUGH * long_side and long_side > PREVIEW_SIDE:
        return as_before(image, _load(image, Image.Rendition.ORIGINAL, at_least)).pixels
    return _load(image, Image.Rendition.PREVIEW, at_least).pixels


def _load(image: Image, rendition: Image.Rendition, at_least: int) -> pictures.Picture:
    with default_storage.open(image.key_of(rendition)) as file:
        return pictures.load(file, at_least)
