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
    Places = NDArray[np.int_]

_STRIP = 64
"""Rows that Pillow makes at once."""

_BLOCK = 24
"""Rows that numpy makes at once: it needs more room for what lies between."""


def shrink(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return (height, width, 3) of larger pixels of that kind, RGB."""
    old_height, old_width = pixels.shape[:2]
    if all(1.5 < ratio <= 2 for ratio in (old_height / height, old_width / width)):
        return _by_means(pixels, width, height)
    return in_strips((old_width, old_height), (width, height), lambda top, end: Image.fromarray(pixels[top:end]))


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


def _by_means(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return the pixels at a size between half of theirs and two thirds, in half of Pillow's time.

    Each new pixel is taken to lie on an old one, or halfway between two: so it is moved by a quarter of an old pixel
    at most. Halfway, it is the mean of the two; on a pixel, that of the two means beside it, weights 1 2 1. That
    looks like bilinear filtering, and numpy takes 64 such means of bytes at a time.
    """
    old_height, old_width = pixels.shape[:2]
    rows = pixels.reshape(old_height, -1)
    rows_at, columns_at = _places(old_height, height), _places(old_width, width)
    small = np.empty((height, width, 3), np.uint8)
    for top in range(0, height, _BLOCK):
        at = rows_at[top : top + _BLOCK]
        small[top : top + _BLOCK] = _columns_at(columns_at, _rows_at(at, rows))
    return small


def _places(old: int, new: int) -> Places:
    """Return where the centres of the new pixels lie among the old ones, in halves of an old pixel."""
    places: Places = np.rint((2 * np.arange(new) + 1) * (old / new) - 1).astype(int)
    return places


def _rows_at(at: Places, rows: Pixels) -> Pixels:
    """Return the rows at these places, of (height, 3 * width)."""
    first = max(int(at[0]) // 2 - 1, 0)
    nearby = rows[first : int(at[-1]) // 2 + 2]
    between = _mean_up(nearby[:-1], nearby[1:])
    # Halfway, both are the same.
    above, below = (np.clip(place // 2 - first, 0, len(between) - 1) for place in (at - 1, at))
    return _mean_down(between[above], between[below])


def _columns_at(at: Places, rows: Pixels) -> Pixels:
    """Return the pixels at these columns, (height, len(at), 3), of rows of (height, 3 * width)."""
    length = rows.shape[1]
    both = np.empty((len(rows), 2 * length - 3), np.uint8)
    on, between = both[:, :length], both[:, length:]
    between[:] = _mean_down(rows[:, :-3], rows[:, 3:])
    on[:, :3], on[:, -3:] = rows[:, :3], rows[:, -3:]
    on[:, 3:-3] = _mean_up(between[:, :-3], between[:, 3:])
    # One item per pixel: numpy moves three bytes much faster than three times one.
    pixels: Pixels = both.view("V3").take(at // 2 + at % 2 * (length // 3), axis=1).view(np.uint8)
    return pixels.reshape(len(rows), len(at), 3)


def _mean_up(a: Pixels, b: Pixels) -> Pixels:
    """Return (a + b + 1) // 2. This and `_mean_down` take turns, so that pictures get neither brighter nor darker."""
    half_difference = a ^ b
    half_difference >>= 1
    mean = a | b
    mean -= half_difference
    return mean


def _mean_down(a: Pixels, b: Pixels) -> Pixels:
    """Return (a + b) // 2."""
    mean = a ^ b
    mean >>= 1
    mean += a & b
    return mean
