"""Face engines by name; the only package that knows OpenVINO, ONNX Runtime, OpenCV and DeepFace.

Importing this package loads none of these libraries: `get_engine` does, when an engine is first asked for.
"""

import os
import re
import sys
from importlib import import_module
from threading import Lock
from types import ModuleType
from typing import cast

from .base import Box, Detection, Embeddings, EngineError, FaceEngine, Point, RGBArray
from .calibration import MEASURED, Calibration

__all__ = [
    "Box",
    "Calibration",
    "Detection",
    "Embeddings",
    "EngineError",
    "FaceEngine",
    "Point",
    "RGBArray",
    "calibration_of",
    "get_engine",
    "is_known",
    "shrunken",
    "validate_name",
]

# OpenVINO and ONNX Runtime report their use to their makers unless told not to, and keep an id in the home folder.
# Nothing about a site that handles faces leaves it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
sys.modules.setdefault("openvino_telemetry", cast(ModuleType, None))  # OpenVINO then takes its own empty stand-in

# Each of these modules has a function `build(name) -> FaceEngine`.
_MODULES = {
    "facenet+sface": "openvino_engine",
    "facenet": "openvino_engine",
    "sface": "openvino_engine",
    "fake": "fake",
}
_DEEPFACE = re.compile(r"deepface:[A-Za-z0-9_-]+(/[a-z0-9]+)?")

_engines: dict[str, FaceEngine] = {}
_building = Lock()


def get_engine(name: str) -> FaceEngine:
    """Return this process's engine of that name, built when first asked for.

    Raises EngineError: permanent where the name is unknown or weights are missing. An engine that could not
    be built is tried again at the next call.
    """
    engine = _engines.get(name)
    if engine is None:
        validate_name(name)
        with _building:
            engine = _engines.get(name)
            if engine is None:
                engine = _engines[name] = _build(name)
    return engine


def calibration_of(name: str) -> Calibration:
    """Return how the engine's similarities are to be read; builds it, as `get_engine`, only if nobody else knows."""
    return MEASURED.get(name) or get_engine(name).calibration


def is_known(name: str) -> bool:
    """Say whether the name is well-formed; DeepFace knows its own models, and is not asked here."""
    return name in _MODULES or _DEEPFACE.fullmatch(name) is not None


def validate_name(name: str) -> None:
    """Raise EngineError (permanent), listing the valid names, unless `is_known(name)`."""
    if not is_known(name):
        valid = ", ".join([*_MODULES, "deepface:<Model>", "deepface:<Model>/<detector>"])
        raise EngineError(f"There is no face engine {name!r}; there are: {valid}.", permanent=True)


def shrunken(image: RGBArray, long_side: int) -> RGBArray:
    """Return the picture with a long side of at most so many pixels; see `pixels.shrunken`."""
    from .pixels import shrunken as with_opencv

    return with_opencv(image, long_side)


def _build(name: str) -> FaceEngine:
    module = import_module(f"{__name__}.{_MODULES.get(name, 'deepface_engine')}")
    return cast(FaceEngine, module.build(name))
