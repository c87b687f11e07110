"""The better of two faces has the better quality, and small faces count less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faces.engine import Box, Detection
from faces.quality import LEAST, clarity, frontality, quality

LANDMARKS = ((30.0, 40.0), (70.0, 40.0), (50.0, 62.0), (35.0, 80.0), (65.0, 80.0))
"""Of a face that looks at the camera."""

BEST = Detection(Box(0, 0, 100, 120), LANDMARKS, 0.97)


def with_nose(x: float, y: float) -> tuple[tuple[float, float], ...]:
    return (*LANDMARKS[:2], (x, y), *LANDMARKS[3:])


def test_a_sure_large_face_that_looks_at_the_camera_is_worth_1() -> None:
    assert quality(BEST) == pytest.approx(1)


@pytest.mark.parametrize(
    "worse",
    [
        replace(BEST, score=0.8),
        replace(BEST, box=Box(0, 0, 100, 40)),
        replace(BEST, landmarks=with_nose(62, 62)),
        replace(BEST, landmarks=with_nose(50, 75)),
        replace(BEST, landmarks=with_nose(50, 48)),
    ],
    ids=["unsure", "small", "turned", "down", "up"],
)
def test_what_makes_a_face_worse(worse: Detection) -> None:
    assert 0 < quality(worse) < 0.9


def test_of_two_hopeless_faces_the_larger_one_is_better() -> None:
    small, large = (Detection(Box(0, 0, side, side), with_nose(200, 10), 0.3) for side in (20, 60))
    assert 0 < quality(small) < quality(large) < 0.2


def test_frontality_does_not_mind_turns_of_the_picture_or_its_size() -> None:
    turn = 3 * np.array([[0.8, -0.6], [0.6, 0.8]])
    moved = [(float(x) + 7, float(y) - 300) for x, y in np.array(with_nose(58, 60)) @ turn]
    assert frontality(moved) == pytest.approx(frontality(with_nose(58, 60)))
    assert frontality(with_nose(42, 60)) == pytest.approx(frontality(with_nose(58, 60)))


def test_a_profile_has_no_eyes_apart() -> None:
    assert frontality([(50.0, 40.0), (50.0, 40.0), (80.0, 60.0), (55.0, 80.0), (55.0, 80.0)]) == LEAST


def test_unknown_landmarks_are_no_fault() -> None:
    assert frontality(LANDMARKS[:2]) == 1
    assert frontality(()) == 1


def test_small_faces_count_less_whichever_side_is_small() -> None:
    assert clarity([200, 80, 40, 200], [200, 80, 200, 40]) == pytest.approx([1, 1, 0.908, 0.908], abs=1e-3)
    assert clarity(0, 0) == pytest.approx(0.65**0.5)
