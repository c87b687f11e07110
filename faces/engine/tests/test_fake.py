"""The engine without a network: what the other tests may count on."""

import colorsys
import io
from time import process_time

import numpy as np
import pytest
from PIL import Image, ImageDraw

from faces.engine import Box, Detection, EngineError, RGBArray
from faces.engine.fake import FakeEngine


def colour(hue: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue / 360, 0.9, 0.9)
    return round(red * 255), round(green * 255), round(blue * 255)


def paint(*hues: float, size: tuple[int, int] = (800, 400), quality: int | None = None) -> RGBArray:
    """Return a grey picture with one disc of 80 pixels per hue, side by side; as JPEG where asked for."""
    image = Image.new("RGB", size, (128, 130, 126))
    for place, hue in enumerate(hues):
        ImageDraw.Draw(image).ellipse((20 + place * 120, 100, 99 + place * 120, 179), fill=colour(hue))
    if quality:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        image = Image.open(file)
    return np.asarray(image)


def similarity(engine: FakeEngine, one: RGBArray, other: RGBArray) -> float:
    first, second = (engine.embed(image, engine.detect(image))[0] for image in (one, other))
    return float(first @ second)


def test_finds_each_disc_where_it_was_painted() -> None:
    faces = FakeEngine().detect(paint(0, 120, 240))
    boxes = sorted((face.box for face in faces), key=lambda box: box.x)
    assert [box.x for box in boxes] == pytest.approx([20, 140, 260], abs=2)
    assert all((box.y, box.width, box.height) == pytest.approx((100, 80, 80), abs=3) for box in boxes)


@pytest.mark.parametrize("fill", [(128, 128, 128), (0, 0, 0), (255, 255, 255), (190, 215, 235), (90, 150, 90)])
def test_grey_and_pastel_pictures_have_no_face(fill: tuple[int, int, int]) -> None:
    assert FakeEngine().detect(np.asarray(Image.new("RGB", (300, 200), fill))) == []


def test_specks_are_no_faces() -> None:
    image = np.full((400, 400, 3), 128, np.uint8)
    image[100:105, 100:105] = colour(0)
    image[200:212, 200:212] = colour(0)
    assert [round(face.box.x) for face in FakeEngine().detect(image)] == [200]


@pytest.mark.parametrize("hue", range(0, 360, 40))
def test_one_hue_is_one_person_even_after_jpeg(hue: int) -> None:
    engine = FakeEngine()
    assert similarity(engine, paint(hue), paint(hue + 3, quality=70)) > 0.95


@pytest.mark.parametrize("hue", range(0, 360, 40))
def test_hues_thirty_degrees_apart_are_strangers(hue: int) -> None:
    engine = FakeEngine()
    assert similarity(engine, paint(hue), paint(hue + 30)) < 1 - engine.calibration.sure - 0.4


def test_a_box_without_colour_is_an_error() -> None:
    nothing = Detection(Box(0, 0, 50, 50), (), 1.0)
    with pytest.raises(EngineError, match="no strong colour") as raised:
        FakeEngine().embed(paint(0), [nothing])
    assert raised.value.permanent


def test_landmarks_lie_in_the_box_as_the_person_has_them() -> None:
    [face] = FakeEngine().detect(paint(0))
    right_eye, left_eye, nose, right_corner, left_corner = face.landmarks
    assert face.box.x < right_eye[0] < nose[0] < left_eye[0] < face.box.x + face.box.width
    assert face.box.y < right_eye[1] < nose[1] < right_corner[1] < face.box.y + face.box.height
    assert right_corner[0] < left_corner[0]


def test_a_large_picture_takes_milliseconds() -> None:
    engine, image = FakeEngine(), paint(0, 90, 180, size=(1200, 900))
    engine.detect(image)
    started = process_time()
    engine.embed(image, engine.detect(image))
    assert process_time() - started < 0.1  # 5 ms
