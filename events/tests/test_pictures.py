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
    from collections.abc import Callable

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
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
def test_pictures_are_turned_upright_once(file_format: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    # Pillow writes it into the container of an AVIF, and turns a TIFF itself.
    file = saved(STORED[orientation], file_format, exif=exif, quality=95)
    info, picture = pictures.read_info(file), pictures.load(file, 2048)
    assert (info.width, info.height) == (60, 40)
    assert picture.pixels.shape == (40, 60, 3)
    assert picture.pixels.flags.c_contiguous
    assert np.abs(picture.pixels.astype(int) - np.asarray(UPRIGHT)).mean() < 8


def test_a_heic_is_turned_by_its_container_and_not_by_its_tag_as_well() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    content = saved(UPRIGHT, "HEIF", exif=exif, quality=95).getvalue()
    assert np.asarray(pictures.load(io.BytesIO(content), 2048).pixels)[5, 5].argmax() == 0
    # A quarter turn to the left takes the place of what cuts the picture to its size, so that it is 64 by 64.
    place = content.index(b"clap")
    turned = io.BytesIO(content[:place] + b"irot" + b"\x01" + bytes(31) + content[place + 36 :])
    info, picture = pictures.read_info(turned), pictures.load(turned, 2048)
    assert (info.width, info.height) == (64, 64)
    assert picture.pixels[58, 5].tolist() == pytest.approx([255, 0, 0], abs=8)
    assert not picture.has_orientation


@pytest.mark.parametrize(("tag", "known"), [(None, False), (0, False), (9, False), (1, True), (6, True)])
def test_whether_the_camera_knew_which_side_is_up(tag: int | None, known: bool) -> None:
    exif = Image.Exif()
    if tag is not None:
        exif[ExifTags.Base.Orientation] = tag
    picture = pictures.load(saved(UPRIGHT, "JPEG", exif=exif), 2048)
    assert picture.has_orientation is known
    assert picture.pixels.shape == ((60, 40, 3) if tag == 6 else (40, 60, 3))


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0nonsense", b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", b"Exif\0\0" + b"\xff" * 99]
)
def test_a_corrupt_exif_block_refuses_no_photo(file_format: str, exif: bytes) -> None:
    file = saved(UPRIGHT, file_format, exif=exif)
    assert (pictures.read_info(file).width, pictures.read_info(file).taken_at) == (60, None)
    assert pictures.load(file, 2048).pixels.shape == (40, 60, 3)


def test_the_header_of_a_png_is_read_without_its_pixels() -> None:
    whole = saved(Image.effect_noise((200, 100), 50)).getvalue()
    half, end = whole[: len(whole) // 2], whole[-12:]
    assert pictures.read_info(io.BytesIO(half + end)).width == 200
    with pytest.raises(PictureError, match="ends too early"):
        pictures.read_info(io.BytesIO(half))


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


def test_the_time_of_the_photo_is_read() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "2026:05:01 10:30:00"
    file = saved(UPRIGHT, "JPEG", exif=exif)
    assert pictures.read_info(file).taken_at == datetime(2026, 5, 1, 10, 30, tzinfo=UTC)


def test_a_nonsense_time_is_no_time() -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = "0000:00:00 00:00:00"
    assert pictures.read_info(saved(UPRIGHT, "JPEG", exif=exif)).taken_at is None


NOISE = Image.effect_noise((200, 200), 50).convert("RGB")


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
@pytest.mark.parametrize("part", [0.5, 0.999])
@pytest.mark.parametrize("read", [pictures.read_info, lambda file: pictures.load(file, 2048)])
def test_a_cut_off_jpeg_is_truncated(
    options: dict[str, bool], part: float, read: Callable[[io.BytesIO], object]
) -> None:
    whole = saved(NOISE, "JPEG", **options).getvalue()
    with pytest.raises(PictureError) as refusal:
        read(io.BytesIO(whole[: int(part * len(whole))]))
    assert refusal.value.code == "truncated"


def test_a_jpeg_whose_small_picture_is_whole_may_be_cut_off_still() -> None:
    exif = saved(Image.new("RGB", (16, 12)), "JPEG").getvalue()
    whole = saved(NOISE, "JPEG", exif=b"Exif\0\0" + exif).getvalue()
    with pytest.raises(PictureError) as refusal:
        pictures.read_info(io.BytesIO(whole[:-100]))
    assert refusal.value.code == "truncated"


@pytest.mark.parametrize("behind", [b"SEFT", bytes(200_000)])
def test_cameras_may_write_behind_the_end_of_a_jpeg(behind: bytes) -> None:
    file = io.BytesIO(saved(UPRIGHT, "JPEG").getvalue() + behind)
    assert pictures.read_info(file).width == 60
    assert pictures.load(file, 2048).pixels.shape == (40, 60, 3)


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
def test_other_cut_off_files_are_refused_when_they_are_read(file_format: str) -> None:
    whole = saved(NOISE, file_format).getvalue()
    with pytest.raises(PictureError) as refusal:
        pictures.load(io.BytesIO(whole[: int(0.7 * len(whole))]), 2048)
    assert refusal.value.code in {"truncated", "broken"}


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


def test_a_rendition_has_the_size_of_its_pixels_and_no_metadata() -> None:
    rendition = Image.open(io.BytesIO(pictures.to_jpeg(np.zeros((100, 200, 3), np.uint8))))
    assert (rendition.format, rendition.size) == ("JPEG", (200, 100))
    assert not rendition.getexif()
