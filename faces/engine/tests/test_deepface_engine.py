"""DeepFace behind our interface: the same networks give the same vectors; what is missing is said plainly."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from faces.engine import Detection, Embeddings, EngineError, RGBArray, get_engine
from faces.engine.alignment import ARCFACE_SIDE, crop, to_box, to_template
from faces.engine.recognisers import FACENET_MARGIN, FACENET_SIDE, SFACE_SCALE

from .portraits import ARDERN, BIDEN, OBAMA, portrait

pytestmark = pytest.mark.engine

PEOPLE = [OBAMA, BIDEN, ARDERN]


@pytest.fixture(scope="module")
def facenet_crops() -> list[RGBArray]:
    """Return one crop a person, as our own FaceNet gets them."""
    return [crop(image, to_box(face, FACENET_MARGIN, FACENET_SIDE), FACENET_SIDE) for image, face in people("facenet")]


@pytest.fixture(scope="module")
def facenet_rows() -> Embeddings:
    """Return our own FaceNet's answers to the same faces."""
    return np.vstack([get_engine("facenet").embed(image, [face]) for image, face in people("facenet")])


def test_facenet_answers_the_same_on_onnx_runtime(
    deepface_home: Path, facenet_crops: list[RGBArray], facenet_rows: Embeddings
) -> None:
    get_engine("deepface:FacenetPackaged/opencv")  # registers the model
    assert (represented("FacenetPackaged", facenet_crops) * facenet_rows).sum(axis=1).min() >= 0.999


def test_sface_answers_the_same_on_onnx_runtime(deepface_home: Path) -> None:
    get_engine("deepface:SFace/yunet")
    crops = [crop(image, to_template(face.landmarks, SFACE_SCALE), ARCFACE_SIDE) for image, face in people("sface")]
    ours = np.vstack([get_engine("sface").embed(image, [face]) for image, face in people("sface")])
    assert (represented("SFace", crops) * ours).sum(axis=1).min() >= 0.999


def test_engine_takes_its_threshold_from_deepface(deepface_home: Path) -> None:
    assert get_engine("deepface:SFace/yunet").calibration.sure == 0.593


def test_detector_is_opencv_unless_named(deepface_home: Path) -> None:
    image = portrait(*ARDERN)
    expected = get_engine("deepface:FacenetPackaged/opencv").detect(image)
    assert get_engine("deepface:FacenetPackaged").detect(image) == expected


def test_missing_weights_are_named_with_their_folder(deepface_home: Path) -> None:
    with pytest.raises(EngineError, match=r"facenet_weights\.onnx") as raised:
        get_engine("deepface:Facenet/opencv")
    assert str(deepface_home / ".deepface" / "weights") in str(raised.value)
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("name", "listed"), [("deepface:Nobody", "Facenet512"), ("deepface:SFace/nobody", "retinaface")]
)
def test_what_deepface_does_not_have_is_refused_with_what_it_has(deepface_home: Path, name: str, listed: str) -> None:
    with pytest.raises(EngineError, match=listed) as raised:
        get_engine(name)
    assert raised.value.permanent


def test_a_vector_that_is_not_finite_is_an_error(deepface_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from deepface.modules import modeling

    engine, image = get_engine("deepface:SFace/yunet"), portrait(*ARDERN)
    model = modeling.build_model(task="facial_recognition", model_name="SFace")
    monkeypatch.setattr(model, "forward", lambda batch: [float("nan")] * 128)
    with pytest.raises(EngineError, match="not finite"):
        engine.embed(image, engine.detect(image))


def test_facenet_answers_the_same_on_tensorflow(
    tmp_path: Path, facenet_crops: list[RGBArray], facenet_rows: Embeddings
) -> None:
    pytest.importorskip("tf_keras")
    np.save(tmp_path / "crops.npy", np.stack(facenet_crops))
    script = (
        "import json, os, sys, numpy\n"
        "from faces.engine import get_engine\n"
        "from faces.engine.tests.test_deepface_engine import represented\n"
        "get_engine('deepface:FacenetPackaged/opencv')\n"
        "assert 'tensorflow' in sys.modules and 'onnxruntime' not in sys.modules\n"
        "crops = list(numpy.load(sys.argv[1]))\n"
        "print(json.dumps(represented('FacenetPackaged', crops).tolist()))\n"
    )
    environment = {**os.environ, "DEEPFACE_HOME": str(tmp_path), "DEEPFACE_BACKEND_ENGINE": "tensorflow"}
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "crops.npy"],
        cwd=Path(__file__).parents[3],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    rows = np.array(json.loads(done.stdout.splitlines()[-1]))
    assert (rows * facenet_rows).sum(axis=1).min() >= 0.999


def people(name: str) -> list[tuple[RGBArray, Detection]]:
    """Return a photo of each person and the face that the engine finds in it."""
    images = [portrait(*person) for person in PEOPLE]
    return [(image, get_engine(name).detect(image)[0]) for image in images]


def represented(model: str, crops: list[RGBArray]) -> Embeddings:
    """Return DeepFace's own answers to the crops, of unit length."""
    from deepface import DeepFace

    answers = DeepFace.represent(
        [one[:, :, ::-1] for one in crops], model, enforce_detection=False, detector_backend="skip"
    )
    rows = np.array([answer[0]["embedding"] for answer in answers], dtype=np.float32)
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True))
