"""The way Grabpic began with, to be measured against: one call of `DeepFace.represent` for each photo file."""

import os
from pathlib import Path
from typing import Final

import numpy as np

from . import get_engine
from .base import Embeddings, unit_rows

DETECTOR: Final = "opencv"
FACENET: Final = "Facenet"
PACKAGED_FACENET: Final = "FacenetPackaged"


def classic_model() -> str:
    """Return `Facenet`, where DeepFace has its weights already, else the FaceNet that came with a package."""
    home = Path(os.environ.get("DEEPFACE_HOME") or Path.home())
    weights = (home / ".deepface" / "weights").glob("facenet_weights.*")
    return FACENET if any(weights) else PACKAGED_FACENET


def load_classic(model: str) -> None:
    """Load the model and the detector, so that the first photo is not charged for it; EngineError as `get_engine`."""
    get_engine(f"deepface:{model}/{DETECTOR}")


def represent_classic(path: Path, model: str) -> Embeddings:
    """Return one row per face that DeepFace makes out in the file; the whole photo is one, where it finds none."""
    from deepface import DeepFace

    found = DeepFace.represent(str(path), model_name=model, detector_backend=DETECTOR, enforce_detection=False)
    return unit_rows(np.array([face["embedding"] for face in found], np.float32))
