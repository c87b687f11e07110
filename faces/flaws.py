"""What makes the face in a selfie hard to recognise: too few pixels, too little light, too much blur."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image as Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faces.engine import Box, RGBArray

SMALLEST = 40
"""Pixels of the longer side of a face.

120 people of LFW, their selfies made worse step by step, beside the centroid of up to five other photos of theirs, with
the default engine: as they are, 97 % were surely found. Shrunk to faces of 51 pixels 97 %, of 46 96 %, of 38 88 %, of
33 72 %, of 27 29 %, of 24 8 %.
"""

DARKEST = 25.0
"""Mean luminance of a face, of 255.

The same selfies, darkened to a luminance of 39: 97 % surely found; of 26 96 %, of 19 86 %, of 13 33 %, of 9 5 %; with
noise as well (standard deviation 4) 96 %, 84 % (26) and 8 % (13).
"""

BLURRIEST = 0.02
"""Share of a face's contrast that is in its finest details (`sharpness`).

The same selfies as they are: 0.19, 19 in 20 more than 0.08. Blurred to 0.032, 96 % surely found; to 0.020 88 %, to
0.014 72 %, to 0.010 48 %, to 0.008 23 %; three times as large, to 0.032 97 %, to 0.013 74 %, to 0.007 21 %.
"""

SIDE = 64
"""Pixels of the square that a face is scaled to before its sharpness is measured."""

SMEARED = 0.11
COARSE = 24
"""Share of a face's contrast that is in its details at COARSE pixels, below which it is like all other blurred faces.

959 photos of 500 people of LFW; selfies of strangers and of these people, blurred step by step like with a smeared or
unfocused lens, with and without noise. Below it, 24 of 842 strangers were surely shown somebody, and 263 maybe; of 664
others 4 surely found themselves, and 18 somebody else. Above it, 3 of 1,987 strangers were; of 1,582 others, 759
surely found themselves, and one somebody else. Noise passes for details with `sharpness` at SIDE, and not with this. As
they are, all selfies have 0.33 and more, and faces of 40 pixels and more in RBNR's marathon photos 0.13 (236 faces).
"""

LUMINANCE = (0.299, 0.587, 0.114)
"""What red, green and blue bring to it (ITU-R BT.601)."""

REASONS = {
    "too_small": "The face is too small to be recognised. Come closer to the camera.",
    "too_dark": "The face is too dark to be recognised. Turn towards the light.",
    "too_blurred": "The face is too blurred to be recognised. Wipe the lens and hold the camera still.",
}
"""By code, a sentence that says what to do."""


def flaw_of(pixels: RGBArray, box: Box) -> str:
    """Return the code of the worst of what speaks against a face, or nothing."""
    face = _cut(pixels, box)
    if max(box.width, box.height) < SMALLEST:
        return "too_small"
    # Every ninth pixel tells it as well.
    if luminance(face[::3, ::3]).mean() < DARKEST:
        return "too_dark"
    return "too_blurred" if sharpness(face) < BLURRIEST else ""


def is_smeared(pixels: RGBArray, box: Box) -> bool:
    """Tell whether a face is blurred beyond recognition: compared with others, it would find strangers.

    A face that is too small never is: those have few details, and `quality.clarity` trusts them less already.
    """
    return max(box.width, box.height) >= SMALLEST and sharpness(_cut(pixels, box), COARSE) < SMEARED


def luminance(pixels: RGBArray) -> NDArray[np.float64]:
    """Return the (height, width) luminance of each pixel, 0 to 255."""
    return np.asarray(pixels @ np.array(LUMINANCE))


def sharpness(face: RGBArray, side: int = SIDE) -> float:
    """Return the variance of the Laplacian of a face, of any size, as a share of its variance, at `side` pixels.

    The share does not depend on light and contrast. A face of one colour alone has nothing to be blurred: infinite.
    """
    grey = luminance(np.asarray(Picture.fromarray(face).resize((side, side), Picture.Resampling.BILINEAR)))
    if grey.var() < 1:
        return math.inf
    sides = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:]
    return float((4 * grey[1:-1, 1:-1] - sides).var() / grey.var())


def _cut(pixels: RGBArray, box: Box) -> RGBArray:
    rows = slice(int(box.y), math.ceil(box.y + box.height))
    columns = slice(int(box.x), math.ceil(box.x + box.width))
    return pixels[rows, columns]
