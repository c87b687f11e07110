"""Two tiers of answers, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import selfies
from benchmarks.labelled import NOBODY, Faces
from benchmarks.selfies import Answer, Selfie

KNOWN = Selfie(person=1, image=0, row=0, photos=frozenset({1, 2, 3}))
STRANGER = Selfie(person=2, image=9, row=9, photos=frozenset())


def test_a_photo_counts_once_and_unlabelled_faces_are_neither_right_nor_wrong() -> None:
    images, persons = np.array([1, 1, 2, 3, 4]), np.array([1, 2, 1, 2, NOBODY])
    rows = np.arange(5)
    faces = Faces(rows, images, persons, rows / 5, np.zeros((5, 2), np.float32))
    everything = selfies.judge(faces, rows >= 0, KNOWN)
    assert everything == Answer(right=2, wrong=1, shown=4)
    assert selfies.judge(faces, rows == 4, KNOWN) == Answer(right=0, wrong=0, shown=1)


def test_precision_and_recall_are_per_photo() -> None:
    chosen, answers = [KNOWN, KNOWN, STRANGER], [Answer(2, 1, 3), Answer(1, 0, 1), Answer(0, 4, 4)]
    values = selfies.sure_values(chosen, answers)
    assert values == {"sure_precision": pytest.approx(3 / 4), "sure_recall": pytest.approx(3 / 6), "strangers_shown": 1}
    assert list(selfies.all_values(chosen, answers)) == ["all_precision", "all_recall", "strangers_shown_all"]


def test_nothing_found_is_about_people_in_the_event_only() -> None:
    answers = [Answer(0, 0, 0), Answer(0, 0, 1), Answer(0, 0, 0)]
    assert selfies.nothing_found([KNOWN, KNOWN, STRANGER], answers) == {"nothing_found": 1 / 2}
