"""What is measured of an engine, on vectors of which the truth is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import calibration
from benchmarks.datasets import DatasetError

if TYPE_CHECKING:
    from numpy.typing import NDArray

DIMENSION = 32


def crowd(people: int, noise: float, faces: int = 3) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """So many faces of each person: a direction of their own and noise."""
    random = np.random.default_rng(0)
    persons = np.repeat(np.arange(people), faces)
    own = random.standard_normal((people, DIMENSION), np.float32)[persons]
    vectors = own + noise * random.standard_normal(own.shape, np.float32)
    return persons, vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_the_tail_holds_what_is_promised() -> None:
    persons, vectors = crowd(200, 0.8)
    found = calibration.calibrate(persons, vectors)
    similarities = (vectors @ vectors.T)[np.triu(persons[:, None] != persons, 1)]
    assert len(found.tail) == 3, "179,100 pairs are too few for one in 100,000"
    for decade, similarity in enumerate(found.tail, 2):
        assert (similarities > similarity).mean() == pytest.approx(10.0**-decade, rel=0.1)


def test_the_thresholds_let_in_the_strangers_that_are_allowed() -> None:
    found = calibration.calibrate(*crowd(200, 0.8))
    assert found.expected_false_matches(1 - found.sure, 4000) == pytest.approx(0.01, rel=0.1)
    assert found.expected_false_matches(1 - found.maybe, 4000) == pytest.approx(0.4, rel=0.1)


def test_the_evidence_is_the_ratio_of_the_densities() -> None:
    persons, vectors = crowd(300, 0.8)
    found = calibration.calibrate(persons, vectors)
    pairs = calibration.count_matches(persons, vectors)
    place = int((1 + 0.55) * calibration.BINS / 2)
    near = slice(place - 300, place + 300)
    ratio = pairs.same[near].sum() / pairs.same.sum() / (pairs.strangers[near].sum() / pairs.strangers.sum())
    assert found.evidence(0.55) == pytest.approx(np.log10(ratio), abs=0.4)


def test_probabilities_of_people_never_seen_are_right_as_often_as_they_say() -> None:
    probabilities, right = calibration.trials(*crowd(600, 0.8, faces=2))
    assert 0.1 < right.mean() < 0.9
    assert calibration.calibration_error(probabilities, right) < 0.05
    assert ((probabilities - right) ** 2).mean() < 0.1
    assert len(list(calibration.reliability(probabilities, right))) > 5


def test_an_overconfident_claim_is_an_error() -> None:
    claims, right = np.full(10, 0.96), np.arange(10) < 5
    assert calibration.calibration_error(claims, right) == pytest.approx(0.46)
    assert list(calibration.reliability(claims, right)) == ["probability 0.960: right in 0.500 of 10 selfies"]


@pytest.mark.parametrize(("people", "noise"), [(5, 0.8), (200, 0.01)])
def test_too_few_or_too_easy_people_are_refused(people: int, noise: float) -> None:
    with pytest.raises(DatasetError, match="too few, or too easily told apart"):
        calibration.calibrate(*crowd(people, noise))


def test_a_face_is_compared_with_the_centroid_of_the_others() -> None:
    vectors = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    pairs = calibration.count_matches(np.array([1, 1, 2]), vectors)
    centre = calibration.BINS // 2
    assert pairs.same[centre] == pairs.same.sum() == 2, "each of the two with the other one; the third has no other"
    # The first two with the third, and the third with the centroid of the two.
    assert pairs.strangers[centre] == pairs.strangers.sum() == 3
