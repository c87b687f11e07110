"""Two tiers of answers, worked out by hand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

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


def test_the_three_clearest_photos_are_taken_out_for_everybody() -> None:
    """Person 0 is in photos 1 to 4, twice in 4, and in 6; person 1 in photos 1 to 3; person 2 in two only."""
    persons = [0, 0, 0, 0, 0, 1, 1, 1, 2, 2, NOBODY, NOBODY, NOBODY, 0]
    images = [1, 2, 3, 4, 4, 1, 2, 3, 3, 5, 1, 2, 3, 6]
    qualities = [0.1, 0.9, 0.7, 0.8, 0.85, 0.5, 0.6, 0.4, 0.5, 0.5, 1, 1, 1, 0.05]
    rows = np.arange(len(persons))
    faces = Faces(rows, np.array(images), np.array(persons), np.array(qualities), np.zeros((len(rows), 2), np.float32))
    labels = {
        image: {p for p, i in zip(persons, images, strict=True) if i == image and p != NOBODY} for image in images
    }
    photos = {
        image: SimpleNamespace(labels=[SimpleNamespace(person=str(person)) for person in sorted(people)])
        for image, people in labels.items()
    }
    run: Any = SimpleNamespace(faces=faces, photos=photos, numbers={"0": 0, "1": 1, "2": 2})
    threes = selfies.choose_threes(run)
    assert [[selfie.row for selfie in three] for three in threes] == [[1, 4, 2], [6, 5, 7]]
    assert [[selfie.image for selfie in three] for three in threes] == [[2, 4, 3], [2, 1, 3]]
    assert [selfie.photos for selfie in threes[0]] == [frozenset({6})] * 3
    assert not threes[1][0].photos
