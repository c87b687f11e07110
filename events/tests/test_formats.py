"""Which files are taken as photos, and what is said of the others."""

from __future__ import annotations

import io
import struct
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image, ImageCms, PngImagePlugin, TiffImagePlugin

from events import pictures
from events.pictures import PictureError

PHOTO = Image.new("RGB", (60, 40), (200, 30, 40))


def saved(image: Image.Image, file_format: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, file_format, **options)
    return file


def refusal_of(content: bytes) -> PictureError:
    with pytest.raises(PictureError) as refusal:
        pictures.read_info(io.BytesIO(content))
    with pytest.raises(PictureError) as refusal_at_load:
        pictures.load(io.BytesIO(content), 2048)
    assert refusal.value.code == refusal_at_load.value.code
    return refusal.value


@pytest.mark.parametrize(
    ("file_format", "options", "name"),
    [
        ("JPEG", {}, "JPEG"),
        ("JPEG", {"progressive": True}, "JPEG"),
        ("MPO", {"save_all": True, "append_images": [Image.new("RGB", (60, 40))]}, "MPO"),
        ("PNG", {}, "PNG"),
        ("PNG", {"save_all": True, "append_images": [Image.new("RGB", (60, 40))]}, "PNG"),
        ("WEBP", {"quality": 95}, "WEBP"),
        ("WEBP", {"lossless": True, "save_all": True, "append_images": [Image.new("RGB", (60, 40))]}, "WEBP"),
        ("HEIF", {}, "HEIF"),
        ("HEIF", {"save_all": True, "append_images": [Image.new("RGB", (30, 20))]}, "HEIF"),
        ("AVIF", {"quality": 90}, "AVIF"),
        ("AVIF", {"quality": 90, "save_all": True, "append_images": [Image.new("RGB", (60, 40))]}, "AVIF"),
        ("TIFF", {}, "TIFF"),
        ("TIFF", {"compression": "tiff_lzw"}, "TIFF"),
        ("TIFF", {"compression": "tiff_adobe_deflate"}, "TIFF"),
        ("TIFF", {"compression": "jpeg", "quality": 95}, "TIFF"),
        ("TIFF", {"big_tiff": True}, "TIFF"),
        ("TIFF", {"save_all": True, "append_images": [Image.new("RGB", (60, 40))]}, "TIFF"),
    ],
)
def test_each_format_is_read_and_of_several_pictures_the_first(
    file_format: str, options: dict[str, object], name: str
) -> None:
    file = saved(PHOTO, file_format, **options)
    info, pixels = pictures.read_info(file), pictures.load(file, 2048).pixels
    assert (info.format, info.width, info.height) == (name, 60, 40)
    assert pixels.shape == (40, 60, 3)
    assert pixels.flags.c_contiguous
    assert np.abs(pixels.astype(int) - (200, 30, 40)).mean() < 6
    assert name in pictures.EXTENSIONS


@pytest.mark.parametrize("brand", [b"avif", b"mif1"])
def test_heic_and_avif_are_told_apart_where_both_call_themselves_mif1(brand: bytes) -> None:
    content = saved(PHOTO, "AVIF").getvalue()
    assert pictures.read_info(io.BytesIO(content[:8] + brand + content[12:])).format == "AVIF"
    heic = saved(PHOTO, "HEIF").getvalue()
    assert pictures.read_info(io.BytesIO(heic[:8] + b"mif1" + heic[12:])).format == "HEIF"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (saved(PHOTO, "GIF").getvalue(), "a GIF picture"),
        (saved(PHOTO, "BMP").getvalue(), "a BMP picture"),
        (saved(PHOTO, "JPEG2000").getvalue(), "a JPEG 2000 picture"),
        (b"8BPS\0\x01" + bytes(20), "a Photoshop file"),
        (b"\xff\x0a" + bytes(20), "a JPEG XL picture"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(20), "a JPEG XL picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a drawing (SVG)"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- by hand -->\n<svg/>", "a drawing (SVG)"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(20), "a Canon raw file"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "a Canon raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a Fujifilm raw file"),
        (b"IIRO\x08\0\0\0", "an Olympus raw file"),
        (b"IIU\0\x18\0\0\0", "a Panasonic raw file"),
        (b"%PDF-1.7\n", "a PDF document"),
        (b"PK\x03\x04" + bytes(20), "a ZIP archive"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
    ],
)
def test_what_people_add_by_mistake_is_called_by_its_name(content: bytes, what: str) -> None:
    refusal = refusal_of(content)
    assert refusal.code == "unsupported"
    assert str(refusal).startswith(f"This is {what}")


@pytest.mark.parametrize(
    "content",
    [
        b"hello, this is text",
        b"BMW i3, for sale",
        b"MM",
        b"RIFF\0\0\0\0WAVEfmt ",
        bytes(100),
        b"\x89PNG\n",
        b"<html>" + b"<!-->" * 300,
    ],
)
def test_everything_else_is_no_image(content: bytes) -> None:
    assert refusal_of(content).code == "not_an_image"


def test_an_empty_file_is_empty() -> None:
    assert refusal_of(b"").code == "empty"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\x89PNG\r\n\x1a\n" + bytes(20),
        b"RIFF\x10\0\0\0WEBPVP8 " + bytes(8),
        saved(PHOTO, "HEIF").getvalue()[:200],
        saved(PHOTO, "AVIF").getvalue()[:200],
        b"II*\0\x08\0\0\0\0\0\0\0",
        b"MM\0*\xff\xff\xff\xff",
        b"II+\0\x08\0",
    ],
)
def test_what_begins_like_a_photo_and_is_none_is_damaged(content: bytes) -> None:
    assert refusal_of(content).code in {"broken", "truncated"}


@pytest.mark.parametrize(
    ("tag", "value"),
    # A first picture of reduced resolution (NEF, ARW), the pixels of a sensor (PEF), a kind of packing only raws have.
    [("NEW_SUBFILE_TYPE", 1), ("PHOTOMETRIC_INTERPRETATION", 32803), ("COMPRESSION", 34713)],
)
def test_raw_files_that_are_tiff_outside_are_refused(tag: str, value: int) -> None:
    content = bytearray(saved(PHOTO, "TIFF", tiffinfo={254: 0}).getvalue())
    entry = struct.pack("<H", {"NEW_SUBFILE_TYPE": 254, "PHOTOMETRIC_INTERPRETATION": 262, "COMPRESSION": 259}[tag])
    (start,) = struct.unpack("<L", content[4:8])
    place = next(at for at in range(start + 2, start + 500, 12) if content[at : at + 2] == entry)
    content[place + 8 : place + 12] = struct.pack("<L", value)
    assert refusal_of(bytes(content)).code == "unsupported"


def test_digital_negatives_are_refused() -> None:
    directory = TiffImagePlugin.ImageFileDirectory_v2()
    directory.tagtype[50706] = 1
    directory[50706] = b"\1\4\0\0"
    refusal = refusal_of(saved(PHOTO, "TIFF", tiffinfo=directory).getvalue())
    assert refusal.code == "unsupported"
    assert "raw file" in str(refusal)


def test_raw_files_are_known_by_the_sensor_data_inside() -> None:
    content = saved(PHOTO, "TIFF", tiffinfo={330: 0}).getvalue()
    (start,) = struct.unpack("<L", content[4:8])
    place = content.index(struct.pack("<H", 330), start)
    inner = struct.pack("<HHHLLL", 1, 262, 3, 1, 32803, 0)
    with_inner = content[: place + 8] + struct.pack("<L", len(content)) + content[place + 12 :] + inner
    assert refusal_of(with_inner).code == "unsupported"


def test_colours_that_nothing_here_can_read_are_refused() -> None:
    assert refusal_of(saved(Image.new("F", (8, 8)), "TIFF").getvalue()).code == "unsupported"


def test_a_bomb_among_the_comments_is_refused() -> None:
    comments = PngImagePlugin.PngInfo()
    comments.add_text("Comment", "x" * 2_000_000, zip=True)
    assert refusal_of(saved(PHOTO, "PNG", pnginfo=comments).getvalue()).code == "broken"


@pytest.mark.parametrize("kind", range(1, 14))
def test_tags_of_any_type_are_read_or_damage(kind: int) -> None:
    """Anybody may send such a file as a selfie, so no other exception may come out."""
    tags = {254: 0, 330: 0, 34675: ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}
    content = saved(PHOTO.convert("P"), "TIFF", tiffinfo=tags).getvalue()
    (start,) = struct.unpack("<L", content[4:8])
    (count,) = struct.unpack("<H", content[start : start + 2])
    for place in range(start + 4, start + 4 + 12 * count, 12):
        odd = content[:place] + struct.pack("<H", kind) + content[place + 2 :]
        for read in (pictures.read_info, lambda file: pictures.load(file, 2048)):
            with suppress(PictureError):
                read(io.BytesIO(odd))


def test_a_tile_far_larger_than_its_picture_is_refused_before_decoding() -> None:
    # Pillow writes no tiles, but whatever is in a private tag.
    content = saved(PHOTO, "TIFF", tiffinfo={65000: 30_000, 65001: 30_000}).getvalue()
    for private, of_tiles in ((65000, 322), (65001, 323)):
        content = content.replace(struct.pack("<HH", private, 3), struct.pack("<HH", of_tiles, 3))
    assert refusal_of(content).code == "image_too_large"


def test_a_film_without_a_clock_is_broken() -> None:
    film = saved(PHOTO, "AVIF", save_all=True, append_images=[Image.new("RGB", (60, 40))]).getvalue()
    # Version and flags, two times of eight bytes, then how many units a second has.
    place = film.index(b"mdhd") + 4 + 4 + 16
    with pytest.raises(PictureError) as refusal:
        pictures.load(io.BytesIO(film[:place] + bytes(4) + film[place + 4 :]), 2048)
    assert refusal.value.code == "broken"
