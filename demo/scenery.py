"""Painted backgrounds: a race course under a sky, a wooden board. Nothing in them looks like a face."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont, ImageOps

if TYPE_CHECKING:
    from numpy.random import Generator

Size = tuple[int, int]
Colour = tuple[int, int, int]

BRAND = "DEMO CITY MARATHON"
ACCENT = (236, 72, 46)
CANVAS = 2000
"""The long side at which a background is painted, whatever the size of the photo."""


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one hour of the day; the hills go from far to near."""

    zenith: Colour
    horizon: Colour
    sun: Colour
    hills: tuple[Colour, Colour, Colour]
    road: Colour


HOURS = {
    "dawn": Palette(
        zenith=(92, 105, 160),
        horizon=(255, 196, 150),
        sun=(255, 232, 190),
        hills=((150, 128, 160), (98, 94, 128), (56, 64, 84)),
        road=(88, 84, 96),
    ),
    "morning": Palette(
        zenith=(74, 144, 214),
        horizon=(206, 232, 248),
        sun=(255, 250, 224),
        hills=((136, 176, 190), (96, 150, 120), (62, 120, 72)),
        road=(112, 114, 120),
    ),
    "noon": Palette(
        zenith=(38, 112, 200),
        horizon=(168, 214, 246),
        sun=(255, 255, 240),
        hills=((110, 158, 170), (104, 162, 84), (70, 134, 52)),
        road=(126, 128, 132),
    ),
    "dusk": Palette(
        zenith=(52, 44, 100),
        horizon=(250, 136, 90),
        sun=(255, 214, 130),
        hills=((128, 82, 120), (84, 56, 96), (42, 34, 62)),
        road=(66, 58, 76),
    ),
}


def course(size: Size, hour: str, seed: int, *, arch: str = "") -> Image.Image:
    """Paint a road through hills, with an inflatable arch over it when a word for the arch is given."""
    rng = np.random.default_rng(seed)
    palette, canvas = HOURS[hour], _canvas_size(size)
    picture = _sky(canvas, palette, rng)
    _paint_hills(picture, palette, rng)
    _paint_road(picture, palette)
    if arch:
        _paint_arch(picture, arch)
    return picture.resize(size, Image.Resampling.BICUBIC)


def board(size: Size, seed: int, colour: Colour) -> Image.Image:
    """Paint a board of vertical planks."""
    rng = np.random.default_rng(seed)
    width, height = _canvas_size(size)
    plank = max(1, width // 9)
    shades = np.repeat(rng.normal(1, 0.05, width // plank + 1), plank)[:width]
    shades[::plank] *= 0.55
    # Noise stretched along the planks is their grain.
    grain = np.clip((shades + rng.normal(0, 0.035, (height // 40 + 1, width))) * 180, 0, 255).astype(np.uint8)
    light = Image.fromarray(grain).resize(size, Image.Resampling.BICUBIC)
    tints = [light.point([min(255, value * part // 180) for value in range(256)]) for part in colour]
    return vignette(Image.merge("RGB", tints))


def barrier(picture: Image.Image, top: int, colour: Colour = ACCENT) -> None:
    """Paint a banner along the bottom of the photo, from `top` down, as it stands along a course."""
    draw = ImageDraw.Draw(picture)
    width, height = picture.size
    draw.rectangle((0, top, width, height), fill=colour)
    draw.rectangle((0, top, width, top + (height - top) // 14), fill="white")
    text_font = font((height - top) * 0.36)
    step = draw.textlength(BRAND + "   /   ", text_font)
    for place in range(math.ceil(width / step) + 1):
        draw.text(((place - 0.3) * step, top + (height - top) * 0.55), BRAND + "   /", "white", text_font, "lm")


def vignette(picture: Image.Image, strength: float = 0.35) -> Image.Image:
    """Darken the corners."""
    fall = Image.radial_gradient("L").resize(picture.size, Image.Resampling.BILINEAR)
    light = fall.point([round(255 - strength * max(0, value - 90) * 255 / 165) for value in range(256)])
    return ImageChops.multiply(picture, Image.merge("RGB", (light, light, light)))


def font(size: float) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return the font that comes with Pillow, the same on every machine."""
    return ImageFont.load_default(max(8, round(size)))


def _canvas_size(size: Size) -> Size:
    scale = CANVAS / max(size)
    return round(size[0] * scale), round(size[1] * scale)


def _sky(size: Size, palette: Palette, rng: Generator) -> Image.Image:
    gradient = Image.linear_gradient("L").resize((size[0], round(size[1] * 0.62)))
    picture = Image.new("RGB", size, palette.horizon)
    picture.paste(ImageOps.colorize(gradient, palette.zenith, palette.horizon))
    _paint_sun(picture, palette, rng)
    _paint_clouds(picture, rng)
    return picture


def _paint_sun(picture: Image.Image, palette: Palette, rng: Generator) -> None:
    radius = min(picture.size) // 3
    glow = Image.radial_gradient("L").resize((2 * radius, 2 * radius))
    # A bright disc in a halo that fades to nothing at the rim of the square.
    mask = glow.point([255 if value < 38 else round(max(0, 1 - value / 176) ** 2 * 170) for value in range(256)])
    x = int(rng.uniform(0.12, 0.88) * picture.width)
    y = int(rng.uniform(0.2, 0.38) * picture.height)
    picture.paste(palette.sun, (x - radius, y - radius), mask.filter(ImageFilter.GaussianBlur(3)))


def _paint_clouds(picture: Image.Image, rng: Generator) -> None:
    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    for _ in range(4):
        x, y = rng.uniform(0, picture.width), rng.uniform(0.05, 0.3) * picture.height
        for _ in range(9):
            width, height = rng.uniform(80, 260), rng.uniform(18, 44)
            left, top = x + rng.normal(0, 130), y + rng.normal(0, 14)
            draw.ellipse((left, top, left + width, top + height), fill=150)
    picture.paste("white", mask=mask.filter(ImageFilter.GaussianBlur(16)))


def _paint_hills(picture: Image.Image, palette: Palette, rng: Generator) -> None:
    draw = ImageDraw.Draw(picture)
    columns = np.linspace(0, 1, 200)
    for level, (colour, rise) in enumerate(zip(palette.hills, (0.11, 0.06, 0.02), strict=True)):
        phases = rng.uniform(0, 2 * math.pi, 4)
        waves = sum(np.sin((2.2 * wave + 3) * columns * 2 + phases[wave]) / (wave + 1.5) for wave in range(4))
        ridge = (0.62 - rise + 0.03 * level + waves * 0.028) * picture.height
        points = list(zip((columns * picture.width).tolist(), ridge.tolist(), strict=True))
        draw.polygon([*points, picture.size, (0, picture.height)], fill=colour)


def _paint_road(picture: Image.Image, palette: Palette) -> None:
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    far = height * 0.66
    for near, colour in ((width * 0.56, (236, 236, 236)), (width * 0.54, palette.road)):
        _paint_ribbon(draw, (width / 2, far, height), (near * 0.05, near), colour)
    for dash in range(6):
        # Dashes grow towards the viewer, as the square of the distance along the picture.
        top, bottom = (far + (height - far) * ((dash + part) / 6) ** 2 for part in (0.25, 0.75))
        thin, thick = (width * 0.012 * (edge - far) / (height - far) + 1 for edge in (top, bottom))
        _paint_ribbon(draw, (width / 2, top, bottom), (thin, thick), (255, 255, 255))


def _paint_ribbon(
    draw: ImageDraw.ImageDraw, place: tuple[float, float, float], halves: tuple[float, float], colour: Colour
) -> None:
    """Paint what lies flat on the ground: around a middle, from a far to a near edge of these half widths."""
    (middle, top, bottom), (far, near) = place, halves
    corners = [(middle - far, top), (middle + far, top), (middle + near, bottom), (middle - near, bottom)]
    draw.polygon(corners, fill=colour)


def _paint_arch(picture: Image.Image, word: str) -> None:
    width, height = picture.size
    draw = ImageDraw.Draw(picture)
    left, right, top, ground = width * 0.2, width * 0.8, height * 0.24, height * 0.82
    beam, leg = height * 0.15, width * 0.055
    draw.rectangle((left, top + beam / 2, left + leg, ground), fill=ACCENT)
    draw.rectangle((right - leg, top + beam / 2, right, ground), fill=ACCENT)
    draw.rounded_rectangle((left, top, right, top + beam), radius=beam * 0.3, fill=ACCENT)
    draw.rounded_rectangle((left, top, right, top + beam * 0.24), radius=beam * 0.12, fill=(250, 120, 88))
    draw.text(((left + right) / 2, top + beam * 0.58), word, "white", font(beam * 0.6), "mm")
