"""How well a face can be seen: which is the best one to show, and how much a similarity of it is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from faces.engine import Detection
    from faces.engine.base import Point

CLEAR_SIDE = 80
"""From this many pixels on, a larger face is not recognised any better."""

BLURRED = 0.65
"""What a similarity is worth between faces of next to no pixels: small faces all look alike.

RBNR (faces of 28 pixels in the middle), 76,000 pairs of strangers: 250 in a million reach the similarity that 10 in a
million of LFW reach with 0.8, 53 with 0.7, 26 with 0.6. Groups of RBNR: pairwise precision 0.85 with 0.7, 0.88 with
0.65, both at a recall of 0.74; of LFW shrunk to small faces 0.998 and 0.9998, for 0.37 and 0.33 of the pairs. LFW,
whose faces are large, stays as it is."""

NOSE = (0.0, 0.55)
"""Where the nose of a face that looks at the camera is: so far along the line between the eyes, from their middle, and
so far down to the mouth."""

LEAST = 0.1
"""The worst of each share of the quality: the others go on to tell which of two bad faces is the better one."""


def quality(found: Detection) -> float:
    """Return how good a picture of its person a face is, above 0 and up to 1: for the cover, and to tell bad ones.

    Surely detected, large and turned to the camera. Of a person's faces in LFW the best one is on average 0.663 similar
    to the others, with detector score times size alone 0.655; in LFW shrunk to small faces in part 0.574 and 0.570.
    """
    sure = float(np.interp(found.score, [0.6, 0.95], [LEAST, 1]))
    large = min(found.box.width, found.box.height) / CLEAR_SIDE
    return sure * float(np.sqrt(np.clip(large, LEAST, 1) * frontality(found.landmarks)))


def frontality(landmarks: Sequence[Point]) -> float:
    """Return how far a face looks at the camera, by the place of its nose: from 0.1, in profile, to 1.

    1 where the detector does not tell all five landmarks.
    """
    if len(landmarks) < 5:
        return 1.0
    right_eye, left_eye, nose, right_mouth, left_mouth = np.array(landmarks, np.float64)
    eyes = (right_eye + left_eye) / 2
    axes = np.column_stack([left_eye - right_eye, (right_mouth + left_mouth) / 2 - eyes])
    if np.linalg.cond(axes) > 1e3:
        return LEAST
    turned = np.abs(np.linalg.solve(axes, nose - eyes) - NOSE).sum()
    return float(np.clip(1 - turned, LEAST, 1))


def clarity(width: ArrayLike, height: ArrayLike) -> NDArray[np.float32]:
    """Return the factor, up to 1, that a face of this size (in pixels) brings to each of its similarities."""
    side = np.minimum(width, height).astype(np.float32)
    return np.sqrt(BLURRED + (1 - BLURRED) * np.minimum(side / CLEAR_SIDE, 1))
