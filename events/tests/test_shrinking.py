"""Smaller pictures look like the large ones."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from events import pictures, shrinking

# By numpy's means (1.6 and 2), by Pillow, and what is left of a picture that is nearly a line.
RATIOS = [1.05, 1.3, 1.6, 1.875, 2, 2.5, 4, 6]


def waves() -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Return (480, 720, 3) pixels with something in every direction and at every brightness."""
    down, right = np.mgrid[0:480, 0:720]
    layers = [down * right / 1500, 40 * down / 9, down / 5 + 300 * np.sin(right / 40)]
    return np.stack([127 + 127 * np.sin(layer / 30) for layer in layers], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("ratio", RATIOS)
def test_a_shrunk_picture_is_like_a_slowly_and_well_shrunk_one(ratio: float) -> None:
    width, height = round(720 / ratio), round(480 / ratio)
    small = shrinking.shrink(waves(), width, height).astype(int)
    well = np.asarray(Image.fromarray(waves()).resize((width, height), Image.Resampling.LANCZOS), int)
    assert small.shape == (height, width, 3)
    assert np.sqrt(np.mean((small - well) ** 2)) < 5
    # Neither brighter nor darker, nor moved.
    assert abs(np.mean(small - well)) < 0.3


@pytest.mark.parametrize("ratio", RATIOS)
def test_strips_leave_no_seams(ratio: float) -> None:
    rows = np.linspace(0, 255, 1600, dtype=np.uint8)
    height = round(1600 / ratio)
    small = shrinking.shrink(np.repeat(rows, 160 * 3).reshape(1600, 160, 3), round(160 / ratio), height)
    assert np.abs(small - np.linspace(0, 255, height)[:, None, None]).max() < 4
    assert np.all(np.diff(small[:, 0, 0].astype(int)) >= 0)


@pytest.mark.parametrize("shape", [(1, 3, 3), (3, 1, 3), (2, 2, 3), (3, 2, 3), (3, 4000, 3), (4000, 1, 3)])
@pytest.mark.parametrize("long_side", [1, 2, 1500])
def test_the_smallest_pictures_can_be_shrunk(shape: tuple[int, ...], long_side: int) -> None:
    small = pictures.shrink(np.full(shape, 77, np.uint8), long_side)
    assert np.all(small == 77)
    assert max(small.shape[:2]) == min(long_side, max(shape[:2]))


def test_what_is_small_enough_is_not_copied() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    assert pictures.shrink(pixels, 30) is pixels
