"""Painted selfies: faces of any colour and place, dark, small and blurred ones."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from events.pictures import Pixels

Colour = tuple[int, int, int]

YELLOW, DARK_BLUE = (220, 220, 0), (0, 0, 110)
"""Strangers to the event `run`, unless blue is in it."""


def selfie_of(colour: Colour, side: int = 120) -> io.BytesIO:
    """Paint one square face in the middle of 400 x 300 pixels."""
    pixels = _grey()
    top, left = (300 - side) // 2, (400 - side) // 2
    pixels[top : top + side, left : left + side] = colour
    return _file(pixels)


def blurred(colour: Colour) -> io.BytesIO:
    """Paint a face that has no fine details."""
    return _shaded(colour, 0.8 + 0.2 * np.sin(np.linspace(0, 5 * np.pi, 120)))


def smeared(colour: Colour) -> io.BytesIO:
    """Paint a face that fades from side to side, without any detail."""
    return _shaded(colour, np.linspace(0.6, 1, 120))


def _shaded(colour: Colour, rows: NDArray[np.float64]) -> io.BytesIO:
    pixels = _grey()
    pixels[90:210, 140:260] = np.round(rows[:, None] * np.array(colour)).astype(np.uint8)[:, None]
    return _file(pixels)


def upload(*selfies: io.BytesIO, name: str = "me.png") -> list[SimpleUploadedFile]:
    return [SimpleUploadedFile(name, selfie.getvalue(), "image/png") for selfie in selfies]


def _grey() -> Pixels:
    return np.full((300, 400, 3), 128, np.uint8)


def _file(pixels: Pixels) -> io.BytesIO:
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "PNG")
    file.seek(0)
    return file
