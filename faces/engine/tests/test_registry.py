"""Engines by name."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import sleep

import pytest

from faces import engine as engines
from faces.engine import EngineError, get_engine, is_known, validate_name
from faces.engine.fake import FakeEngine

ROOT = Path(__file__).resolve().parents[3]
HEAVY = ("cv2", "openvino", "onnxruntime", "onnx", "deepface", "tensorflow")


def test_importing_the_package_loads_no_heavy_library() -> None:
    script = f"import faces.engine, sys; sys.exit(','.join(set({HEAVY}) & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["facenet+sface", "fake", "deepface:Facenet", "deepface:VGG-Face/opencv"])
def test_known_names(name: str) -> None:
    assert is_known(name)
    validate_name(name)


@pytest.mark.parametrize("name", ["", "Fake", "arcface", "deepface:", "deepface:SFace/", "deepface:a b", "fake\n"])
def test_an_unknown_name_says_which_are_valid(name: str) -> None:
    assert not is_known(name)
    with pytest.raises(EngineError, match=r"facenet\+sface, facenet, sface, fake, deepface:<Model>") as raised:
        get_engine(name)
    assert raised.value.permanent


def test_threads_share_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def build(name: str) -> FakeEngine:
        built.append(name)
        sleep(0.05)  # long enough for the other threads to come along
        sleep(0.05)  # long enough for the other threads to come along
        return FakeEngine()

    monkeypatch.setattr(engines, "_engines", {})
    monkeypatch.setattr("faces.engine.fake.build", build)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(get_engine, ["fake"] * 64))
    assert built == ["fake"]
    assert len(set(map(id, found))) == 1


def test_an_engine_that_failed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> FakeEngine:
        raise EngineError("no weights yet", permanent=True)

    monkeypatch.setattr(engines, "_engines", {})
    with monkeypatch.context() as broken:
        broken.setattr("faces.engine.fake.build", fail)
        with pytest.raises(EngineError, match="no weights yet"):
            get_engine("fake")
    assert get_engine("fake").name == "fake"


@pytest.mark.engine
@pytest.mark.parametrize("name", ["facenet+sface", "deepface:FacenetPackaged/opencv"])
def test_an_engine_leaves_nothing_in_the_home_folder(name: str, tmp_path: Path) -> None:
    program = f"from faces.engine import get_engine; get_engine({name!r})"
    home = tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "DEEPFACE_HOME": str(tmp_path)}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, cwd=ROOT)
    assert [str(path) for path in home.rglob("*")] == []
