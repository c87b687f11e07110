"""Reading and writing pictures: what their header tells, their upright pixels, their smaller renditions."""

from __future__ import annotations

import io
import math
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import numpy as np
import simplejpeg
from django.conf import settings
from PIL import AvifImagePlugin, ExifTags, Image
from pillow_heif import register_heif_opener

from events import colours, scans, shrinking
from events.formats import EXTENSIONS as EXTENSIONS
from events.formats import PictureError as PictureError
from events.formats import recognise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

# One thread, since the workers fill the cores already.
register_heif_opener(thumbnails=False, depth_images=False, aux_images=False, decode_threads=1)
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
# We refuse by our own limit, before decoding and with a sentence.
Image.MAX_IMAGE_PIXELS = None
# Odd metadata is no reason to bother anybody.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

JPEG_QUALITY = 82

_JPEGS = {"JPEG", "MPO"}
"""MPO is a JPEG with further pictures behind it."""

_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND"}
"""What the end of the pixels is marked with, by format."""

_TAIL = 64 * 1024
"""Bytes at the end of a JPEG in which its end is looked for first; cameras write data of their own behind it."""

_TILE_WIDTH, _TILE_LENGTH = 322, 323
"""Tags of TIFF."""

_LYING = {5, 6, 7, 8}
"""The EXIF orientations of pictures stored with rows for columns."""

_STEPS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
"""By EXIF orientation: in which direction the rows and columns are read, once rows and columns are in their places."""

_BROKEN = (
    *(OSError, RuntimeError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    *(TypeError, ArithmeticError),
)
"""What Pillow's decoders raise on damaged files; the last two where numbers are of another type, or 0."""


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What a file's header tells; the size is that of the upright picture, in pixels."""

    format: str
    width: int
    height: int
    taken_at: datetime | None


@dataclass(frozen=True, slots=True)
class Picture:
    """Upright pixels: (height, width, 3), RGB, uint8, `scale` times the size of the original picture.

    `has_orientation`: a valid EXIF orientation was there; without (and always in HEIC, where it counts for nothing),
    the picture may well lie on its side.
    """

    pixels: Pixels
    scale: float
    has_orientation: bool


def read_info(file: IO[bytes]) -> PictureInfo:
    """Return what the header tells, without decoding the pixels.

    Raises:
        PictureError: `empty`, `not_an_image`, `unsupported`, `image_too_large` or `broken`; `truncated`, where that
            can be told already.
    """
    with _opened(file) as image:
        if mark := _ENDS.get(image.format or ""):
            _check_end(file, mark)
        width, height = image.size
        if _stored_orientation(image) in _LYING:
            width, height = height, width
        return PictureInfo(image.format or "", width, height, _taken_at(image))


def load(file: IO[bytes], at_least: int, max_megapixels: int | None = None) -> Picture:
    """Decode once, turn upright and convert to sRGB; of several pictures in the file, the first.

    A large JPEG is decoded at a half, a quarter or an eighth, where that leaves its long side `at_least` pixels;
    what is still more than twice that is shrunk. The limit of pixels is MAX_MEGAPIXELS, unless another is given.

    Raises:
        PictureError: as `read_info`.
    """
    file.seek(0)
    # Read here, where an error is the storage's; while decoding, it would be taken for a damaged picture.
    content = scans.limited(file.read())
    with _opened(io.BytesIO(content), max_megapixels) as image:
        full = max(image.size)
        # The tag of a HEIC is hearsay: some cameras write it beside a turn of the container, some instead of one.
        has_orientation = image.format != "HEIF" and _orientation(image) is not None
        stored = _stored_orientation(image)
        pixels = _decode_quickly(content, image, at_least)
        if pixels is None:
            pixels = _decode(image, at_least)
    pixels = _turned(_shrunk(pixels, 2 * at_least), stored)
    return Picture(pixels, max(pixels.shape[:2]) / full, has_orientation)


def to_jpeg(pixels: Pixels) -> bytes:
    """Return a JPEG file of (height, width, 3) RGB pixels, without any metadata."""
    return bytes(simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "RGB", "420"))


@contextmanager
def _opened(file: IO[bytes], max_megapixels: int | None = None) -> Iterator[Image.Image]:
    """Open the file as one of our formats; whatever goes wrong inside the block becomes a PictureError."""
    limit = settings.MAX_MEGAPIXELS if max_megapixels is None else max_megapixels
    try:
        with Image.open(file, formats=[recognise(file)]) as image:
            _check(image, limit)
            yield image
    except MemoryError as error:
        raise _too_large(limit) from error
    except _BROKEN as error:
        raise _broken(error) from error


def _check(image: Image.Image, limit: int) -> None:
    if _most_pixels(image) > limit * 1_000_000:
        raise _too_large(limit)
    if not image.width * image.height:
        raise PictureError("broken", "The picture has no pixels.")
    if image.mode not in colours.READABLE:
        message = f"The picture's colours are stored in a way that Grabpic cannot read ({image.mode}). Save it as JPEG."
        raise PictureError("unsupported", message)


def _most_pixels(image: Image.Image) -> int:
    """Return how many pixels are decoded at once: a tile of a TIFF may be far larger than its picture."""
    tags = getattr(image, "tag_v2", {})
    tile: int = tags.get(_TILE_WIDTH, 0) * tags.get(_TILE_LENGTH, 0)
    return max(image.width * image.height, tile)


def _check_end(file: IO[bytes], mark: bytes) -> None:
    """Refuse a picture that was cut off: without the mark behind its header; a JPEG's cannot occur in the pixels."""
    header_end = file.tell()
    size = file.seek(0, io.SEEK_END)
    for start in (max(header_end, size - _TAIL), header_end):
        file.seek(start)
        if mark in file.read():
            return
    raise _truncated()


def _too_large(limit: int) -> PictureError:
    return PictureError("image_too_large", f"The picture has more than {limit} megapixels.")


def _truncated() -> PictureError:
    return PictureError("truncated", "The file ends too early. Copy it again from the camera.")


def _broken(error: Exception) -> PictureError:
    if "truncated" in str(error).lower():
        return _truncated()
    return PictureError("broken", "The file is damaged. Copy it again from the camera.")


def _decode_quickly(content: bytes, image: Image.Image, at_least: int) -> Pixels | None:
    """Decode a JPEG, at a half, a quarter or an eighth where that is enough; None for what Pillow has to read."""
    transform = colours.to_srgb(image, image.mode)
    if image.format not in _JPEGS or image.mode not in {"RGB", "L"} or (image.mode == "L" and transform):
        return None
    part = next((part for part in (8, 4, 2) if max(image.size) >= part * at_least), 1)
    width, height = (math.ceil(side / part) for side in image.size)
    try:
        if simplejpeg.decode_jpeg_header(content)[:2] != image.size[::-1]:
            return None
        pixels: Pixels = simplejpeg.decode_jpeg(content, "RGB", min_width=width, min_height=height)
    except ValueError:
        # Pillow reads on over small damage, and knows what the large one is called.
        return None
    if transform:
        colours.convert_in_place(pixels, transform)
    return pixels


def _decode(image: Image.Image, at_least: int) -> Pixels:
    """Decode whatever Pillow reads, shrunk to twice `at_least` where it is larger."""
    if image.format in _JPEGS:
        # HEIC has a draft, too: a small picture of its own, which may be a poor one.
        image.draft(None, _fit(image.size, at_least))
    image.load()

    def strip(top: int, bottom: int) -> Image.Image:
        return colours.opaque(image.crop((0, top, image.width, bottom)))

    transform = colours.to_srgb(image, strip(0, 1).mode)
    size = _fit(image.size, min(2 * at_least, max(image.size)))
    return shrinking.in_strips(image.size, size, strip, lambda small: colours.as_rgb(small, transform))


def _shrunk(pixels: Pixels, long_side: int) -> Pixels:
    """Return (height, width, 3) pixels whose long side is `long_side`; the same array, if it is no larger already."""
    height, width = pixels.shape[:2]
    if max(height, width) <= long_side:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(_fit((width, height), long_side), reducing_gap=2.0))


def _exif(image: Image.Image) -> Image.Exif:
    """Return the EXIF tags; none where they cannot be read, since the picture itself may be fine."""
    try:
        # Not the method of PNG images, which decodes the pixels in search of tags behind them.
        return Image.Image.getexif(image)
    except _BROKEN:
        return Image.Exif()


def _orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 to 8, or None where the file tells none that makes sense."""
    orientation = _exif(image).get(ExifTags.Base.Orientation)
    return orientation if orientation in range(1, 9) else None


def _stored_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation that Pillow's pixels will have."""
    # It turns TIFF itself; libheif turns HEIC, and pillow-heif sets the tag to 1.
    return 1 if image.format == "TIFF" else _orientation(image) or 1


def _turned(pixels: Pixels, orientation: int) -> Pixels:
    """Return the pixels upright, by the EXIF orientation that they were stored in."""
    # One item per pixel: numpy moves three bytes much faster than three times one.
    stored = pixels.view("V3")[..., 0]
    if orientation in _LYING:
        stored = stored.T
    rows, columns = _STEPS.get(orientation, (1, 1))
    return np.ascontiguousarray(stored[::rows, ::columns]).view(np.uint8).reshape(*stored.shape, 3)


def _taken_at(image: Image.Image) -> datetime | None:
    """Return the camera's clock; it knows no time zone, so it is kept as if it were UTC."""
    try:
        stamp = _exif(image).get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
        return datetime.strptime(str(stamp).strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except _BROKEN:
        return None


def _fit(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    scale = long_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
