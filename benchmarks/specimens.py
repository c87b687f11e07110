"""Small painted pictures in every format that somebody may send, to be mutated."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pillow_heif
from PIL import ExifTags, Image, ImageCms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

SIZE = 120, 90
"""Pixels; to the fake engine the red square is a face."""

ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Of each pass of an interlaced PNG: first column, first row, steps between columns, between rows."""

DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>'


@cache
def specimens() -> dict[str, bytes]:
    """Return each picture by its name, which begins with its format."""
    photo, other = Image.fromarray(painted(100)), Image.fromarray(painted(140))
    return {
        **dict(_jpegs(photo, other)),
        **dict(_pngs(photo, other)),
        **dict(_tiffs(photo, other)),
        **dict(_modern(photo, other)),
        **dict(_refused(photo)),
    }


def painted(shade: int, size: tuple[int, int] = SIZE) -> Pixels:
    """Return grey pixels that are not all the same, with a red square."""
    width, height = size
    rows, columns = np.mgrid[:height, :width]
    grey = (shade + (rows * 7 + columns * 3) % 40).astype(np.uint8)
    pixels = np.stack([grey] * 3, axis=-1)
    pixels[height // 4 : height * 3 // 4, width // 4 : width * 5 // 8] = 230, 20, 20
    return pixels


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(header: bytes, pixels: bytes, *more: bytes) -> bytes:
    """Return a PNG file of an IHDR and compressed pixels, with further chunks between them."""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff(entries: Iterable[tuple[int, int, int]], pixels: bytes) -> bytes:
    """Return a TIFF file with these tags (number, type, value) besides that of the pixels' place, which comes last."""
    entries = list(entries)
    count = len(entries)
    directory = b"".join(struct.pack("<HHII", tag, kind, 1, value) for tag, kind, value in entries)
    return b"II*\0" + struct.pack("<IH", 8, count) + directory + bytes(4) + pixels


def _saved(image: Image.Image, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    # Pillow keeps in a picture how it was saved, and stumbles over it in the next format: hence copies.
    if others := options.pop("append_images", None):
        options["append_images"] = [other.copy() for other in others]
    image.copy().save(file, file_format, **options)
    return file.getvalue()


def _jpegs(photo: Image.Image, other: Image.Image) -> Iterator[tuple[str, bytes]]:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    yield "jpeg", _saved(photo, "JPEG")
    yield "jpeg-progressive", _saved(photo, "JPEG", progressive=True)
    yield "jpeg-grey", _saved(photo.convert("L"), "JPEG")
    yield "jpeg-cmyk", _saved(photo.convert("CMYK"), "JPEG")
    yield "jpeg-restarts", _saved(photo, "JPEG", restart_marker_blocks=2)
    yield "jpeg-exif", _saved(photo, "JPEG", exif=_exif(_saved(other.resize((16, 12)), "JPEG")))
    yield "jpeg-icc", _saved(photo, "JPEG", icc_profile=profile, comment=b"painted")
    yield "mpo", _saved(photo, "MPO", save_all=True, append_images=[other])


def _exif(thumbnail: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Model] = "Painted"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    own = exif.get_ifd(ExifTags.IFD.Exif)
    own.update({ExifTags.Base.DateTimeOriginal: "2026:05:01 10:20:30", ExifTags.Base.MakerNote: thumbnail})
    return exif


def _pngs(photo: Image.Image, other: Image.Image) -> Iterator[tuple[str, bytes]]:
    deep = Image.fromarray(np.asarray(photo.convert("L")).astype(np.uint16) * 257)
    yield "png", _saved(photo, "PNG", exif=_exif(b""))
    yield "png-16", _saved(deep, "PNG")
    yield "png-palette", _saved(photo.quantize(16), "PNG", transparency=3)
    yield "png-alpha", _saved(photo.convert("RGBA"), "PNG", icc_profile=b"no profile")
    yield "png-interlaced", _interlaced(np.asarray(photo.convert("L")))
    yield "png-animated", _saved(photo, "PNG", save_all=True, append_images=[other], duration=100)


def _interlaced(pixels: Pixels) -> bytes:
    height, width = pixels.shape
    passes = [pixels[top::down, left::right] for left, top, right, down in ADAM7]
    rows = b"".join(b"\0" + row.tobytes() for part in passes for row in part if row.size)
    return png(struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 1), zlib.compress(rows))


def _tiffs(photo: Image.Image, other: Image.Image) -> Iterator[tuple[str, bytes]]:
    yield "tiff", _saved(photo, "TIFF")
    yield "tiff-lzw", _saved(photo, "TIFF", compression="tiff_lzw", tiffinfo={278: 16})
    yield "tiff-deflate", _saved(photo, "TIFF", compression="tiff_adobe_deflate")
    yield "tiff-jpeg", _saved(photo, "TIFF", compression="jpeg")
    yield "tiff-cmyk", _saved(photo.convert("CMYK"), "TIFF", compression="packbits")
    yield "tiff-pages", _saved(photo, "TIFF", save_all=True, append_images=[other])
    yield "tiff-big", _saved(photo, "TIFF", big_tiff=True)
    yield "tiff-tiles", _tiled(np.asarray(photo.convert("L").resize((64, 48))))


def _tiled(pixels: Pixels) -> bytes:
    """Return a TIFF of one tile."""
    height, width = pixels.shape
    tags = [(256, width), (257, height), (258, 8), (259, 1), (262, 1), (277, 1), (322, width), (323, height)]
    place = 8 + 2 + (len(tags) + 2) * 12 + 4
    return tiff([(tag, 3, value) for tag, value in tags] + [(324, 4, place), (325, 4, pixels.size)], pixels.tobytes())


def _modern(photo: Image.Image, other: Image.Image) -> Iterator[tuple[str, bytes]]:
    pillow_heif.register_heif_opener()
    yield "webp", _saved(photo, "WEBP", exif=_exif(b""))
    yield "webp-lossless", _saved(photo.convert("RGBA"), "WEBP", lossless=True)
    yield "webp-animated", _saved(photo, "WEBP", save_all=True, append_images=[other], duration=100)
    yield "heic", _saved(photo, "HEIF", exif=_exif(b""))
    yield "heic-two", _saved(photo, "HEIF", save_all=True, append_images=[other])
    yield "avif", _saved(photo, "AVIF", speed=10)
    yield "avif-animated", _saved(photo, "AVIF", speed=10, save_all=True, append_images=[other])


def _refused(photo: Image.Image) -> Iterator[tuple[str, bytes]]:
    yield "bmp", _saved(photo, "BMP")
    yield "gif", _saved(photo, "GIF")
    yield "pdf", _saved(photo, "PDF")
    yield "svg", DRAWING
    yield "text", b"No picture at all.\n" * 40
