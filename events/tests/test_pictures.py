"""What a file is, and its upright pixels."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import ExifTags, Image

from events import pictures
from events.pictures import PictureError

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

# A picture that tells its corners apart: red top left, green top right, blue bottom left, white elsewhere.
UPRIGHT = Image.new("RGB", (60, 40), "white")
UPRIGHT.paste((255, 0, 0), (0, 0, 20, 20))
UPRIGHT.paste((0, 255, 0), (40, 0, 60, 20))
UPRIGHT.paste((0, 0, 255), (0, 20, 20, 40))

# How a camera stores the upright picture for each orientation tag.
STORED = {
    1: UPRIGHT,
    2: UPRIGHT.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    3: UPRIGHT.transpose(Image.Transpose.ROTATE_180),
    4: UPRIGHT.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    5: UPRIGHT.transpose(Image.Transpose.TRANSPOSE),
    6: UPRIGHT.transpose(Image.Transpose.ROTATE_90),
    7: UPRIGHT.transpose(Image.Transpose.TRANSVERSE),
    8: UPRIGHT.transpose(Image.Transpose.ROTATE_270),
}


def saved(image: Image.Image, file_format: str = "PNG", **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file


@pytest.mark.parametrize("orientation", STORED)
def test_pictures_are_turned_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    file = saved(STORED[orientation], "JPEG", exif=exif, quality=95)
    info = pictures.read_info(file)
    pixels = pictures.load(file, 2048).pixels
    assert (info.width, info.height) == (60, 40)
    assert pixels.shape == (40, 60, 3)
    assert np.abs(pixels.astype(int) - np.asarray(UPRIGHT)).mean() < 8


@pytest.mark.parametrize(
    ("file_format", "name"), [("JPEG", "JPEG"), ("PNG", "PNG"), ("WEBP", "WEBP"), ("HEIF", "HEIF")]
)
def test_each_format_is_read(file_format: str, name: str) -> None:
    file = saved(UPRIGHT, file_format)
    assert pictures.read_info(file).format == name
    assert pictures.load(file, 2048).pixels.shape == (40, 60, 3)


def test_a_large_jpeg_is_decoded_smaller_and_says_so() -> None:
    picture = pictures.load(saved(Image.new("RGB", (4000, 2000)), "JPEG"), at_least=1000)
    assert picture.pixels.shape == (500, 1000, 3)
    assert picture.scale == 0.25


def test_other_large_formats_are_shrunk() -> None:
    picture = pictures.load(saved(Image.new("RGB", (4000, 2000)), "PNG"), at_least=1000)
    assert picture.pixels.shape == (1000, 2000, 3)
    assert picture.scale == 0.5


def test_small_pictures_are_not_blown_up() -> None:
    assert pictures.load(saved(UPRIGHT), 2048).scale == 1


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (Image.new("CMYK", (8, 8), (0, 255, 255, 0)), (255, 0, 0)),
        (Image.new("L", (8, 8), 100), (100, 100, 100)),
    ],
)
def test_colour_modes_become_rgb(image: Image.Image, expected: tuple[int, int, int]) -> None:
    pixels = pictures.load(saved(image, "JPEG", quality=100), 2048).pixels
    assert np.abs(pixels[4, 4].astype(int) - expected).max() < 6


def test_sixteen_bits_become_eight() -> None:
    grey = Image.fromarray(np.full((8, 8), 128 * 256, np.uint16))
    assert pictures.load(saved(grey), 2048).pixels[0, 0].tolist() == [128, 128, 128]


def test_transparency_becomes_white() -> None:
    pixels = pictures.load(saved(Image.new("RGBA", (8, 8), (255, 0, 0, 0))), 2048).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]


def test_the_time_of_the_photo_is_read() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:01 10:30:00"
    file = saved(UPRIGHT, "JPEG", exif=exif)
    assert pictures.read_info(file).taken_at == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)


def test_a_nonsense_time_is_no_time() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "0000:00:00 00:00:00"
    assert pictures.read_info(saved(UPRIGHT, "JPEG", exif=exif)).taken_at is None


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (saved(UPRIGHT, "GIF").getvalue(), "not_an_image"),
    ],
)
def test_what_is_no_photo_is_refused_by_its_header(content: bytes, code: str) -> None:
    with pytest.raises(PictureError) as refusal:
        pictures.read_info(io.BytesIO(content))
    assert refusal.value.code == code


def test_a_cut_off_file_is_truncated() -> None:
    whole = saved(Image.effect_noise((200, 200), 50).convert("RGB"), "JPEG").getvalue()
    with pytest.raises(PictureError) as refusal:
        pictures.load(io.BytesIO(whole[: len(whole) // 2]), 2048)
    assert refusal.value.code == "truncated"


def test_a_damaged_file_is_broken() -> None:
    whole = bytearray(saved(Image.effect_noise((200, 200), 50).convert("RGB"), "PNG").getvalue())
    whole[200:400] = bytes(200)
    with pytest.raises(PictureError) as refusal:
        pictures.load(io.BytesIO(whole), 2048)
    assert refusal.value.code == "broken"


def test_too_many_pixels_are_refused_before_decoding(settings: Settings) -> None:
    settings.MAX_MEGAPIXELS = 1
    file = saved(Image.new("1", (1200, 1000)))
    # Decoding would fail differently: the pixels are not there.
    header_only = io.BytesIO(file.getvalue()[:60])
    with pytest.raises(PictureError) as refusal:
        pictures.read_info(header_only)
    assert refusal.value.code == "image_too_large"


def test_shrinking_takes_the_mean_of_what_a_pixel_covers() -> None:
    pixels = np.zeros((300, 600, 3), np.uint8)
    pixels[::2] = 200
    small = pictures.shrink(pixels, 300)
    assert small.shape == (150, 300, 3)
    assert np.all(small == 100)


def test_shrinking_in_strips_leaves_no_seams() -> None:
    rows = np.linspace(0, 255, 1000, dtype=np.uint8)
    small = pictures.shrink(np.repeat(rows, 750 * 3).reshape(1000, 750, 3), 533)
    assert small.shape == (533, 400, 3)
    assert np.abs(small[:, 0, 0] - np.linspace(0, 255, 533)).max() < 1.5


def test_what_is_small_enough_is_not_copied() -> None:
    pixels = np.zeros((20, 30, 3), np.uint8)
    assert pictures.shrink(pixels, 30) is pixels


@pytest.mark.parametrize(("tag", "known"), [(None, False), (0, False), (9, False), (1, True), (6, True)])
def test_whether_the_camera_knew_which_side_is_up(tag: int | None, known: bool) -> None:
    exif = Image.Exif()
    if tag is not None:
        exif[ExifTags.Base.Orientation] = tag
    picture = pictures.load(saved(UPRIGHT, "JPEG", exif=exif), 2048)
    assert picture.has_orientation is known
    assert picture.pixels.shape == ((60, 40, 3) if tag == 6 else (40, 60, 3))


def test_renditions_are_small_and_carry_no_metadata() -> None:
    pixels = np.zeros((1000, 2000, 3), np.uint8)
    large, small = (Image.open(io.BytesIO(file)) for file in pictures.to_jpegs(pixels, [1600, 400]))
    assert (large.size, small.size) == ((1600, 800), (400, 200))
    assert not large.getexif()
    assert not small.getexif()


def test_renditions_are_never_larger_than_the_picture() -> None:
    large, small = pictures.to_jpegs(np.zeros((100, 200, 3), np.uint8), [1600, 100])
    assert Image.open(io.BytesIO(large)).size == (200, 100)
    assert Image.open(io.BytesIO(small)).size == (100, 50)
