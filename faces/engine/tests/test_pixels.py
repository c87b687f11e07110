"""Smaller pictures look like the large ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from faces.engine import shrunken

RATIOS = [1.05, 1.3, 1.6, 1.875, 2, 2.5, 4, 6]


def waves() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return (480, 720, 3) pixels with something in every direction and at every brightness."""
    down, right = np.mgrid[0:480, 0:720]
    layers = [down * right / 1500, 40 * down / 9, down / 5 + 300 * np.sin(right / 40)]
    return np.stack([127 + 127 * np.sin(layer / 30) for layer in layers], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_shrunk_picture_is_like_a_slowly_and_well_shrunk_one(ratio: float) -> None:
    small = shrunken(waves(), round(720 / ratio)).astype(int)
    well = np.asarray(Image.fromarray(waves()).resize(small.shape[1::-1], Image.Resampling.LANCZOS), int)
    assert small.shape == (round(480 / ratio), round(720 / ratio), 3)
    assert np.sqrt(np.mean((small - well) ** 2)) < 6
    # Neither brighter nor darker, nor moved.
    assert abs(np.mean(small - well)) < 0.5


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 1, 3), (2, 2, 3), (3, 2, 3), (3, 4000, 3), (4000, 1, 3)])
@pytest.mark.parametrize("long_side", [1, 2, 1500])
def test_the_smallest_pictures_can_be_shrunk(shape: tuple[int, ...], long_side: int) -> None:
    small = shrunken(np.full(shape, 77, np.uint8), long_side)
    assert np.all(small == 77)
    assert max(small.shape[:2]) == min(long_side, max(shape[:2]))


def test_what_is_small_enough_is_not_copied() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    assert shrunken(pixels, 30) is pixels
