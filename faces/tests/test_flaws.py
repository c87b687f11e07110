"""What makes a face hard to recognise: size, light and blur, each measured by itself."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from faces import flaws
from faces.engine import Box

if TYPE_CHECKING:
    from events.pictures import Pixels


@pytest.fixture
def pixels() -> Pixels:
    """A picture of sharp squares, in the light of an ordinary room."""
    return np.random.default_rng(1).integers(60, 200, (15, 20, 3), np.uint8).repeat(20, 0).repeat(20, 1)


def box(side: float, height: float | None = None) -> Box:
    return Box(100.4, 50.7, side, height or side)


def smoothed(pixels: Pixels, times: int) -> Pixels:
    smooth = pixels.astype(float)
    for _ in range(times):
        smooth = (smooth + sum(np.roll(smooth, step, axis) for step in (1, -1) for axis in (0, 1))) / 5
    return np.round(smooth).astype(np.uint8)


def test_a_good_face_has_none(pixels: Pixels) -> None:
    assert flaws.flaw_of(pixels, box(100)) == ""


def test_the_longer_side_tells_the_size(pixels: Pixels) -> None:
    assert flaws.flaw_of(pixels, box(flaws.SMALLEST - 1)) == "too_small"
    assert flaws.flaw_of(pixels, box(flaws.SMALLEST - 10, flaws.SMALLEST)) == ""


def test_the_light_on_the_face_counts_and_not_that_around_it(pixels: Pixels) -> None:
    pixels[50:151, 100:201] //= 6
    assert flaws.flaw_of(pixels, box(100)) == "too_dark"
    pixels[50:151, 100:201] += 30
    assert flaws.flaw_of(pixels, box(100)) == ""
    assert flaws.flaw_of(pixels // 6, Box(0, 0, 60, 60)) == "too_dark"


def test_green_is_brighter_than_blue() -> None:
    green, blue = (flaws.luminance(np.array([[colour]], np.uint8)) for colour in ((0, 200, 0), (0, 0, 200)))
    assert (green[0, 0], blue[0, 0]) == pytest.approx((117.4, 22.8))


def test_without_details_it_is_blurred(pixels: Pixels) -> None:
    assert flaws.flaw_of(smoothed(pixels, 60), box(100)) == "too_blurred"


def test_sharpness_falls_with_blur_and_not_with_light(pixels: Pixels) -> None:
    values = [flaws.sharpness(smoothed(pixels, times)) for times in (0, 8, 60)]
    assert values == sorted(values, reverse=True)
    assert flaws.sharpness(pixels // 2) == pytest.approx(flaws.sharpness(pixels), rel=0.05)


def test_noise_hides_no_heavy_blur(pixels: Pixels) -> None:
    noise = np.random.default_rng(1).normal(0, 3, pixels.shape)
    noisy = np.clip(smoothed(pixels, 400) + noise, 0, 255).astype(np.uint8)
    assert flaws.is_smeared(noisy, box(100))
    assert not flaws.is_smeared(smoothed(pixels, 60), box(100))
    assert not flaws.is_smeared(noisy, box(flaws.SMALLEST - 1))


def test_a_face_of_one_colour_is_not_blurred() -> None:
    assert flaws.sharpness(np.full((50, 50, 3), 99, np.uint8)) == math.inf


def test_a_box_at_the_edge(pixels: Pixels) -> None:
    assert flaws.flaw_of(pixels, Box(300.2, 200.1, 99.8, 99.9)) == ""
