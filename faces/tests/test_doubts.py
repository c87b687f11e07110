"""How sure it is that a face belongs to its person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from faces.doubts import likenesses
from faces.engine import EngineError
from faces.models import Centroid, Face, ImageFace
from faces.persons import refresh
from faces.tests.test_grouping import add_faces, direction

if TYPE_CHECKING:
    from events.models import Event


def person(event: Event, *angles: float) -> tuple[Face, list[ImageFace]]:
    faces = [add_faces(event, angle)[0] for angle in angles]
    found = Face.objects.create(event=event, engine=event.engine, embedding=direction(0))
    ImageFace.objects.filter(pk__in=[face.pk for face in faces]).update(face=found)
    refresh(event, [found.pk])
    return found, faces


def cosine(*angles: float) -> float:
    """The mean."""
    return float(np.mean(np.cos(np.radians(angles))))


def test_the_least_similar_face_comes_first(event: Event) -> None:
    found, (near, other, far) = person(event, 0, 10, 60)
    result = likenesses(event, found.image_faces.all())
    assert list(result) == [far.pk, near.pk, other.pk]
    assert [result[face.pk].similarity for face in (far, near, other)] == pytest.approx(
        [cosine(60, 50), cosine(10, 60), cosine(10, 50)], abs=0.003
    )


def test_a_face_that_would_not_join_is_doubtful(event: Event) -> None:
    found, (near, other, far) = person(event, 0, 10, 60)
    event.join_distance = 1 - cosine(55)
    result = likenesses(event, found.image_faces.all())
    assert {pk for pk in result if result[pk].is_doubtful} == {far.pk}
    assert not result[near.pk].is_doubtful
    assert not result[other.pk].is_doubtful


def test_what_has_nothing_to_be_like_is_left_out(event: Event) -> None:
    person(event, 0)
    grouped, _ = person(event, 0, 10)
    Centroid.objects.filter(face=grouped).delete()
    add_faces(event, 30)
    assert likenesses(event, ImageFace.objects.all()) == {}


def test_nothing_is_doubtful_while_the_engine_is_not_there(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    found, _ = person(event, 0, 170)

    def fail(event: Event) -> None:
        raise EngineError("The weights are missing.", permanent=True)

    assert all(each.is_doubtful for each in likenesses(event, found.image_faces.all()).values())
    monkeypatch.setattr("faces.doubts.thresholds", fail)
    result = likenesses(event, found.image_faces.all())
    assert [each.is_doubtful for each in result.values()] == [False, False]
