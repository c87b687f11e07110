"""The compositions that a `Shot` may name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from demo import prints, scenery
from demo.portraits import PORTRAITS

if TYPE_CHECKING:
    from collections.abc import Callable

    from demo.album import Photo, Shot
    from demo.portraits import Portrait

GOLD, SILVER, BRONZE = (216, 176, 60), (186, 192, 200), (190, 126, 76)
BOARDS = ((148, 108, 76), (74, 98, 112), (120, 84, 82), (96, 108, 84))
"""The colours of wooden boards: oak, blue, red, green."""


def course(photo: Photo) -> Image.Image:
    """The course, with nobody on it."""
    return scenery.course(photo.shot.size, photo.shot.hour, photo.number, arch=photo.shot.text)


def solo(photo: Photo) -> Image.Image:
    """One person, as the portrait shows them, closer or further away and perhaps tilted."""
    shot = photo.shot
    portrait = PORTRAITS[shot.portraits[0]]
    height = shot.size[1]
    centre = (_across(portrait, shot), height * _down(portrait, shot.zoom))
    return prints.placed(portrait, shot.size, shot.zoom * height, centre, shot.tilt)


def _across(portrait: Portrait, shot: Shot) -> float:
    """Return where across the photo the face is; one that the portrait cuts is cut in the same way."""
    width, half_face = shot.size[0], shot.zoom * shot.size[1] * 0.28
    if portrait.face[0] == 0:
        return half_face
    if portrait.face[0] + portrait.face[2] == portrait.open().width:
        return width - half_face
    return width * 0.5


def _down(portrait: Portrait, zoom: float) -> float:
    """Return how far down the face is, such that the portrait reaches the bottom and if possible the top."""
    _, y, _, face_height = portrait.face
    below = portrait.open().height - y - face_height
    highest, lowest = 1 - zoom * (0.5 + below / face_height), zoom * (0.5 + y / face_height)
    return max(highest, min(0.48, lowest))


def lineup(photo: Photo) -> Image.Image:
    """People behind the barrier, shoulder to shoulder in front of the course."""
    shot = photo.shot
    width, height = shot.size
    picture = scenery.course(shot.size, shot.hour, photo.number)
    top = round(height * 0.84)
    face = round(min(height * 0.34, width / len(shot.portraits) * 0.6))
    rng = np.random.default_rng(photo.number)
    for place, name in enumerate(shot.portraits):
        size = round(face * rng.uniform(0.92, 1.08))
        sticker = prints.with_shadow(prints.cutout(PORTRAITS[name], size), shot.tilt)
        middle = width * (place + 0.5) / len(shot.portraits)
        picture.paste(sticker, (round(middle - sticker.width / 2), top - round(size * 1.9)), sticker)
    scenery.barrier(picture, top)
    return picture


def wall(photo: Photo) -> Image.Image:
    """Instant prints pinned to a wooden board."""
    shot = photo.shot
    picture = scenery.board(shot.size, photo.number, BOARDS[photo.number % len(BOARDS)])
    rng = np.random.default_rng(photo.number)
    columns, card = _grid(len(shot.portraits), shot.size)
    rows = math.ceil(len(shot.portraits) / columns)
    for place, name in enumerate(shot.portraits):
        row, column = divmod(place, columns)
        in_row = min(columns, len(shot.portraits) - row * columns)
        print_ = prints.polaroid(PORTRAITS[name], card, shot.text, ("plain", "warm", "cool")[place % 3])
        print_ = prints.with_shadow(print_, rng.uniform(-7, 7))
        x = shot.size[0] * (column + 0.5) / in_row + rng.uniform(-0.02, 0.02) * card
        y = shot.size[1] * (row + 0.5) / rows + rng.uniform(-0.03, 0.03) * card
        picture.paste(print_, (round(x - print_.width / 2), round(y - print_.height / 2)), print_)
        _pin(picture, (x, y - card * 0.5), card / 34)
    return picture


def _grid(count: int, size: scenery.Size) -> tuple[int, int]:
    """Return in how many columns so many prints are largest, and how wide each is then."""
    widths = {
        columns: round(min(size[0] / columns * 0.86, size[1] / math.ceil(count / columns) * 0.74))
        for columns in range(1, count + 1)
    }
    return max(widths.items(), key=lambda item: item[1])


def _pin(picture: Image.Image, at: tuple[float, float], radius: float) -> None:
    draw = ImageDraw.Draw(picture)
    x, y = at
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=scenery.ACCENT)
    shine = radius * 0.35
    draw.ellipse((x - 2 * shine, y - 2 * shine, x - shine / 2, y - shine / 2), fill=(255, 170, 150))


def strip(photo: Photo) -> Image.Image:
    """A strip from the photo booth, one person in each frame."""
    shot = photo.shot
    width, height = shot.size
    picture = Image.new("RGB", shot.size, (247, 245, 240))
    gap = round(height * 0.035)
    foot = round(height * 0.13)
    frame = (width - gap) // len(shot.portraits) - gap, height - gap - foot
    for place, name in enumerate(shot.portraits):
        face = prints.cropped(PORTRAITS[name], frame, min(0.46, 0.62 * frame[0] / frame[1]))
        face = prints.relight(face, ("warm", "plain", "cool", "bright")[place % 4])
        picture.paste(face, (gap + place * (frame[0] + gap), gap))
    draw = ImageDraw.Draw(picture)
    line = height - foot / 2
    draw.text((gap, line), scenery.BRAND, scenery.ACCENT, scenery.font(foot * 0.42), "lm")
    draw.text((width - gap, line), shot.text, (90, 90, 96), scenery.font(foot * 0.42), "rm")
    return picture


def podium(photo: Photo) -> Image.Image:
    """Second, first and third of something, in rings above their steps."""
    shot = photo.shot
    width, height = shot.size
    picture = scenery.course(shot.size, shot.hour, photo.number)
    draw = ImageDraw.Draw(picture)
    disc = round(width * 0.25)
    for place, (name, ring, number, top) in enumerate(
        zip(shot.portraits, (SILVER, GOLD, BRONZE), "213", (0.7, 0.6, 0.76), strict=True)
    ):
        left, step = width * (0.08 + 0.28 * place), height * top
        draw.rectangle((left, step, left + width * 0.28, height), fill=scenery.ACCENT)
        draw.rectangle((left, step, left + width * 0.28, step + height * 0.02), fill="white")
        draw.text((left + width * 0.14, step + height * 0.13), number, "white", scenery.font(height * 0.12), "mm")
        print_ = prints.with_shadow(prints.medallion(PORTRAITS[name], disc, ring))
        at = (left + width * 0.14 - print_.width / 2, step - height * 0.03 - (print_.height + disc) / 2)
        picture.paste(print_, (round(at[0]), round(at[1])), print_)
    draw.text((width / 2, height * 0.94), shot.text, "white", scenery.font(height * 0.06), "mm")
    return picture


LAYOUTS: dict[str, Callable[[Photo], Image.Image]] = {
    "course": course,
    "solo": solo,
    "lineup": lineup,
    "wall": wall,
    "strip": strip,
    "podium": podium,
}
