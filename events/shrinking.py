"""Making pictures smaller, a few rows at a time, so that what is worked on stays in the processor's cache."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

_STRIP = 64
"""Rows that Pillow makes at once."""


def in_strips(
    size: tuple[int, int],
    new_size: tuple[int, int],
    strip: Callable[[int, int], Image.Image],
    finish: Callable[[Image.Image], Image.Image] = lambda small: small,
) -> Pixels:
    """Return a picture of this size at a new one, (height, width, 3), by Pillow, without copying the whole of it.

    `strip` gives the rows from one to another; `finish` makes them RGB, once they are small.
    """
    (width, height), (new_width, new_height) = size, new_size
    ratio = height / new_height
    # Further down, the mean of what a pixel covers is as good, and quicker.
    resampling = Image.Resampling.BOX if ratio > 2 else Image.Resampling.BILINEAR
    pixels = np.empty((new_height, new_width, 3), np.uint8)
    for top in range(0, new_height, _STRIP):
        end = min(top + _STRIP, new_height)
        first, last = top * ratio, min(end * ratio, height)
        # Bilinear filtering looks at pixels that lie one new pixel beyond.
        above, below = max(0, math.floor(first - ratio)), min(height, math.ceil(last + ratio))
        box = (0, first - above, width, last - above)
        pixels[top:end] = np.asarray(finish(strip(above, below).resize((new_width, end - top), resampling, box)))
    return pixels
