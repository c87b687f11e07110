"""What people decided, as constraints."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faces import grouping
from faces.constraints import Decided
from faces.models import Decision, DecisionFace, Face
from faces.tests.test_grouping import add_faces, persons

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pytest

    from events.models import Event
    from faces.models import ImageFace

MERGE, SPLIT, NOT_SAME = Decision.Kind.MERGE, Decision.Kind.SPLIT, Decision.Kind.NOT_SAME


def decide(event: Event, kind: str, together: Iterable[ImageFace], apart: Iterable[ImageFace] = ()) -> Decision:
    decision = Decision.objects.create(event=event, kind=kind, summary=kind)
    for side, faces in ((DecisionFace.Side.TOGETHER, together), (DecisionFace.Side.APART, apart)):
        DecisionFace.objects.bulk_create(DecisionFace(decision=decision, image_face=face, side=side) for face in faces)
    return decision


def labels(event: Event, faces: list[ImageFace]) -> list[int]:
    return [int(label) for label in Decided(event, np.array([face.pk for face in faces])).labels]


def test_those_merged_are_one_whatever_the_vectors_say(event: Event) -> None:
    a, b = add_faces(event, 0) + add_faces(event, 90)
    decision = decide(event, MERGE, [a, b])
    grouping.consolidate(event)
    assert len(set(persons([a, b]))) == 1
    decision.undone_at = decision.made_at
    decision.save()
    grouping.consolidate(event)
    assert len(set(persons([a, b]))) == 2, "what was undone does not bind"


def test_those_who_are_not_the_same_stay_apart_with_all_that_join_them(event: Event) -> None:
    a, b = add_faces(event, 0) + add_faces(event, 1)
    decide(event, NOT_SAME, [a], [b])
    others = add_faces(event, -2) + add_faces(event, 3)
    grouping.consolidate(event)
    assert persons([a]) == persons(others[:1])
    assert persons([b]) == persons(others[1:])
    assert persons([a]) != persons([b])


def test_must_link_is_transitive(event: Event) -> None:
    a, b, c, d = (add_faces(event, angle)[0] for angle in (0, 60, 120, 180))
    decide(event, MERGE, [a, b])
    decide(event, MERGE, [b, c])
    found = labels(event, [a, b, c, d])
    assert found[0] == found[1] == found[2] != found[3]


def test_the_newer_decision_wins(event: Event) -> None:
    a, b, c = (add_faces(event, angle)[0] for angle in (0, 60, 120))
    decide(event, MERGE, [a, b, c])
    decide(event, SPLIT, [c], [a, b])
    found = labels(event, [a, b, c])
    assert found[0] == found[1] != found[2]
    decide(event, MERGE, [b, c])
    found = labels(event, [a, b, c])
    assert found[1] == found[2], "the newest of all"


def test_those_who_were_united_from_both_sides_stay_apart_from_the_rest_of_both(event: Event) -> None:
    a, a2, b, b2 = (add_faces(event, angle)[0] for angle in (0, 1, 60, 61))
    decide(event, MERGE, [a, a2])
    decide(event, NOT_SAME, [a, a2], [b, b2])
    decide(event, SPLIT, [a, b], [a2, b2])
    decide(event, MERGE, [a2, b2])
    found = labels(event, [a, a2, b, b2])
    assert found[0] == found[2] != found[1] == found[3]


def test_an_older_union_does_not_reach_over_a_newer_separation(event: Event) -> None:
    stays, moves, left = (add_faces(event, angle)[0] for angle in (0, 60, 120))
    decide(event, MERGE, [stays, moves, left])
    decide(event, NOT_SAME, [moves], [stays, left])
    decide(event, MERGE, [moves, left])
    found = labels(event, [stays, moves, left])
    assert found[1] == found[2] != found[0]


def test_two_hidden_persons_stay_two(event: Event) -> None:
    one, other = add_faces(event, 0), add_faces(event, 60)
    grouping.group(event)
    Face.objects.update(hidden=True)
    event.max_distance = 0.6
    grouping.consolidate(event)
    assert persons(one) != persons(other)


def test_a_newer_union_ends_an_older_separation(event: Event) -> None:
    a, b = add_faces(event, 0) + add_faces(event, 90)
    decide(event, NOT_SAME, [a], [b])
    decide(event, MERGE, [a, b])
    grouping.consolidate(event)
    assert len(set(persons([a, b]))) == 1


def test_a_removed_face_does_not_come_back_when_it_joins_anew(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    rest = add_faces(event, 0) + add_faces(event, 1)
    removed = add_faces(event, 2)[0]
    grouping.group(event)
    decide(event, Decision.Kind.REMOVE, [removed], rest)
    type(removed).objects.filter(pk=removed.pk).update(face=None)
    grouping.group(event)
    assert persons([removed])[0] not in persons(rest)


def test_hidden_persons_and_others_do_not_mix(event: Event) -> None:
    hidden, seen = add_faces(event, 0), add_faces(event, 60)
    grouping.group(event)
    Face.objects.filter(image_faces=hidden[0]).update(hidden=True)
    between = add_faces(event, 28) + add_faces(event, 5)
    event.max_distance = 0.6
    grouping.consolidate(event)
    assert persons(hidden) != persons(seen)
    assert persons(hidden) == persons(between[1:])
    assert Face.objects.get(hidden=True) == persons(hidden)[0]


def test_a_part_of_a_hidden_person_is_hidden(event: Event) -> None:
    one, two = add_faces(event, 0), add_faces(event, 40)
    event.max_distance = 0.5
    grouping.consolidate(event)
    Face.objects.update(hidden=True)
    event.max_distance = 0.1
    grouping.consolidate(event)
    assert [person.hidden for person in persons(one + two) if person] == [True, True]


def test_persons_of_two_names_stay_two(event: Event) -> None:
    ada, bob = add_faces(event, 0), add_faces(event, 60)
    grouping.group(event)
    for name, (face,) in (("Ada", ada), ("Bob", bob)):
        Face.objects.filter(image_faces=face).update(name=name)
    event.max_distance = 0.6
    grouping.consolidate(event)
    assert [person.name for person in persons(ada + bob) if person] == ["Ada", "Bob"]


def test_a_chosen_cover_stays(event: Event) -> None:
    chosen, best = add_faces(event, 0), add_faces(event, 5)
    grouping.group(event)
    Face.objects.update(cover=chosen[0], cover_chosen=True)
    grouping.consolidate(event)
    assert Face.objects.get().cover == chosen[0] != best[0]
