"""Reading and writing pictures: what a file is, its upright pixels, its smaller renditions."""

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
from PIL import ExifTags, Image, UnidentifiedImageError
from pillow_heif import register_heif_opener

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Pixels = NDArray[np.uint8]

register_heif_opener()
# We refuse by our own limit, before decoding and with a sentence; Pillow's errors stay on far above it.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
# Odd metadata is no reason to bother anybody.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

EXTENSIONS = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "HEIF": ".heic"}
"""The formats we take, by Pillow's name, and the extension each is stored under."""

_OPENERS = ("JPEG", "PNG", "WEBP", "HEIF")
"""Whose code a stranger's file may reach; MPO, a JPEG with further pictures behind it, is opened as JPEG."""

_JPEGS = {"JPEG", "MPO"}

JPEG_QUALITY = 82

_STRIP = 64
"""Rows of a shrunk picture that are made at once."""

_LYING = {5, 6, 7, 8}
"""The EXIF orientations of pictures stored with rows for columns."""

_STEPS = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}
"""By EXIF orientation: in which direction the rows and columns are read, once rows and columns are in their places."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
"""What Pillow's decoders raise on damaged files."""


class PictureError(Exception):
    """This file cannot be used as a photo: `code` is stable, the message is a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


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

    `has_orientation`: the camera knew which side is up; without, the picture may well lie on its side.
    """

    pixels: Pixels
    scale: float
    has_orientation: bool


def read_info(file: IO[bytes]) -> PictureInfo:
    """Return what the header tells, without decoding the pixels.

    Raises:
        PictureError: `empty`, `not_an_image`, `image_too_large` or `broken`.
    """
    with _opened(file) as image:
        width, height = image.size
        if _orientation(image) in _LYING:
            width, height = height, width
        return PictureInfo(image.format or "", width, height, _taken_at(image))


def load(file: IO[bytes], at_least: int, max_megapixels: int | None = None) -> Picture:
    """Decode once, turn upright and convert to RGB.

    A large JPEG is decoded at a half, a quarter or an eighth, where that leaves its long side `at_least` pixels;
    what is still more than twice that is shrunk. The limit of pixels is MAX_MEGAPIXELS, unless another is given.

    Raises:
        PictureError: as `read_info`, and `truncated`.
    """
    file.seek(0)
    # Read here, where an error is the storage's; while decoding, it would be taken for a damaged picture.
    content = file.read()
    with _opened(io.BytesIO(content), max_megapixels) as image:
        full = max(image.size)
        orientation = _orientation(image)
        pixels = _decode_quickly(content, image, at_least)
        if pixels is None:
            image.draft("RGB", _fit(image.size, at_least))
            pixels = np.asarray(_to_rgb(image))
    pixels = _turned(shrink(pixels, 2 * at_least), orientation)
    return Picture(pixels, max(pixels.shape[:2]) / full, has_orientation=orientation is not None)


def shrink(pixels: Pixels, long_side: int) -> Pixels:
    """Return (height, width, 3) pixels whose long side is `long_side`, each the mean of those it covers.

    The same array, where it is no larger than that already.
    """
    height, width = pixels.shape[:2]
    if max(height, width) <= long_side:
        return pixels
    new_width, new_height = _fit((width, height), long_side)
    rows_per_row = height / new_height
    small = np.empty((new_height, new_width, 3), np.uint8)
    # In strips, since a strip stays in the processor's cache: half as fast again as the whole picture at once.
    for top in range(0, new_height, _STRIP):
        bottom = min(top + _STRIP, new_height)
        first, last = top * rows_per_row, min(bottom * rows_per_row, height)
        above = math.floor(first)
        strip = Image.fromarray(pixels[above : math.ceil(last)])
        box = (0, first - above, width, last - above)
        small[top:bottom] = np.asarray(strip.resize((new_width, bottom - top), Image.Resampling.BOX, box))
    return small


def to_jpeg(pixels: Pixels) -> bytes:
    """Return a JPEG file of (height, width, 3) RGB pixels, without any metadata."""
    return bytes(simplejpeg.encode_jpeg(pixels, JPEG_QUALITY, "RGB", "420"))


def to_jpegs(pixels: Pixels, long_sides: Sequence[int]) -> list[bytes]:
    """Return JPEG files of at most these sizes, the largest first, each shrunk from the one before; no metadata."""
    files = []
    for long_side in long_sides:
        pixels = shrink(pixels, long_side)
        files.append(to_jpeg(pixels))
    return files


@contextmanager
def _opened(file: IO[bytes], max_megapixels: int | None = None) -> Iterator[Image.Image]:
    """Open the file as one of our formats; whatever goes wrong inside the block becomes a PictureError."""
    limit = settings.MAX_MEGAPIXELS if max_megapixels is None else max_megapixels
    if not file.seek(0, io.SEEK_END):
        raise PictureError("empty", "The file is empty.")
    try:
        with Image.open(file, formats=_OPENERS) as image:
            _check_size(image, limit)
            yield image
    except UnidentifiedImageError as error:
        message = "This is not a photo that Grabpic can read. Use JPEG, PNG, WebP or HEIC."
        raise PictureError("not_an_image", message) from error
    except (Image.DecompressionBombError, MemoryError) as error:
        raise _too_large(limit) from error
    except _BROKEN as error:
        raise _broken(error) from error


def _check_size(image: Image.Image, limit: int) -> None:
    if image.width * image.height > limit * 1_000_000:
        raise _too_large(limit)
    if not image.width * image.height:
        raise PictureError("broken", "The picture has no pixels.")


def _too_large(limit: int) -> PictureError:
    return PictureError("image_too_large", f"The picture has more than {limit} megapixels.")


def _broken(error: Exception) -> PictureError:
    if "truncated" in str(error).lower():
        return PictureError("truncated", "The file ends too early. Copy it again from the camera.")
    return PictureError("broken", "The file is damaged. Copy it again from the camera.")


def _decode_quickly(content: bytes, image: Image.Image, at_least: int) -> Pixels | None:
    """Decode a JPEG, at a half, a quarter or an eighth where that is enough; None for what Pillow has to read."""
    if image.format not in _JPEGS or image.mode not in {"RGB", "L"}:
        return None
    part = next((part for part in (8, 4, 2) if max(image.size) >= part * at_least), 1)
    width, height = (math.ceil(side / part) for side in image.size)
    try:
        pixels: Pixels = simplejpeg.decode_jpeg(content, "RGB", min_width=width, min_height=height)
    except ValueError:
        # Pillow reads on over small damage, and knows what the large one is called.
        return None
    return pixels


def _orientation(image: Image.Image) -> int | None:
    """Return the EXIF orientation, 1 to 8, or None where the file tells none that makes sense."""
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    return orientation if orientation in range(1, 9) else None


def _turned(pixels: Pixels, orientation: int | None) -> Pixels:
    """Return the pixels upright, by the EXIF orientation that they were stored in."""
    # One item per pixel: numpy moves three bytes much faster than three times one.
    stored = pixels.view("V3")[..., 0]
    if orientation in _LYING:
        stored = stored.T
    rows, columns = _STEPS.get(orientation or 1, (1, 1))
    return np.ascontiguousarray(stored[::rows, ::columns]).view(np.uint8).reshape(*stored.shape, 3)


def _taken_at(image: Image.Image) -> datetime | None:
    """Return the camera's clock; it knows no time zone, so it is kept as if it were UTC."""
    stamp = image.getexif().get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.DateTimeOriginal)
    try:
        return datetime.strptime(str(stamp).strip("\0 "), "%Y:%m:%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return None


def _fit(size: tuple[int, int], long_side: int) -> tuple[int, int]:
    scale = long_side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in {"I;16", "I", "I;16B"}:
        # Pillow's own conversion clips everything above 255 to white.
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        white = Image.new("RGB", image.size, "white")
        seen = image.convert("RGBA")
        white.paste(seen, mask=seen.getchannel("A"))
        return white
    return image.convert("RGB")
