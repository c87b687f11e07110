"""What staff decided outlasts every grouping, and what was undone binds nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from faces import corrections, grouping
from faces.models import Decision, Face, ImageFace
from faces.partition import partition
from faces.tests.test_corrections import faces_of, meanwhile, person, sides
from faces.tests.test_grouping import add_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from events.models import Event
    from faces.clustering import Rows

    Grouping = Callable[[Event], object]
    Decide = Callable[[list[ImageFace], User], Decision]


def all_anew(event: Event) -> None:
    grouping.consolidate(event)


def with_new_photos(event: Event) -> None:
    """Let faces like all the others come, and join the persons one after the other."""
    for angle in (1.5, 61.5):
        add_faces(event, angle)
        grouping.group(event)
    grouping.consolidate(event)


@pytest.fixture(params=[all_anew, with_new_photos], ids=lambda way: way.__name__)
def regroup(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Grouping:
    monkeypatch.setattr(grouping, "FEW", 0)
    way: Grouping = request.param
    return way


@pytest.fixture
def faces(event: Event) -> list[ImageFace]:
    """Three faces of Ada and three of Bo, grouped; nobody would take one for the other."""
    found = [face for angle in (0, 1, 2, 60, 61, 62) for face in add_faces(event, angle)]
    grouping.consolidate(event)
    assert parts(found) == [[0, 1, 2], [3, 4, 5]]
    for face, name in ((found[0], "Ada"), (found[3], "Bo")):
        Face.objects.filter(image_faces=face).update(name=name)
    return found


def of(face: ImageFace) -> Face:
    return Face.objects.get(image_faces=face)


def parts(faces: list[ImageFace]) -> list[list[int]]:
    """Return which of these faces are one person, by their places."""
    found: dict[Face, list[int]] = {}
    for place, face in enumerate(faces):
        found.setdefault(of(face), []).append(place)
    return list(found.values())


DECISIONS: list[tuple[Decide, list[list[int]]]] = [
    (lambda faces, by: corrections.merge(of(faces[0]).event, [of(faces[0]), of(faces[3])], by), [[0, 1, 2, 3, 4, 5]]),
    (lambda faces, by: corrections.split(faces[2:3], by), [[0, 1], [2], [3, 4, 5]]),
    (lambda faces, by: corrections.split([faces[2], faces[5]], by), [[0, 1], [2, 5], [3, 4]]),
    (lambda faces, by: corrections.move(faces[2:3], of(faces[3]), by), [[0, 1], [2, 3, 4, 5]]),
    (lambda faces, by: corrections.move(faces[:3], of(faces[3]), by), [[0, 1, 2, 3, 4, 5]]),
]
IDS = ("merge", "split", "split of two", "move", "move of all")


@pytest.mark.parametrize(("decide", "expected"), DECISIONS, ids=IDS)
def test_a_correction_outlasts_groupings(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User, decide: Decide, expected: list[list[int]]
) -> None:
    grab_ids = [of(face).grab_id for face in faces]
    decision = decide(faces, staff)
    decided = [of(face) for face in faces]
    regroup(event)
    assert parts(faces) == expected
    assert [of(face) for face in faces] == decided, "with the same grab_ids"
    assert corrections.undo(decision, staff)
    assert [of(face).grab_id for face in faces] == grab_ids
    regroup(event)
    assert [of(face).grab_id for face in faces] == grab_ids, "what was undone does not bind"
    assert [of(faces[0]).name, of(faces[3]).name] == ["Ada", "Bo"]


def test_a_removed_face_finds_another_person(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    decision = corrections.remove(faces[2:3], staff)
    grouping.group(event)
    regroup(event)
    assert parts(faces) == [[0, 1], [2], [3, 4, 5]]
    assert corrections.undo(decision, staff)
    regroup(event)
    assert parts(faces) == [[0, 1, 2], [3, 4, 5]]


def test_those_who_are_not_the_same_stay_two(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    Face.objects.update(name="")
    decision = corrections.not_same(of(faces[0]), of(faces[3]), staff)
    event.max_distance = 0.8
    regroup(event)
    assert parts(faces) == [[0, 1, 2], [3, 4, 5]]
    assert corrections.undo(decision, staff)
    regroup(event)
    assert len(parts(faces)) == 1


def test_what_a_person_is_outlasts_groupings(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    corrections.hide([of(faces[0])], staff)
    corrections.rename(of(faces[3]), "Cy", staff)
    corrections.choose_cover(faces[3], staff)
    event.max_distance = 0.8
    regroup(event)
    assert parts(faces) == [[0, 1, 2], [3, 4, 5]]
    assert of(faces[0]).hidden
    assert (of(faces[3]).name, of(faces[3]).cover, of(faces[3]).hidden) == ("Cy", faces[3], False)


def test_faces_of_a_hidden_person_stay_hidden_when_it_is_split(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    corrections.hide([of(faces[0])], staff)
    corrections.split(faces[2:3], staff)
    regroup(event)
    assert [of(face).hidden for face in faces] == [True, True, True, False, False, False]


def test_the_newest_of_many_decisions_counts(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    corrections.merge(event, [of(faces[0]), of(faces[3])], staff)
    corrections.split(faces[1:3], staff)
    corrections.move(faces[2:3], of(faces[0]), staff)
    expected = parts(faces)
    assert expected == [[0, 2, 3, 4, 5], [1]]
    regroup(event)
    assert parts(faces) == expected


def test_an_undone_decision_is_undone_whatever_came_to_it_later(
    event: Event, faces: list[ImageFace], regroup: Grouping, staff: User
) -> None:
    cy = person(event, 120)
    first = corrections.merge(event, [of(faces[0]), of(faces[3])], staff)
    corrections.merge(event, [of(faces[0]), cy], staff)
    assert corrections.undo(first, staff)
    everybody = [*faces, *ImageFace.objects.filter(pk__gt=faces[-1].pk)[:1]]
    assert parts(everybody) == [[0, 1, 2, 6], [3, 4, 5]]
    regroup(event)
    assert parts(everybody) == [[0, 1, 2, 6], [3, 4, 5]]


@pytest.mark.django_db(transaction=True)
def test_a_merge_beside_a_consolidation(event: Event, staff: User) -> None:
    one, other = person(event, 0, 1), person(event, 60)
    merged = [*faces_of(one), *faces_of(other)]
    add_faces(event, 2)
    outcomes = meanwhile(lambda: corrections.merge(event, [one, other], staff), lambda: grouping.consolidate(event))
    assert isinstance(outcomes[0], Decision)
    # The new face is among them where the consolidation came first.
    assert sides(outcomes[0])[0] >= {face.pk for face in merged}
    assert len(parts(merged)) == 1
    assert {Face.objects.with_grab_id(each.grab_id).get() for each in (one, other)} == {of(merged[0])}
    assert not ImageFace.objects.filter(face=None).exists()


@pytest.mark.django_db(transaction=True)
def test_a_decision_made_while_a_consolidation_was_planned_counts(
    event: Event, staff: User, faces: list[ImageFace], monkeypatch: pytest.MonkeyPatch
) -> None:
    def decide_meanwhile(event: Event, *args: Any) -> Rows:
        monkeypatch.undo()
        planned = partition(event, *args)
        corrections.split(faces[2:3], staff)
        return planned

    monkeypatch.setattr("faces.grouping.partition", decide_meanwhile)
    grouping.consolidate(event)
    assert parts(faces) == [[0, 1], [2], [3, 4, 5]]
