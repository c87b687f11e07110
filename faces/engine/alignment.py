"""Cuts faces out of a picture, at the place, turn and size a recogniser was trained on.

A crop is described by the 2x3 matrix that takes a point of the picture to a point of the crop.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from .base import Box, Detection, Point, RGBArray
from .pixels import halved

Matrix = NDArray[np.float64]

ARCFACE_SIDE: Final = 112
ARCFACE_TEMPLATE: Final = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
"""Where the five landmarks lie in ArcFace's 112x112 crop (insightface, `arcface_src`)."""


def to_template(landmarks: Sequence[Point], scale: float = 1.0) -> Matrix:
    """Return the crop that lays five landmarks on ArcFace's template, scaled about the centre of the crop."""
    centre = ARCFACE_SIDE / 2
    return similarity(np.array(landmarks), centre + (ARCFACE_TEMPLATE - centre) * scale)


def to_box(face: Detection, margin: float, side: int) -> Matrix:
    """Return the crop that fills a square of `side` pixels with the box and a margin, a share of its sides.

    The box is turned about its centre until the eyes, where known, are level.
    """
    box = face.box
    size = np.array([side / box.width, side / box.height]) / (1 + margin)
    scaled_turn = np.diag(size) @ _level(face.landmarks)
    centre = np.array([box.x + box.width / 2, box.y + box.height / 2])
    return np.column_stack([scaled_turn, side / 2 - scaled_turn @ centre])


def to_square(face: Detection, margin: float, side: int) -> Matrix:
    """Return the crop of `to_box` that does not stretch: of the square around the middle of the box."""
    box, length = face.box, max(face.box.width, face.box.height)
    left, top = box.x + (box.width - length) / 2, box.y + (box.height - length) / 2
    return to_box(replace(face, box=Box(left, top, length, length)), margin, side)


def tilt(landmarks: Sequence[Point]) -> float:
    """Return the angle of the line from the right eye to the left one, in degrees; 0 where these are not known."""
    if len(landmarks) < 2:
        return 0.0
    (right_x, right_y), (left_x, left_y) = landmarks[:2]
    return float(np.degrees(np.arctan2(left_y - right_y, left_x - right_x)))


def _level(landmarks: Sequence[Point]) -> Matrix:
    """Return the turn that brings the line between the eyes level."""
    angle = np.radians(tilt(landmarks))
    cosine, sine = np.cos(angle), np.sin(angle)
    return np.array([[cosine, sine], [-sine, cosine]])


def similarity(source: Matrix, target: Matrix) -> Matrix:
    """Return the turn, size and shift that takes the source's points closest to the target's; both (n, 2).

    Least squares, never mirrored: S. Umeyama, "Least-squares estimation of transformation parameters" (1991).
    """
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred = source - source_mean
    covariance = (target - target_mean).T @ centred / len(source)
    left, strength, right = np.linalg.svd(covariance)
    signs = np.array([1.0, np.sign(np.linalg.det(left) * np.linalg.det(right))])
    turn = (left * signs) @ right
    size = (strength * signs).sum() / centred.var(axis=0).sum()
    shift = target_mean - size * turn @ source_mean
    return np.column_stack([size * turn, shift])


def crop(image: RGBArray, matrix: Matrix, side: int) -> RGBArray:
    """Return the (side, side, 3) crop; what lies outside of the picture is black.

    A face much larger than the crop is shrunk first, by averaging: interpolation alone would skip pixels.
    """
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    if scale < 0.5:
        image, matrix = _shrunken(image, matrix, side, scale)
    warped = cv2.warpAffine(image, matrix, (side, side), flags=cv2.INTER_LINEAR)
    return np.asarray(warped, dtype=np.uint8)


def _shrunken(image: RGBArray, matrix: Matrix, side: int, scale: float) -> tuple[RGBArray, Matrix]:
    """Return what the crop shows of the picture, halved to once or twice its size there, and the crop's matrix there.

    No further, since the interpolation that follows takes the mean of up to two pixels.
    """
    halvings = int(np.ceil(np.log2(0.5 / scale)))
    growth = 2**halvings
    left, top, right, bottom = _seen(matrix, side, image.shape, margin=growth)
    image = image[top:bottom, left:right]
    for _ in range(halvings):
        image = halved(image)
    grow = np.diag([growth, growth, 1.0])
    # The centre of pixel 0 is half a pixel from its edge, before as after shrinking.
    grow[:2, 2] = [left + (growth - 1) / 2, top + (growth - 1) / 2]
    return image, matrix @ grow


def _seen(matrix: Matrix, side: int, shape: tuple[int, ...], margin: int) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what the crop shows of the picture and a margin, at least one pixel."""
    corners = np.array([[0, 0, side, side], [0, side, 0, side]]) - matrix[:, 2:]
    x, y = np.linalg.solve(matrix[:, :2], corners)
    (left, right), (top, bottom) = (
        (int(np.clip(axis.min() - margin, 0, most - 1)), int(np.clip(np.ceil(axis.max() + margin), 1, most)))
        for axis, most in ((x, shape[1]), (y, shape[0]))
    )
    return left, top, max(right, left + 1), max(bottom, top + 1)
