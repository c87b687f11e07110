"""YuNet, FaceNet and SFace on OpenVINO: sizes of faces, threads, and how two vectors become one."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from faces.engine import Detection, EngineError, RGBArray, get_engine
from faces.engine.network import THREADS_VARIABLE, Network, takes_pictures
from faces.engine.openvino_engine import FACENET_WEIGHT
from faces.engine.recognisers import facenet_model

from .portraits import ARDERN, BIDEN, OBAMA, OBAMA_LATER, portrait
from .test_contract import overlap

pytestmark = pytest.mark.engine

PEOPLE = [OBAMA, BIDEN, ARDERN]


def best(image: RGBArray) -> Detection:
    return get_engine("facenet+sface").detect(image)[0]


def resized(image: RGBArray, long_side: int) -> RGBArray:
    factor = long_side / max(image.shape[:2])
    size = (round(image.shape[1] * factor), round(image.shape[0] * factor))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.LANCZOS))


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize("long_side", [4000, 1280, 640, 112])
def test_a_face_that_fills_the_frame_is_found_whole(person: tuple[str, str], long_side: int) -> None:
    image = portrait(*person)
    box = best(image).box
    frame = image[int(box.y) : int(box.y + box.height), int(box.x) : int(box.x + box.width)]
    tight = resized(frame, long_side)
    [face] = get_engine("facenet+sface").detect(tight)
    assert face.score > 0.75
    assert face.box.width * face.box.height > 0.6 * tight.shape[0] * tight.shape[1]


def test_a_large_photo_gives_the_same_face_as_a_small_one() -> None:
    engine = get_engine("facenet+sface")
    small, large = portrait(*OBAMA), resized(portrait(*OBAMA), 4500)
    growth = large.shape[0] / small.shape[0]
    [one], [other] = engine.detect(small), engine.detect(large)
    assert np.allclose(np.array(one.landmarks) * growth, other.landmarks, atol=0.05 * other.box.width)
    assert engine.embed(small, [one])[0] @ engine.embed(large, [other])[0] > 0.95


@pytest.mark.parametrize("degrees", [-35, -25, 25, 35])
def test_a_tilted_head_is_the_same_person(degrees: float) -> None:
    engine = get_engine("facenet+sface")
    level = portrait(*ARDERN)
    tilted = np.asarray(Image.fromarray(level).rotate(degrees, Image.Resampling.BICUBIC))
    [one], [other] = engine.detect(level), engine.detect(tilted)
    cosine = engine.embed(level, [one])[0] @ engine.embed(tilted, [other])[0]
    assert cosine > 0.85  # 0.65 at 35 degrees without the looks at level crops


def test_faces_of_all_sizes_in_one_photo() -> None:
    face = portrait(*BIDEN)[:1100]
    canvas = np.full((2400, 3200, 3), 120, np.uint8)
    for width, left in ((970, 100), (300, 1300), (100, 1800)):
        small = resized(face, round(width * face.shape[0] / face.shape[1]))
        canvas[100 : 100 + small.shape[0], left : left + small.shape[1]] = small
    found = sorted(get_engine("sface").detect(canvas), key=lambda detection: detection.box.x)
    assert [round(detection.box.width, -1) for detection in found] == pytest.approx([280, 90, 30], abs=15)


def test_threads_get_the_answers_they_would_get_alone() -> None:
    engine = get_engine("facenet+sface")
    pictures = [portrait(*person) for person in (*PEOPLE, OBAMA_LATER)]
    alone = [engine.detect(picture) for picture in pictures]
    vectors = [engine.embed(picture, faces) for picture, faces in zip(pictures, alone, strict=True)]

    def work(place: int) -> bool:
        faces = engine.detect(pictures[place])
        near = overlap(faces[0].box, alone[place][0].box) > 0.99
        return near and bool(engine.embed(pictures[place], faces)[0] @ vectors[place][0] > 0.999)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, [0, 1, 2, 3] * 5))


def test_cosine_of_the_joint_vectors_is_the_weighted_mean() -> None:
    images = [portrait(*OBAMA), portrait(*OBAMA_LATER)]
    cosine = {}
    for name in ("facenet", "sface", "facenet+sface"):
        engine = get_engine(name)
        one, other = (engine.embed(image, [best(image)])[0] for image in images)
        cosine[name] = float(one @ other)
    mean = FACENET_WEIGHT * cosine["facenet"] + (1 - FACENET_WEIGHT) * cosine["sface"]
    assert cosine["facenet+sface"] == pytest.approx(mean, abs=0.01)


def test_sface_says_that_it_lacks_landmarks() -> None:
    found = replace(best(portrait(*BIDEN)), landmarks=())
    with pytest.raises(EngineError, match="five landmarks") as raised:
        get_engine("sface").embed(portrait(*BIDEN), [found])
    assert raised.value.permanent


def test_a_network_refuses_numbers_that_are_not_bytes() -> None:
    with pytest.raises(TypeError, match="float64"):
        Network(takes_pictures(facenet_model(), layout="NHWC"))(np.zeros((1, 160, 160, 3)))  # type: ignore[arg-type]


def test_number_of_threads_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS_VARIABLE, "two")
    with pytest.raises(EngineError, match="GRABPIC_ENGINE_THREADS is 'two'"):
        Network(facenet_model())


def test_a_process_of_one_thread_uses_one_and_is_bound_to_no_core() -> None:
    script = (
        "import os, time, cv2, numpy\n"
        "from pathlib import Path\n"
        "from faces.engine import get_engine\n"
        "from faces.engine.tests.portraits import OBAMA, portrait\n"
        "engine, image = get_engine('sface'), portrait(*OBAMA)\n"
        "def ticks():\n"
        "    stats = [(task / 'stat').read_text() for task in Path('/proc/self/task').iterdir()]\n"
        "    texts = [stat.rsplit(')')[1].split() for stat in stats]\n"
        "    return sorted(int(fields[11]) + int(fields[12]) for fields in texts)\n"
        "before = ticks()\n"
        "for _ in range(8): engine.embed(image, engine.detect(image) * 8)\n"
        "after = ticks()\n"
        "busy = [b - a for a, b in zip(before, after)]\n"
        "assert sorted(busy)[-2] <= 2, busy\n"
        "assert cv2.getNumThreads() == 1\n"
        "bound = {os.sched_getaffinity(int(task.name)) == os.sched_getaffinity(0)\n"
        "    for task in Path('/proc/self/task').iterdir()}\n"
        "assert bound == {True}\n"
    )
    environment = {**os.environ, THREADS_VARIABLE: "1"}
    subprocess.run([sys.executable, "-c", script], cwd=Path(__file__).parents[3], env=environment, check=True)
