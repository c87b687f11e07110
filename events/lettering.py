"""Words written across a picture, so that it is known where it comes from."""

from __future__ import annotations

import math
import unicodedata
from functools import cache, lru_cache
from typing import TYPE_CHECKING

import numpy as np
import PIL
from font_source_sans_pro import SourceSansProBold
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIZE = 0.05
"""Height of the letters, in long sides of the picture."""

ANGLE = 30
"""Degrees that the lines rise."""

LINES = 4
"""So many lines cross the picture, whichever part of it is cut out."""

OPACITY = 90
"""Of 255: the faces behind stay recognisable, and nobody takes the picture for a clean one."""

STYLE = f"{SIZE} {ANGLE} {LINES} {OPACITY} {PIL.__version__}"
"""What decides how words are drawn, beside themselves."""


def write_across(pixels: NDArray[np.uint8], words: str) -> NDArray[np.uint8]:
    """Return the picture, (height, width, 3), RGB, with these words all over it."""
    picture = Image.fromarray(pixels).convert("RGBA")
    picture.alpha_composite(_pattern(picture.size, words))
    return np.asarray(picture.convert("RGB"))


def foreign(words: str) -> str:
    """Return the characters that the letters we have cannot write."""
    font = _font(40)
    missing = bytes(font.getmask("\uffff"))
    return "".join(sorted(letter for letter in set(words) if not _is_drawn(font, letter, missing)))


def _is_drawn(font: ImageFont.FreeTypeFont, letter: str, missing: bytes) -> bool:
    # Line breaks and their like cannot even be tried: the layout refuses them.
    can_be_tried = letter.isprintable() or unicodedata.category(letter) == "Zs"
    return can_be_tried and bytes(font.getmask(letter)) != missing


@lru_cache(maxsize=4)  # the photos of an event have few sizes
def _pattern(size: tuple[int, int], words: str) -> Image.Image:
    """Return a transparent picture with lines of the words, white with a dark edge, to be seen on any ground."""
    side = math.ceil(math.hypot(*size))
    height = max(12, round(SIZE * max(size)))
    font = _font(height)
    pattern = Image.new("RGBA", (side, side))
    draw = ImageDraw.Draw(pattern)
    line = "   ·   ".join([words] * (1 + math.ceil(side / max(1.0, font.getlength(words)))))
    for number in range(LINES):
        top = side * (number + 0.5) / LINES - height / 2
        place = (-number * font.getlength(words) / 2, top)
        draw.text(
            place, line, (255, 255, 255, OPACITY), font, stroke_width=height // 20, stroke_fill=(0, 0, 0, OPACITY)
        )
    turned = pattern.rotate(ANGLE, Image.Resampling.BICUBIC)
    left, top = (side - size[0]) // 2, (side - size[1]) // 2
    return turned.crop((left, top, left + size[0], top + size[1]))


@cache
def _font(height: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(SourceSansProBold, height)
