"""Whatever the colours of a picture are stored as, they become sRGB on white."""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import chain, product
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageCms

if TYPE_CHECKING:
    from numpy.typing import NDArray

READABLE = frozenset(
    {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "I;16", "I;16L", "I;16B"}
)
"""The modes of Pillow that `opaque` understands."""

_SIXTEEN_BITS = {"I;16", "I;16L", "I;16B"}

_ROWS = 64
"""Rows converted at once: few enough for the processor's cache."""

_LARGEST_PROFILE = 4_000_000
"""Bytes; those of printing presses have 3 MB. Several are kept, and a stranger's selfie may bring any."""

_UNSEEN = 4
"""Nobody sees a colour that is so many of 255 steps away; so different are the profiles that call themselves sRGB."""


def opaque(image: Image.Image) -> Image.Image:
    """Return the picture on white, in eight bits: in mode L, RGB or CMYK. The same picture, where it is one already."""
    if image.mode in _SIXTEEN_BITS:
        # Pillow's own conversion clips everything above 255 to white.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        white = Image.new("RGB", image.size, "white")
        white.paste(seen, mask=seen.getchannel("A"))
        return white
    if image.mode in {"L", "RGB", "CMYK"}:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def to_srgb(image: Image.Image, mode: str) -> ImageCms.ImageCmsTransform | None:
    """Return what turns this picture's colours, `opaque` and in this mode by now, into sRGB.

    None where they are sRGB already, or as good as; where nothing tells what they are; and where the profile that
    should tell is broken, huge, or belongs to another kind of picture: slightly wrong colours are better than no photo.
    """
    profile = image.info.get("icc_profile")
    return _transform(profile, mode) if profile and len(profile) <= _LARGEST_PROFILE else None


def as_rgb(image: Image.Image, transform: ImageCms.ImageCmsTransform | None) -> Image.Image:
    """Return an `opaque` picture in sRGB, in mode RGB."""
    if transform is None:
        return image if image.mode == "RGB" else image.convert("RGB")
    return ImageCms.applyTransform(image, transform) or image


def convert_in_place(pixels: NDArray[np.uint8], transform: ImageCms.ImageCmsTransform) -> None:
    """Turn the colours of (height, width, 3) RGB pixels into sRGB."""
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS]
        rows[:] = np.asarray(as_rgb(Image.fromarray(rows), transform))


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (OSError, ImageCms.PyCMSError):
        return None
    return transform if _changes(transform, mode) else None


def _changes(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    """Tell whether colours from all over the space look different afterwards."""
    bands = Image.getmodebands(mode)
    sample = Image.frombytes(mode, (6**bands, 1), bytes(chain(*product(range(0, 256, 51), repeat=bands))))
    before, after = (np.asarray(as_rgb(sample, way), np.int16) for way in (None, transform))
    return bool(np.abs(after - before).max() > _UNSEEN)
