"""Reading and writing pictures, with Pillow: what a file is, its upright pixels, its smaller renditions."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import numpy as np
from django.conf import settings
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from pillow_heif import register_heif_opener

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

register_heif_opener()
# We refuse by our own limit, before decoding and with a sentence; Pillow's errors stay on far above it.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)
# Odd metadata is no reason to bother anybody.
warnings.filterwarnings("ignore", category=UserWarning, module="PIL")

EXTENSIONS = {"JPEG": ".jpg", "MPO": ".jpg", "PNG": ".png", "WEBP": ".webp", "HEIF": ".heic"}
"""The formats we take, by Pillow's name, and the extension each is stored under."""

_OPENERS = ("JPEG", "PNG", "WEBP", "HEIF")
"""Whose code a stranger's file may reach; MPO, a JPEG with further pictures behind it, is opened as JPEG."""

JPEG_QUALITY = 82

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
    """Upright pixels: (height, width, 3), RGB, uint8, `scale` times the size of the original picture."""

    pixels: NDArray[np.uint8]
    scale: float


def read_info(file: IO[bytes]) -> PictureInfo:
    """Return what the header tells, without decoding the pixels.

    Raises:
        PictureError: `empty`, `not_an_image`, `image_too_large` or `broken`.
    """
    with _opened(file) as image:
        width, height = image.size
        if _lies_on_its_side(image):
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
    content = io.BytesIO(file.read())
    with _opened(content, max_megapixels) as image:
        full = max(image.size)
        image.draft("RGB", _fit(image.size, at_least))
        upright = _to_rgb(ImageOps.exif_transpose(image))
        if max(upright.size) > 2 * at_least:
            upright = upright.resize(_fit(upright.size, 2 * at_least), reducing_gap=2.0)
        return Picture(np.asarray(upright), max(upright.size) / full)


def to_jpegs(pixels: NDArray[np.uint8], long_sides: Sequence[int]) -> list[bytes]:
    """Return JPEG files of at most these sizes, the largest first, each shrunk from the one before; no metadata."""
    image = Image.fromarray(pixels)
    files = []
    for long_side in long_sides:
        if max(image.size) > long_side:
            image = image.resize(_fit(image.size, long_side), Image.Resampling.BILINEAR, reducing_gap=2.0)
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=JPEG_QUALITY)
        files.append(buffer.getvalue())
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


def _lies_on_its_side(image: Image.Image) -> bool:
    return image.getexif().get(ExifTags.Base.Orientation, 1) in {5, 6, 7, 8}


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
