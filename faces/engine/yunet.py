"""YuNet, the face detector of the default engines (MIT; Wu, Peng and Yu, 2023).

In: BGR, raw 0 to 255, any multiple of 32. Out, at strides 8, 16 and 32, one anchor per cell: `cls`, `obj` (the
score is the root of their product), `bbox` (centre and log size, in cells) and `kps` (five points, in cells).
"""

from dataclasses import replace
from typing import Final

import cv2
import numpy as np

from .alignment import Matrix, crop, tilt, to_square
from .base import Box, Detection, RGBArray
from .network import Float32, Network, takes_pictures
from .pixels import shrunken
from .weights import YUNET, folded

STRIDES: Final = (8, 16, 32)
LONG_SIDE: Final = 1280
"""Larger pictures are shrunk to this."""

SECOND_LOOK: Final = 320
LARGE: Final = 100
"""A second look, 2 ms at a quarter of the size, finds the faces that have more than 100 pixels there. The first look
misses or misplaces these: tight crops of portraits scored 0.5 to 0.7 at 1280, and 0.94 or more at 320."""

MIN_SCORE: Final = 0.7
"""Recall of 177 labelled runners (RBNR): 0.994 at 0.6 to 0.8, 0.85 at 0.9. Between 0.6 and 0.7 were 88 more detections
in 159 photos: backs of heads, fists and faces too blurred to tell apart."""

TILTED: Final = 10.0
LEVEL_SIDE: Final = 224
LEVEL_LOOKS: Final = 2
"""YuNet places the landmarks of faces that are tilted by more than ten degrees badly, so it looks at these again in
level crops, a millisecond each. LFW turned by 25 degrees against LFW, TAR of the default engine at FAR 1e-4: 0.873
without, 0.955 with one look, 0.969 with two; no difference at 12 degrees."""

MAX_OVERLAP: Final = 0.3
"""Intersection over union above which two detections are one face; OpenCV's default for this network."""


class YuNet:
    """See the module. Safe to call from several threads."""

    def __init__(self) -> None:
        import openvino

        model = openvino.Core().read_model(folded(YUNET))
        model.reshape([1, 3, -1, -1])
        model = takes_pictures(model, bgr=True)
        # Two, since a network that is given large and small pictures in turns takes 3 ms longer over both.
        self._large, self._small = Network(model), Network(model)

    def detect(self, image: RGBArray) -> list[Detection]:
        """Return the faces, best score first, in pixels of `image`; boxes are clipped to it."""
        small = shrunken(image, LONG_SIDE)
        found = self._look(small)
        if max(small.shape[:2]) > SECOND_LOOK:
            found = np.vstack([found, self._large_faces(small)])
        found[:, :14] *= _growth(small, image)
        faces = [_as_detection(row, image.shape) for row in _best(found)]
        seen = [face for face in faces if min(face.box.width, face.box.height) >= 1]
        return [self._relooked(image, face) if abs(tilt(face.landmarks)) > TILTED else face for face in seen]

    def _large_faces(self, image: RGBArray) -> Float32:
        small = shrunken(image, SECOND_LOOK)
        found = self._look(small)
        large: Float32 = found[found[:, 2:4].max(axis=1) > LARGE]
        large[:, :14] *= _growth(small, image)
        return large

    def _relooked(self, image: RGBArray, face: Detection) -> Detection:
        for _ in range(LEVEL_LOOKS):
            face = self._look_level(image, face)
        return face

    def _look_level(self, image: RGBArray, face: Detection) -> Detection:
        """Return the face as it is found in a level crop of its surroundings; as it is where none is found."""
        matrix = to_square(face, margin=1.0, side=LEVEL_SIDE)
        rows = _best(self._look(crop(image, matrix, LEVEL_SIDE)))
        centre = LEVEL_SIDE / 2
        around = [row for row in rows if np.all(np.abs(row[:2] + row[2:4] / 2 - centre) < row[2:4] / 2)]
        if not around:
            return face
        return replace(_as_detection(_moved_back(around[0], matrix), image.shape), score=face.score)

    def _look(self, image: RGBArray) -> Float32:
        """Return one row per likely anchor: x, y, width, height, five points, score."""
        canvas = _padded(image)
        outputs = (self._small if max(image.shape[:2]) <= SECOND_LOOK else self._large)(canvas)
        levels = [
            _decoded(outputs[level::3], stride, canvas.shape[2] // stride) for level, stride in enumerate(STRIDES)
        ]
        return np.vstack(levels)


def _padded(image: RGBArray) -> RGBArray:
    height, width = (-(-side // 32) * 32 for side in image.shape[:2])
    canvas = np.zeros((1, height, width, 3), np.uint8)
    canvas[0, : image.shape[0], : image.shape[1]] = image
    return canvas


def _decoded(outputs: list[Float32], stride: int, columns: int) -> Float32:
    cls, obj, bbox, kps = outputs
    score = np.sqrt(np.clip(cls[0], 0, 1) * np.clip(obj[0], 0, 1))
    likely = np.flatnonzero(score[:, 0] >= MIN_SCORE)
    cell = np.stack([likely % columns, likely // columns], axis=1).astype(np.float32)
    size = np.exp(bbox[0, likely, 2:])
    corner = cell + bbox[0, likely, :2] - size / 2
    points = kps[0, likely] + np.tile(cell, 5)
    return np.hstack([np.hstack([corner, size, points]) * stride, score[likely]])


def _moved_back(row: Float32, matrix: Matrix) -> Float32:
    """Return the row in pixels of the picture that the crop came from; the box keeps its size, and is not turned."""
    back = cv2.invertAffineTransform(matrix)
    corner, size, points = row[:2], row[2:4], row[4:14].reshape(5, 2)
    moved = np.vstack([corner + size / 2, points]) @ back[:, :2].T + back[:, 2]
    size = size * np.sqrt(np.linalg.det(back[:, :2]))
    return np.hstack([moved[0] - size / 2, size, moved[1:].ravel(), row[14:]]).astype(np.float32)


def _growth(small: RGBArray, image: RGBArray) -> Float32:
    """Return the factors from pixels of `small` to those of `image`, for the 14 coordinates of a row."""
    across, down = image.shape[1] / small.shape[1], image.shape[0] / small.shape[0]
    return np.tile(np.array([across, down], np.float32), 7)


def _best(rows: Float32) -> Float32:
    """Return the rows that are left, best first, when of overlapping ones only the best stays."""
    kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), MIN_SCORE, MAX_OVERLAP)
    return rows[np.asarray(kept, dtype=np.intp).ravel()]


def _as_detection(row: Float32, shape: tuple[int, ...]) -> Detection:
    height, width = shape[:2]
    left, top = max(0.0, float(row[0])), max(0.0, float(row[1]))
    right, bottom = min(float(row[0] + row[2]), width), min(float(row[1] + row[3]), height)
    return Detection(
        Box(left, top, right - left, bottom - top),
        tuple((float(x), float(y)) for x, y in row[4:14].reshape(5, 2)),
        float(row[14]),
    )
