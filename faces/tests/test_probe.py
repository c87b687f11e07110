"""Which face a selfie shows, or why it cannot be used."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Picture

from conftest import GREEN, RED, paint_photo
from faces import probe
from faces.engine import get_engine
from faces.probe import NoMatch, Probe

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

Area = tuple[int, int, int, int]


def selfie_of(*faces: tuple[tuple[int, int, int], Area]) -> io.BytesIO:
    """Paint faces of these colours in these places (left, top, right, bottom) of 400 x 300 pixels."""
    picture = Picture.new("RGB", (400, 300), (128, 128, 128))
    for colour, area in faces:
        picture.paste(colour, area)
    file = io.BytesIO()
    picture.save(file, "PNG")
    return file


def seen(*faces: tuple[tuple[int, int, int], Area]) -> str:
    """Return whom the selfie shows, else the code."""
    found = probe.read(get_engine("fake"), selfie_of(*faces))
    if isinstance(found, NoMatch):
        return found.code
    red = probe.read(get_engine("fake"), paint_photo(RED))
    assert isinstance(red, Probe)
    return "red" if np.dot(found.embedding, red.embedding) > 0.9 else "somebody else"


def refused(file: io.BytesIO) -> str:
    found = probe.read(get_engine("fake"), file)
    assert isinstance(found, NoMatch)
    assert found.reason.endswith(".")
    return found.code


def test_a_face_alone() -> None:
    assert seen((RED, (50, 50, 200, 200))) == "red"


def test_a_face_at_the_edge_alone() -> None:
    assert seen((RED, (0, 0, 150, 150))) == "red"


def test_a_small_face_knows_less() -> None:
    large, small = (
        probe.read(get_engine("fake"), selfie_of((RED, (50, 50, 50 + side, 50 + side)))) for side in (100, 20)
    )
    assert isinstance(large, Probe)
    assert isinstance(small, Probe)
    assert small.clarity < large.clarity == 1


def test_two_are_nobody() -> None:
    assert seen((RED, (20, 100, 120, 200)), (GREEN, (200, 100, 290, 190))) == "several_faces"


def test_somebody_small_in_the_background_does_not_matter() -> None:
    assert seen((RED, (50, 50, 200, 200)), (GREEN, (300, 100, 340, 140)), (GREEN, (240, 100, 280, 140))) == "red"


@pytest.mark.parametrize("area", [(300, 100, 400, 200), (250, 0, 350, 100), (1, 20, 91, 120), (250, 200, 350, 300)])
def test_somebody_whom_the_edge_cuts_off_does_not_matter(area: Area) -> None:
    assert seen((RED, (120, 80, 225, 185)), (GREEN, area)) == "red"


def test_somebody_in_a_corner_does_not_matter() -> None:
    assert seen((RED, (150, 100, 250, 200)), (GREEN, (310, 20, 395, 105))) == "red"


def test_somebody_larger_whom_the_edge_cuts_off_does() -> None:
    assert seen((RED, (120, 80, 220, 180)), (GREEN, (250, 20, 400, 220))) == "several_faces"


def test_a_selfie_of_too_many_pixels(settings: Settings) -> None:
    settings.MAX_SELFIE_MEGAPIXELS = 0
    assert refused(paint_photo(RED)) == "image_too_large"


def test_a_selfie_without_a_face() -> None:
    assert refused(paint_photo()) == "no_face"


@pytest.mark.parametrize(("content", "code"), [(b"", "empty"), (b"not a picture", "not_an_image")])
def test_a_selfie_that_is_no_photo(content: bytes, code: str) -> None:
    assert refused(io.BytesIO(content)) == code


def test_a_selfie_over_the_limit(settings: Settings) -> None:
    settings.MAX_SELFIE_MB = 0
    assert refused(paint_photo(RED)) == "file_too_large"
