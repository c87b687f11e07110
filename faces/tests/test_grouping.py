"""Every face gets its person, and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from events.models import Event, Image
from faces import grouping
from faces.models import Embedding, Face, ImageFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

DIMENSION = 64


def direction(angle: float) -> NDArray[np.float32]:
    """A unit vector; the cosine of two is that of the angle between them (in degrees)."""
    vector = np.zeros(DIMENSION, np.float32)
    vector[:2] = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    return vector


def add_faces(event: Event, *angles: float) -> list[ImageFace]:
    """Add an indexed photo to the event with one face in each of these directions."""
    number = Image.objects.count()
    image = Image.objects.create(
        event=event, file_name=f"{number}.jpg", storage_key=str(number), sha256=str(number), width=9, height=9
    )
    faces = [
        ImageFace.objects.create(image=image, x=0, y=0, width=9, height=9, score=1, quality=0.5 + angle / 1000)
        for angle in angles
    ]
    for face, angle in zip(faces, angles, strict=True):
        Embedding.objects.create(image_face=face, event=event, engine=event.engine, vector=direction(angle))
    return faces


def persons(faces: Iterable[ImageFace]) -> list[Face | None]:
    return [ImageFace.objects.get(pk=face.pk).face for face in faces]


def test_each_face_gets_a_person(event: Event) -> None:
    faces = add_faces(event, 0, 90) + add_faces(event, 5)
    assert grouping.group(event) == 2
    first, other, again = persons(faces)
    assert first == again != other
    assert first is not None
    assert first.engine == "fake"
    assert np.allclose(np.array(first.embedding), direction(2.5), atol=1e-3)


def test_the_cover_is_the_best_face(event: Event) -> None:
    _, best = add_faces(event, 0, 5)
    grouping.group(event)
    assert Face.objects.get().cover == best


def test_a_new_face_joins_and_the_grab_id_stays(event: Event) -> None:
    faces = add_faces(event, 0)
    grouping.group(event)
    before = Face.objects.get().grab_id
    faces += add_faces(event, 4)
    assert grouping.group(event) == 0
    assert {person.grab_id for person in persons(faces) if person} == {before}


def test_a_person_who_grows_stays_the_same_row(event: Event) -> None:
    add_faces(event, 0)
    grouping.group(event)
    Face.objects.update(name="Ada")
    before = Face.objects.values_list("pk", "grab_id", "name", "created_at").get()
    best = add_faces(event, 6)[0]
    grouping.group(event)
    person = Face.objects.get()
    assert (person.pk, person.grab_id, person.name, person.created_at) == before
    assert person.cover == best
    assert np.allclose(np.array(person.embedding), direction(3), atol=1e-3)


def test_more_persons_than_are_written_at_a_time(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "CHUNK", 2)
    faces = add_faces(event, *range(0, 180, 45), *range(0, 180, 45))
    event.max_distance = 0.3
    assert grouping.group(event) == 4
    assert persons(faces[:4]) == persons(faces[4:])
    assert len(set(persons(faces))) == 4


def test_nothing_new_changes_nothing(event: Event) -> None:
    add_faces(event, 0, 90)
    grouping.group(event)
    stamp = list(Face.objects.values_list("pk", "grab_id", "cover"))
    assert grouping.group(event) == 0
    assert list(Face.objects.values_list("pk", "grab_id", "cover")) == stamp


def test_when_two_persons_turn_out_to_be_one_the_larger_keeps_its_id(event: Event) -> None:
    large = add_faces(event, 0) + add_faces(event, 1) + add_faces(event, 2)
    grouping.group(event)
    grab_id = Face.objects.get().grab_id
    # A second person of one face, as an earlier and stricter grouping could have left it.
    small = add_faces(event, 3)
    small[0].face = Face.objects.create(event=event, engine="fake", embedding=direction(3))
    small[0].save()
    add_faces(event, 4)
    grouping.group(event)
    assert {person.grab_id for person in persons(large + small) if person} == {grab_id}
    assert Face.objects.count() == 1


def test_a_person_whose_photos_were_deleted_is_gone(event: Event) -> None:
    gone, _ = add_faces(event, 0), add_faces(event, 90)
    grouping.group(event)
    gone[0].image.delete()
    assert grouping.group(event) == 0
    assert Face.objects.count() == 1


def test_a_person_who_lost_the_best_photo_gets_another_cover(event: Event) -> None:
    other, best = add_faces(event, 0), add_faces(event, 5)
    grouping.group(event)
    best[0].image.delete()
    grouping.group(event)
    person = Face.objects.get()
    assert person.cover == other[0]
    assert np.allclose(np.array(person.embedding), direction(0), atol=1e-3), "nothing of the deleted photo is left"


def test_faces_of_another_engine_are_left_alone(event: Event) -> None:
    face = add_faces(event, 0)[0]
    Embedding.objects.update(engine="sface")
    assert grouping.group(event) == 0
    assert persons([face]) == [None]


def test_the_order_of_arrival_does_not_matter(event: Event, other_event: Event) -> None:
    angles = [0, 8, 16, 24, 60, 68, 76]
    for angle in angles:
        add_faces(event, angle)
        grouping.group(event)
    for angle in reversed(angles):
        add_faces(other_event, angle)
    grouping.group(other_event)

    def groups(of: Event) -> set[int]:
        return {face.image_faces.count() for face in of.faces.all()}

    assert groups(event) == groups(other_event)


def test_events_do_not_mix(event: Event, other_event: Event) -> None:
    add_faces(event, 0)
    add_faces(other_event, 0)
    assert (grouping.group(event), grouping.group(other_event)) == (1, 1)
    assert Face.objects.count() == 2


def test_the_events_own_threshold_wins(event: Event) -> None:
    add_faces(event, 0, 60)
    event.max_distance = 0.6
    assert grouping.group(event) == 1


@pytest.mark.django_db
def test_assigning_a_person_does_not_touch_the_row_of_the_vector(event: Event) -> None:
    face = add_faces(event, 0)[0]

    def row_version() -> object:
        return Embedding.objects.extra(select={"version": "xmin::text"}).values_list("version", flat=True).get(pk=face)

    before = row_version()
    grouping.group(event)
    assert row_version() == before
