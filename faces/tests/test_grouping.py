"""Every face gets its person, and keeps it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from events.models import Event, Image
from faces import grouping, joining, partition
from faces import persons as persons_module
from faces.models import Centroid, Decision, DecisionFace, Embedding, Face, FaceAlias, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from faces.vectors import Faces

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
        event=event, file_name=f"{number}.jpg", storage_key=str(number), sha256=str(number), width=90, height=90
    )
    faces = [
        ImageFace.objects.create(image=image, x=0, y=0, width=80, height=80, score=1, quality=0.5 + angle / 1000)
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
    monkeypatch.setattr(persons_module, "CHUNK", 2)
    faces = add_faces(event, *range(0, 180, 45)) + add_faces(event, *range(0, 180, 45))
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


def test_the_last_photo_takes_the_last_person_with_it(event: Event) -> None:
    add_faces(event, 0)[0].image.delete()
    assert grouping.consolidate(event) == 0
    add_faces(event, 0)
    grouping.group(event)
    Image.objects.get().delete()
    assert grouping.group(event) == 0
    assert not Face.objects.exists()


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
    add_faces(event, 0), add_faces(event, 60)
    event.max_distance = 0.6
    assert grouping.group(event) == 1


def test_two_faces_of_one_photo_are_two_people(event: Event) -> None:
    one, two = add_faces(event, 0, 44)
    three = add_faces(event, 5)[0]
    event.max_distance = 0.6
    grouping.group(event)
    first, second, third = persons([one, two, three])
    assert first == third != second


def test_a_photo_that_shows_a_picture_of_itself_shows_one_person_twice(event: Event) -> None:
    one, two = add_faces(event, 0, 10)
    assert grouping.group(event) == 1
    assert persons([one]) == persons([two])


def test_a_vanished_grab_id_leads_to_the_person_who_has_its_faces(event: Event) -> None:
    large, small = add_faces(event, 0) + add_faces(event, 1), add_faces(event, 60)
    grouping.group(event)
    gone = Face.objects.exclude(pk=large[0].pk).get(image_faces=small[0])
    Face.objects.filter(pk=gone.pk).update(name="Ada")
    FaceAlias.objects.create(grab_id="9b2f7dd2-0f8e-4d0e-a1a5-4a6a3e1a7a11", face=gone)
    event.max_distance = 0.5
    grouping.consolidate(event)
    person = Face.objects.get()
    assert set(Face.objects.with_grab_id(gone.grab_id)) == {person}
    assert person.aliases.count() == 2, "the aliases of the one who is gone lead there, too"
    assert person.name == "Ada", "the only name there was is not lost"


def test_a_weak_group_joins_a_strong_one_that_is_not_quite_similar_enough_for_two_groups(event: Event) -> None:
    for angle in (0, 1, 2):
        add_faces(event, angle)
    alone = add_faces(event, 48)[0]
    event.group_distance, event.join_distance = 0.2, 0.4
    grouping.consolidate(event)
    assert Face.objects.get() == persons([alone])[0]


BETWEEN = (0, 84, 42, 41, 43, 40, 44, 39, 45, 41, 43, 42, 42)
"""The first two are too far apart to be one person; those between them unite them."""


class TestALargeEvent:
    """Where new faces only join, until a consolidation."""

    @pytest.fixture(autouse=True)
    def _large(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(grouping, "FEW", 0)
        monkeypatch.setattr(joining, "BATCH", 3)

    def test_new_faces_join_or_found_a_person(self, event: Event) -> None:
        old = add_faces(event, 0) + add_faces(event, 120)
        assert grouping.group(event) == 2
        rows = list(Face.objects.values_list("pk", "cover"))
        new = add_faces(event, 4) + add_faces(event, 60) + add_faces(event, 121) + add_faces(event, 59)
        assert grouping.group(event) == 1
        assert persons(new)[0] == persons(old)[0]
        assert persons(new)[2] == persons(old)[1]
        assert persons(new)[1] == persons(new)[3]
        assert list(Face.objects.values_list("pk", "cover"))[:2] == rows

    def test_the_centroid_follows(self, event: Event) -> None:
        for angle in (0, 2, 7):
            add_faces(event, angle)
            grouping.group(event)
        centroid = Centroid.objects.get()
        assert centroid.size == 3
        mean = np.array([direction(angle) for angle in (0, 2, 7)]).mean(axis=0)
        unit = np.array(centroid.mean) / np.linalg.norm(centroid.mean)
        assert np.allclose(unit, mean / np.linalg.norm(mean), atol=2e-3)

    def test_new_faces_that_were_merged_found_one_person(self, event: Event) -> None:
        add_faces(event, 0)
        grouping.group(event)
        merged = add_faces(event, 60) + add_faces(event, 120)
        decision = Decision.objects.create(event=event, kind=Decision.Kind.MERGE, summary="Merged")
        DecisionFace.objects.bulk_create(DecisionFace(decision=decision, image_face=face, side=1) for face in merged)
        assert grouping.group(event) == 1
        assert len(set(persons(merged))) == 1

    def test_two_new_faces_of_one_photo_do_not_join_the_same_person(self, event: Event) -> None:
        add_faces(event, 0), add_faces(event, 1)
        grouping.group(event)
        one, two = add_faces(event, -22, 22)
        grouping.group(event)
        assert persons([one]) != persons([two])

    def test_a_person_is_not_joined_by_a_second_face_of_the_same_photo(self, event: Event) -> None:
        one, two = add_faces(event, 0, 44)
        add_faces(event, 1), add_faces(event, 2)
        grouping.group(event)
        ImageFace.objects.filter(pk=two.pk).update(face=None)
        event.max_distance = 0.6
        grouping.group(event)
        assert persons([one]) != persons([two])

    def test_what_a_deleted_photo_showed_is_forgotten(self, event: Event) -> None:
        kept, gone = add_faces(event, 0), add_faces(event, 20)
        grouping.group(event)
        gone[0].image.delete()
        grouping.group(event)
        person = Face.objects.get()
        assert person.cover == kept[0]
        assert np.allclose(np.array(person.embedding), direction(0), atol=1e-3)
        assert person.centroid.size == 1

    def test_nobody_joins_by_a_deleted_photo_whose_person_has_only_faces_that_cannot_be_compared(
        self, event: Event
    ) -> None:
        gone, left = add_faces(event, 0), add_faces(event, 1)
        grouping.group(event)
        person = Face.objects.get()
        Embedding.objects.filter(image_face=left[0]).update(engine="sface")
        new = add_faces(event, 0)
        gone[0].image.delete()
        grouping.group(event)
        assert persons(left) == [person]
        assert persons(new) != [person]
        person.refresh_from_db()
        assert person.cover == left[0]

    def test_a_consolidation_is_due_when_enough_has_come(self, event: Event) -> None:
        for angle in range(10):
            add_faces(event, angle)
        grouping.group(event)
        assert grouping.is_consolidation_due(event)
        grouping.consolidate(event)
        event.refresh_from_db()
        assert not grouping.is_consolidation_due(event)
        Image.objects.filter(event=event).update(state=Image.State.INDEXED)
        add_faces(event, 3)
        assert not grouping.is_consolidation_due(event), "more is coming in"
        Image.objects.update(state=Image.State.INDEXED)
        assert grouping.is_consolidation_due(event)

    def test_consolidation_mends_what_the_order_of_arrival_did(self, event: Event) -> None:
        for angle in BETWEEN:
            add_faces(event, angle)
            grouping.group(event)
        assert Face.objects.count() == 2
        grouping.consolidate(event)
        assert Face.objects.count() == 1

    def test_consolidation_from_cores_finds_the_same_groups(
        self, event: Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(partition, "EXACT", 0)
        faces = [face for angle in (*BETWEEN, 200, 201) for face in add_faces(event, angle)]
        grouping.group(event)
        grouping.consolidate(event)
        assert Face.objects.count() == 2
        assert len(set(persons(faces[:-2]))) == len(set(persons(faces[-2:]))) == 1


class TestWhatHappensDuringAConsolidation:
    """The faces are read and clustered before the event's row is locked."""

    @pytest.fixture
    def meanwhile(self, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], list[int]]:
        """Return a function that has something happen once, after the faces were clustered."""

        def arrange(happen: Callable[[], object]) -> list[int]:
            plans: list[int] = []

            def partition_and_wait(event: Event, faces: Faces) -> NDArray[np.intp]:
                labels = partition.partition(event, faces)
                plans.append(len(labels))
                if len(plans) == 1:
                    happen()
                return labels

            monkeypatch.setattr(grouping, "partition", partition_and_wait)
            return plans

        return arrange

    def test_a_decision_has_it_begin_anew(
        self, event: Event, meanwhile: Callable[[Callable[[], object]], list[int]]
    ) -> None:
        add_faces(event, 0)
        plans = meanwhile(lambda: Decision.objects.create(event=event, kind=Decision.Kind.NAME, summary="Named Ada"))
        assert grouping.consolidate(event) == 1
        assert len(plans) == 2

    def test_a_photo_that_is_deleted_is_left_out(
        self, event: Event, meanwhile: Callable[[Callable[[], object]], list[int]]
    ) -> None:
        kept, gone = add_faces(event, 0), add_faces(event, 1)
        meanwhile(lambda: gone[0].image.delete())
        assert grouping.consolidate(event) == 1
        assert Face.objects.get().cover == kept[0]
        assert Centroid.objects.get().size == 1

    def test_a_face_that_joined_somebody_goes_where_that_person_goes(
        self, event: Event, meanwhile: Callable[[Callable[[], object]], list[int]], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        old = add_faces(event, 0) + add_faces(event, 1) + add_faces(event, 40)
        grouping.group(event)
        late: list[ImageFace] = []

        def joins() -> None:
            late.extend(add_faces(event, 41))
            ImageFace.objects.filter(pk=late[0].pk).update(face=persons(old)[2])

        event.max_distance = 0.5
        meanwhile(joins)
        grouping.consolidate(event)
        assert len(set(persons(old + late))) == 1
        assert Centroid.objects.get().size == 4

    def test_nobody_hidden_becomes_part_of_a_person_that_was_founded(
        self, event: Event, meanwhile: Callable[[Callable[[], object]], list[int]]
    ) -> None:
        hidden = add_faces(event, 0)
        grouping.group(event)
        Face.objects.update(hidden=True)
        new = add_faces(event, 1) + add_faces(event, 2)

        def founds() -> None:
            founded = Face.objects.create(event=event, engine=event.engine, embedding=direction(1))
            ImageFace.objects.filter(pk__in=[face.pk for face in new]).update(face=founded)

        meanwhile(founds)
        grouping.consolidate(event)
        assert [person.hidden for person in persons(hidden + new) if person] == [True, False, False]

    def test_who_joined_somebody_hidden_stays_hidden(
        self, event: Event, meanwhile: Callable[[Callable[[], object]], list[int]]
    ) -> None:
        hidden, seen = add_faces(event, 60), add_faces(event, 0)
        grouping.group(event)
        Face.objects.filter(image_faces=hidden[0]).update(hidden=True)
        new = add_faces(event, 1)
        meanwhile(lambda: ImageFace.objects.filter(pk=new[0].pk).update(face=persons(hidden)[0]))
        grouping.consolidate(event)
        assert [person.hidden for person in persons(hidden + new + seen) if person] == [True, True, False]


@pytest.mark.django_db
def test_assigning_a_person_does_not_touch_the_row_of_the_vector(event: Event) -> None:
    face = add_faces(event, 0)[0]

    def row_version() -> object:
        return Embedding.objects.extra(select={"version": "xmin::text"}).values_list("version", flat=True).get(pk=face)

    before = row_version()
    grouping.group(event)
    assert row_version() == before
