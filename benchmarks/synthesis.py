"""Photos of 24 megapixels in any number, from the demo's portraits: what a camera delivers, for measuring speed.

A few base scenes with the grain of a sensor, moved for every photo, and up to six people in front. The same number
always gives the same photos, and no two are alike. They are for speed only; who is in them is not written down.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from demo.portraits import PORTRAITS

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.random import Generator
    from numpy.typing import NDArray

WIDTH, HEIGHT = 6000, 4000
JPEG_QUALITY = 87
SCENES = 3
GRAIN = 5.0
"""Standard deviation of the noise, of 255; with this and the quality a file has about 5 MB."""

PLACES = 3, 2
"""People stand in the cells of a grid, one in each at most."""

MIN_FACE, MAX_FACE = 160, 620
"""Width of a face, in pixels."""


def make(folder: Path, number: int) -> Path:
    """Write the photo of this number, with 0 to 6 faces, into the folder, unless it is there."""
    path = folder / f"photo-{number:05}.jpg"
    if path.exists():
        return path
    rng = np.random.default_rng(number)
    pixels = np.roll(_scene(number % SCENES), rng.integers(0, (HEIGHT, WIDTH)), axis=(0, 1))
    picture = Image.fromarray(pixels)
    cells = rng.permutation(PLACES[0] * PLACES[1])
    for cell in cells[: rng.integers(0, len(cells) + 1)]:
        _place(picture, int(cell), rng)
    picture.save(path, quality=JPEG_QUALITY)
    return path


@cache
def _scene(number: int) -> NDArray[np.uint8]:
    """Return a blurred background of coloured shapes under grain: (HEIGHT, WIDTH, 3)."""
    rng = np.random.default_rng(number)
    small = rng.integers(40, 200, (8, 12, 3), dtype=np.uint8)
    shapes = Image.fromarray(small).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)
    fine = rng.integers(60, 196, (HEIGHT // 16, WIDTH // 16), dtype=np.uint8)
    texture = np.asarray(Image.fromarray(fine).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float32)
    grain = rng.standard_normal((HEIGHT, WIDTH), np.float32) * GRAIN
    light = (texture - 128) / 4 + grain
    return np.clip(np.asarray(shapes, np.float32) + light[..., None], 0, 255).astype(np.uint8)


def _place(picture: Image.Image, cell: int, rng: Generator) -> None:
    """Put a random portrait of a random size somewhere into a cell of the grid, with soft edges."""
    names = sorted(PORTRAITS)
    portrait = _portrait(names[rng.integers(len(names))], int(rng.integers(MIN_FACE, MAX_FACE)))
    room_across, room_down = WIDTH // PLACES[0], HEIGHT // PLACES[1]
    across = int(rng.integers(0, max(1, room_across - portrait.width)))
    down = int(rng.integers(0, max(1, room_down - portrait.height)))
    corner = cell % PLACES[0] * room_across + across, cell // PLACES[0] * room_down + down
    picture.paste(portrait, corner, _soft_edges(portrait.size))


def _portrait(name: str, face_width: int) -> Image.Image:
    """Return the portrait with a face of this width, and no larger than a cell of the grid."""
    original = _original(name)
    scale = face_width / PORTRAITS[name].face[2]
    scale = min(scale, WIDTH / PLACES[0] / original.width, HEIGHT / PLACES[1] / original.height)
    return original.resize((round(original.width * scale), round(original.height * scale)), reducing_gap=2.0)


@cache
def _original(name: str) -> Image.Image:
    return PORTRAITS[name].open()


def _soft_edges(size: tuple[int, int]) -> Image.Image:
    """Return a mask; a tenth of its size is enough to blur."""
    small = max(8, size[0] // 10), max(8, size[1] // 10)
    mask = Image.new("L", small)
    ImageDraw.Draw(mask).rectangle((3, 3, small[0] - 4, small[1] - 4), fill=255)
    return mask.filter(ImageFilter.GaussianBlur(2)).resize(size)
