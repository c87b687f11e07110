"""What becomes of one portrait: re-lit, placed, cut out, printed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

from demo.scenery import Size, font

if TYPE_CHECKING:
    from demo.portraits import Box, Portrait

LIGHTS = {
    # gain of red, green, blue; gamma (below 1: darker)
    "plain": (1.0, 1.0, 1.0, 1.0),
    "warm": (1.1, 1.0, 0.84, 1.05),
    "cool": (0.9, 1.0, 1.12, 1.0),
    "dark": (0.72, 0.72, 0.78, 0.85),
    "bright": (1.12, 1.12, 1.1, 1.3),
}


def relight(picture: Image.Image, light: str) -> Image.Image:
    """Return the picture in another light (see `LIGHTS`)."""
    *gains, gamma = LIGHTS[light]
    curves = [min(255, round(255 * gain * (value / 255) ** (1 / gamma))) for gain in gains for value in range(256)]
    return picture.point(curves)


def placed(portrait: Portrait, size: Size, face_height: float, centre: tuple[float, float], tilt: float) -> Image.Image:
    """Return a photo of `size` with the face `face_height` pixels high around `centre`, tilted by so many degrees.

    What the portrait does not cover continues its edges, out of focus.
    """
    picture = portrait.open()
    x, y, width, height = portrait.face
    scale = height / face_height
    cosine, sine = math.cos(math.radians(tilt)) * scale, math.sin(math.radians(tilt)) * scale
    # Where each pixel of the photo comes from: turned and scaled around the face.
    a, b, d, e = cosine, sine, -sine, cosine
    c = x + width / 2 - a * centre[0] - b * centre[1]
    f = y + height / 2 - d * centre[0] - e * centre[1]
    origin = (a, b, c, d, e, f)
    front = _feathered(picture, portrait.face).transform(
        size, Image.Transform.AFFINE, origin, Image.Resampling.BILINEAR
    )
    photo = _surroundings(picture, size, origin)
    photo.paste(front, mask=front.getchannel("A"))
    return photo


def cropped(portrait: Portrait, size: Size, face_height: float = 0.46) -> Image.Image:
    """Return a head-and-shoulders print, the face taking this part of its height."""
    height = face_height * size[1]
    return placed(portrait, size, height, (size[0] / 2, size[1] * 0.48), 0)


def polaroid(portrait: Portrait, width: int, caption: str, light: str) -> Image.Image:
    """Return a white-rimmed print with a caption, RGBA."""
    rim = width // 16
    side = width - 2 * rim
    card = Image.new("RGBA", (width, round(width * 1.2)), (250, 248, 242, 255))
    card.paste(relight(cropped(portrait, (side, round(side * 1.02)), 0.52), light), (rim, rim))
    draw = ImageDraw.Draw(card)
    draw.text((width / 2, width * 1.105), caption, (70, 66, 72), font(width * 0.075), "mm")
    return card


def cutout(portrait: Portrait, face_height: int) -> Image.Image:
    """Return head and shoulders cut out along a white rim, like a sticker, RGBA."""
    x, y, width, height = portrait.face
    picture = portrait.open()
    box = (x - 1.15 * width, y - 0.5 * height, x + 2.15 * width, min(picture.height, y + 2.0 * height))
    scale = face_height / height
    size = round((box[2] - box[0]) * scale), round((box[3] - box[1]) * scale)
    crop = picture.transform(size, Image.Transform.EXTENT, box, Image.Resampling.BILINEAR)
    inside = Image.new("L", picture.size, 255).transform(size, Image.Transform.EXTENT, box)
    outline = ImageChops.multiply(_bust(size, face_height, width * scale), inside)
    return _sticker(crop, outline, rim=max(2, face_height // 28))


def medallion(portrait: Portrait, diameter: int, ring: tuple[int, int, int]) -> Image.Image:
    """Return a round print in a coloured ring, RGBA."""
    face = relight(cropped(portrait, (diameter, diameter), 0.5), "plain")
    disc = Image.new("L", (diameter * 2, diameter * 2))
    ImageDraw.Draw(disc).ellipse((0, 0, diameter * 2 - 1, diameter * 2 - 1), fill=255)
    disc = disc.resize((diameter, diameter), Image.Resampling.LANCZOS)
    rim = diameter // 18
    inner = ImageOps.expand(disc.resize((diameter - 2 * rim,) * 2, Image.Resampling.LANCZOS), rim, 0)
    print_ = Image.new("RGBA", face.size, (*ring, 255))
    print_.paste(face, mask=inner)
    print_.putalpha(disc)
    return print_


def with_shadow(picture: Image.Image, angle: float = 0.0) -> Image.Image:
    """Return an RGBA picture turned by `angle` degrees, with a soft shadow below it and room around."""
    pad = max(picture.size) // 18
    turned = ImageOps.expand(picture, pad, (0, 0, 0, 0)).rotate(angle, Image.Resampling.BICUBIC, expand=True)
    alpha = turned.getchannel("A")
    # Blurred small: the result is the same, and many times quicker.
    small = alpha.resize((max(1, alpha.width // 8), max(1, alpha.height // 8)))
    dim = small.filter(ImageFilter.GaussianBlur(pad / 24)).resize(alpha.size, Image.Resampling.BILINEAR)
    dim = ImageChops.offset(dim.point([value * 140 // 255 for value in range(256)]), pad // 4, pad // 3)
    result = Image.new("RGBA", turned.size)
    result.putalpha(dim)
    return Image.alpha_composite(result, turned)


def _feathered(picture: Image.Image, face: Box) -> Image.Image:
    """Return the picture with sides that fade out, but for a side that cuts the face, RGBA."""
    edge = picture.width // 14
    left = edge if face[0] > 0 else 0
    right = picture.width - (edge if face[0] + face[2] < picture.width else 0)
    mask = Image.new("L", picture.size)
    ImageDraw.Draw(mask).rectangle((left, edge, right, picture.height), fill=255)
    faded = picture.convert("RGBA")
    faded.putalpha(mask.filter(ImageFilter.GaussianBlur(edge / 2.2)))
    return faded


def _surroundings(picture: Image.Image, size: Size, origin: tuple[float, ...]) -> Image.Image:
    """Return what continues the picture's edges on all sides, blurred, seen as `origin` maps it."""
    shrink, pad = 12, 240
    small = np.pad(np.asarray(picture.reduce(shrink)), ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    blurred = Image.fromarray(small).filter(ImageFilter.GaussianBlur(5))
    # Made at an eighth of the size, as nothing in it is sharp.
    a, b, c, d, e, f = origin
    mapping = (8 * a / shrink, 8 * b / shrink, c / shrink + pad, 8 * d / shrink, 8 * e / shrink, f / shrink + pad)
    eighth = math.ceil(size[0] / 8), math.ceil(size[1] / 8)
    seen = blurred.transform(eighth, Image.Transform.AFFINE, mapping, Image.Resampling.BILINEAR)
    return seen.resize(size, Image.Resampling.BILINEAR, box=(0, 0, size[0] / 8, size[1] / 8))


def _bust(size: Size, face_height: int, face_width: float) -> Image.Image:
    """Return the outline of a head with shoulders, the face's top left corner at 1.15 widths, 0.5 heights."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)

    def box(half: float, top: float, bottom: float) -> tuple[float, float, float, float]:
        """Return left, top, right, bottom of what is so wide around the face, in face widths and heights."""
        left, right = (1.65 - half) * face_width, (1.65 + half) * face_width
        return left, (0.5 + top) * face_height, right, (0.5 + bottom) * face_height

    draw.ellipse(box(0.76, -0.32, 1.08), fill=255)
    draw.rectangle(box(0.5, 0.6, 1.4), fill=255)
    draw.rounded_rectangle(box(1.5, 1.14, 4), radius=0.72 * face_width, fill=255)
    # Blurring and cutting at the middle rounds the corner between neck and shoulder.
    rounded = mask.filter(ImageFilter.GaussianBlur(face_height / 18))
    return rounded.point([0] * 112 + [(value - 112) * 8 for value in range(112, 144)] + [255] * 112)


def _sticker(crop: Image.Image, outline: Image.Image, rim: int) -> Image.Image:
    wider = outline.filter(ImageFilter.GaussianBlur(rim)).point([min(255, value * 6) for value in range(256)])
    sticker = Image.new("RGBA", crop.size, "white")
    sticker.paste(crop, mask=outline)
    sticker.putalpha(wider)
    return sticker
