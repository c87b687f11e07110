"""Six faces of two people, put in three groups; every expected value was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import metrics

PERSONS = np.array([1, 1, 1, 1, 2, 2])
GROUPS = np.array([7, 7, 7, 8, 8, 9])
"""Person 1 is in group 7 three times and in 8 once; person 2 is in 8 and in 9."""


def test_pairwise_counts_pairs_of_faces() -> None:
    # Pairs in one group: 3 in group 7 (right), 1 in group 8 (wrong). Pairs of one person: 6 and 1.
    assert metrics.pairwise(PERSONS, GROUPS) == pytest.approx((3 / 4, 3 / 7))


def test_bcubed_averages_over_faces() -> None:
    # Precision by face: 1, 1, 1, 1/2, 1/2, 1. Recall by face: 3/4, 3/4, 3/4, 1/4, 1/2, 1/2.
    assert metrics.bcubed(PERSONS, GROUPS) == pytest.approx((5 / 6, 3.5 / 6))


def test_f_score_is_the_harmonic_mean() -> None:
    assert metrics.f_score(1.0, 0.5) == pytest.approx(2 / 3)
    assert metrics.f_score(0.0, 0.0) == 0


def test_groups_per_person() -> None:
    assert metrics.groups_per_person(PERSONS, GROUPS) == 2


def test_mixed_persons() -> None:
    assert metrics.mixed_persons(PERSONS, GROUPS) == 1
    assert metrics.mixed_persons(PERSONS, np.array([7, 7, 7, 7, 8, 9])) == 0
    assert metrics.mixed_persons(np.array([1, 2, 3, 3]), np.array([1, 1, 2, 2])) == pytest.approx(2 / 3)


def test_a_perfect_grouping() -> None:
    assert metrics.pairwise(PERSONS, PERSONS * 10) == (1, 1)
    assert metrics.bcubed(PERSONS, PERSONS * 10) == (1, 1)
    assert metrics.groups_per_person(PERSONS, PERSONS * 10) == 1


def test_nothing_at_all() -> None:
    nothing = np.array([], np.int64)
    assert metrics.pairwise(nothing, nothing) == (1, 1)
    assert metrics.bcubed(nothing, nothing) == (1, 1)
    assert metrics.mixed_persons(nothing, nothing) == 0


def test_tar_at_far() -> None:
    # Angles in degrees; person 1 at 0, 10 and 40, person 2 at 30 and 90. Pairs of one person are 10, 40, 30 and 60
    # apart, those of two persons 30, 20, 10, 90, 80 and 50. One wrong pair of six is allowed: that at 10 degrees.
    angles = np.radians([0, 10, 40, 30, 90])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    persons = np.array([1, 1, 1, 2, 2])
    assert metrics.tar_at_far(persons, embeddings, [1 / 6, 1e-3]) == {1 / 6: pytest.approx(1 / 4)}


def test_tar_at_far_accepts_less_than_the_next_wrong_pair() -> None:
    # Two wrong pairs are allowed, at 10 and 20 degrees; the third is at 30.
    angles = np.radians([0, 10, 40, 31, 90])
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    # Of one person: 10, 40, 30, 59 apart. Of two: 31, 21, 9, 90, 80, 50.
    assert metrics.tar_at_far(np.array([1, 1, 1, 2, 2]), embeddings, [1 / 3]) == {1 / 3: pytest.approx(1 / 2)}
