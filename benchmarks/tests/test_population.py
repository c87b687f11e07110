"""A crowd is as alike as the real faces that it stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks import population
from benchmarks.datasets import DatasetError
from benchmarks.population import FACES_PER_PHOTO, Crowd
from events.models import Image
from faces.models import Embedding, ImageFace

if TYPE_CHECKING:
    from events.models import Event


def test_similarities_are_those_measured() -> None:
    everyone = np.arange(1200)
    crowd = Crowd(1200, 1200, seed=1)
    similar = crowd.vectors(everyone) @ crowd.vectors(everyone).T
    same, others = similar.diagonal(), similar[~np.eye(1200, dtype=bool)]
    assert (same.mean(), same.std()) == pytest.approx((0.654, 0.109), abs=0.01)
    assert np.quantile(same, 0.01) == pytest.approx(0.359, abs=0.03)
    assert (others.mean(), others.std()) == pytest.approx((0.085, 0.089), abs=0.01)
    assert np.quantile(others, 1 - 1e-5) == pytest.approx(0.482, abs=0.02)


def test_people_are_photographed_as_often_as_it_happens_but_once_in_a_photo() -> None:
    persons = Crowd(30_000, 1_000, seed=1).persons
    assert persons.shape == (10_000, FACES_PER_PHOTO)
    assert all(len(set(photo)) == FACES_PER_PHOTO for photo in persons.tolist())
    often = np.bincount(persons.ravel())
    assert often.min() < 10
    assert often.max() > 90


@pytest.mark.parametrize(("faces", "people"), [(30, 2), (5, 30)])
def test_too_few(faces: int, people: int) -> None:
    with pytest.raises(DatasetError, match="at least 3 people and 6 faces"):
        Crowd(faces, people, seed=1)


def test_photos_are_added_to_what_is_there(event: Event) -> None:
    crowd = Crowd(12, 6, seed=1)
    keys = population.add(event, crowd, crowd.persons[:3]) + population.add(event, crowd, crowd.persons[3:])
    assert keys == list(ImageFace.objects.filter(image__event=event, face=None).values_list("pk", flat=True))
    assert event.images.filter(state=Image.State.INDEXED).count() == 4
    vectors = np.array([list(each.vector) for each in Embedding.objects.filter(event=event, engine="fake")])
    same = crowd.persons.ravel()[:, None] == crowd.persons.ravel()
    similar = vectors @ vectors.T
    assert similar[same].min() > similar[~same].mean() + 0.2
