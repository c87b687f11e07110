"""An engine without a network, for tests and work on pages: a strong colour is a face, its hue the person.

Grey, pastel and dark pictures have no face. Nothing is random: the same pixels give the same answer.
"""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .base import BatchEngine, Box, Detection, Embeddings, EngineError, FaceEngine, RGBArray
from .calibration import Calibration

DIMENSION: Final = 64
LONG_SIDE = 640
"""The areas are looked for in a copy of at most this size, which takes milliseconds."""

MIN_SIDE = 8
"""Pixels of the picture; a smaller area of colour is noise."""

MIN_SAMPLES = 3
"""The same in pixels of the shrunken copy: of a very large picture, specks are not faces either."""

MIN_CHROMA = 100
"""Brightest minus darkest channel, of 255; skin, sky and grass in photos stay below."""

BUMP_DEGREES = 10.0
"""Two hues d degrees apart have a cosine of exp(-d² / 4·10²): 0.99 at 2 degrees, 0.7 at 12, 0.1 at 30."""

# Right eye (left in the picture), left eye, nose, right and left corner of the mouth, as shares of the box.
_FEATURES = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.8), (0.65, 0.8))


class FakeEngine(BatchEngine[float]):
    """See the module; keeps no state, hence is safe to share between threads."""

    name = "fake"
    dimension = DIMENSION
    calibration = Calibration(
        # By design: hues up to 12 degrees apart are one person, and strangers differ by 30.
        group=0.3375,
        join=0.3375,
        sure=0.3,
        maybe=0.3375,
        tail=(0.1, 0.12, 0.14),
        slope=20.0,
        midpoint=0.4,
    )

    def detect(self, image: RGBArray) -> list[Detection]:
        """Return one detection per connected area of strong colour, the best filled box first."""
        import cv2

        step = -(-max(image.shape[:2]) // LONG_SIDE)
        mask = _is_colourful(image[::step, ::step]).astype(np.uint8)
        _, _, areas, _ = cv2.connectedComponentsWithStats(mask)
        smallest = max(MIN_SIDE / step, MIN_SAMPLES)
        faces = [
            _as_detection(area * step, step, image.shape)
            for area in areas[1:]  # the first is the background
            if min(area[2], area[3]) >= smallest
        ]
        return sorted(faces, key=lambda face: (-face.score, face.box.y, face.box.x))

    def _cut(self, image: RGBArray, faces: Sequence[Detection]) -> Iterable[float]:
        """Return each face's hue; EngineError (permanent) where a box holds no strong colour."""
        return (_mean_hue(_pixels(image, face.box)) for face in faces)

    def _describe(self, crops: Sequence[float]) -> Embeddings:
        return np.array([_hue_vector(hue) for hue in crops], dtype=np.float32)


def build(name: str) -> FaceEngine:
    """Return the engine; there is only one kind."""
    return FakeEngine()


def _is_colourful(pixels: RGBArray) -> NDArray[np.bool_]:
    red, green, blue = np.moveaxis(pixels, -1, 0)
    brightest = np.maximum(np.maximum(red, green), blue)
    darkest = np.minimum(np.minimum(red, green), blue)
    return np.asarray(brightest - darkest > MIN_CHROMA)


def _as_detection(area: NDArray[np.int32], step: int, shape: tuple[int, ...]) -> Detection:
    x, y, width, height, size = (float(number) for number in area)
    box = Box(x, y, min(width, shape[1] - x), min(height, shape[0] - y))
    landmarks = tuple((box.x + box.width * right, box.y + box.height * down) for right, down in _FEATURES)
    return Detection(box, landmarks, score=size * step / (width * height))


def _pixels(image: RGBArray, box: Box) -> RGBArray:
    rows = slice(int(box.y), int(np.ceil(box.y + box.height)))
    columns = slice(int(box.x), int(np.ceil(box.x + box.width)))
    return image[rows, columns]


def _mean_hue(pixels: RGBArray) -> float:
    """Return the mean hue, 0 to 360 degrees, of the strong colours, each weighted by its strength."""
    coloured = pixels[_is_colourful(pixels)].astype(np.float64)
    if not len(coloured):
        raise EngineError("There is no strong colour in the box, hence no face.", permanent=True)
    red, green, blue = coloured.mean(axis=0)
    return float(np.degrees(np.arctan2(np.sqrt(3) / 2 * (green - blue), red - (green + blue) / 2)) % 360)


def _hue_vector(hue: float) -> NDArray[np.float64]:
    """Return a bump around the hue, on a circle of 64 places: a unit vector."""
    places = np.arange(DIMENSION) * 360 / DIMENSION
    apart = np.abs((places - hue + 180) % 360 - 180)
    bump = np.exp(-((apart / BUMP_DEGREES) ** 2) / 2)
    return np.asarray(bump / np.linalg.norm(bump))
