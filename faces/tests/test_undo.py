"""A correction is taken back, and what was decided later stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faces import corrections, grouping
from faces.corrections import CorrectionError
from faces.models import Centroid, Decision, Embedding, Face, FaceAlias, ImageFace
from faces.tests.test_corrections import faces_of, looks_like, meanwhile, person, queries, refused, sides, state
from faces.tests.test_grouping import add_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from events.models import Event


def undo(decision: Decision, staff: User) -> None:
    assert corrections.undo(decision, staff)
    decision.refresh_from_db()
    assert decision.undone_by == staff
    assert decision.undone_at is not None
    assert decision not in Decision.objects.live()


@pytest.fixture
def ada(event: Event) -> Face:
    """Three faces, of which the last is the clearest."""
    return covered(person(event, 0, 1, 40, name="Ada"))


@pytest.fixture
def bo(event: Event) -> Face:
    return covered(person(event, 60, 61, name="Bo"))


def covered(face: Face) -> Face:
    face.cover = faces_of(face)[-1]
    face.save()
    return face


CORRECTIONS: dict[str, Callable[[Face, Face, User], Decision]] = {
    "merge": lambda ada, bo, by: corrections.merge(ada.event, [ada, bo], by),
    "split": lambda ada, bo, by: corrections.split(faces_of(ada)[2:], by),
    "split of several": lambda ada, bo, by: corrections.split([faces_of(ada)[2], faces_of(bo)[0]], by),
    "move": lambda ada, bo, by: corrections.move(faces_of(ada)[2:], bo, by),
    "move of all": lambda ada, bo, by: corrections.move(faces_of(ada), bo, by),
    "remove": lambda ada, bo, by: corrections.remove(faces_of(ada)[2:], by),
    "not the same": lambda ada, bo, by: corrections.not_same(ada, bo, by),
    "hide": lambda ada, bo, by: corrections.hide([ada, bo], by),
    "name": lambda ada, bo, by: corrections.rename(ada, "Ida", by),
    "cover": lambda ada, bo, by: corrections.choose_cover(faces_of(ada)[0], by),
}


@pytest.mark.parametrize("correct", CORRECTIONS.values(), ids=CORRECTIONS)
def test_all_is_as_it_was(correct: Callable[[Face, Face, User], Decision], ada: Face, bo: Face, staff: User) -> None:
    FaceAlias.objects.create(grab_id="00000000-0000-4000-8000-000000000001", face=ada)
    FaceAlias.objects.create(grab_id="00000000-0000-4000-8000-000000000002", face=bo)
    persons, faces, *_ = state()
    aliases = set(FaceAlias.objects.values_list("grab_id", "face"))
    undo(correct(ada, bo, staff), staff)
    assert state()[:2] == (persons, faces)
    assert set(FaceAlias.objects.values_list("grab_id", "face")) >= aliases


@pytest.mark.parametrize("correct", CORRECTIONS.values(), ids=CORRECTIONS)
def test_there_is_something_to_take_back(
    correct: Callable[[Face, Face, User], Decision], ada: Face, bo: Face, staff: User
) -> None:
    before = state()
    correct(ada, bo, staff)
    assert state() != before


def test_what_was_shown_is_hidden_again(ada: Face, staff: User) -> None:
    corrections.hide([ada], staff)
    undo(corrections.show([ada], staff), staff)
    assert not Face.objects.visible().exists()


def test_a_second_undo_does_nothing(ada: Face, bo: Face, staff: User, event: Event) -> None:
    decision = corrections.merge(event, [ada, bo], staff)
    undo(decision, staff)
    before = state()
    assert corrections.undo(decision, staff) is False
    assert state() == before


def test_the_sides_stay_on_record(ada: Face, bo: Face, staff: User, event: Event) -> None:
    decision = corrections.merge(event, [ada, bo], staff)
    recorded = sides(decision)
    undo(decision, staff)
    assert sides(decision) == recorded


def test_who_comes_back_is_what_the_faces_make_them(ada: Face, bo: Face, staff: User, event: Event) -> None:
    undo(corrections.merge(event, [ada, bo], staff), staff)
    assert looks_like(bo, 60.5)
    assert Centroid.objects.get(face=ada).size == 3


def test_who_was_split_off_leads_to_where_the_faces_went(ada: Face, staff: User) -> None:
    decision = corrections.split(faces_of(ada)[2:], staff)
    founded = Face.objects.latest("pk").grab_id
    undo(decision, staff)
    assert Face.objects.with_grab_id(founded).get() == ada


def test_corrections_are_taken_back_one_after_the_other(ada: Face, bo: Face, staff: User, event: Event) -> None:
    persons, faces, *_ = state()
    decisions = [
        corrections.split(faces_of(ada)[2:], staff),
        corrections.merge(event, [Face.objects.latest("pk"), bo], staff),
        corrections.merge(event, [bo, ada], staff),
        corrections.remove(faces_of(Face.objects.get())[:1], staff),
    ]
    for decision in reversed(decisions):
        undo(decision, staff)
    assert state()[:2] == (persons, faces)


class TestLater:
    def test_a_face_that_was_moved_on_stays_there(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        cy = person(event, 90)
        moved, back = (ImageFace.objects.get(pk=pk) for pk in bo_faces(merged))
        corrections.move([moved], cy, staff)
        undo(merged, staff)
        assert moved in faces_of(cy)
        assert faces_of(bo) == [back]

    def test_a_later_name_stays(self, bo: Face, staff: User, event: Event) -> None:
        large = person(event, 0, 1, 2)
        merged = corrections.merge(event, [large, bo], staff)
        corrections.rename(large, "Cy", staff)
        undo(merged, staff)
        assert set(Face.objects.values_list("pk", "name")) == {(large.pk, "Cy"), (bo.pk, "Bo")}

    def test_hidden_again_since_stays_hidden(self, ada: Face, staff: User) -> None:
        first = corrections.hide([ada], staff)
        corrections.show([ada], staff)
        corrections.hide([ada], staff)
        undo(first, staff)
        assert not Face.objects.visible().exists()

    def test_no_part_of_a_person_hidden_since_comes_to_light(
        self, ada: Face, bo: Face, staff: User, event: Event
    ) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        hidden = corrections.hide([ada], staff)
        undo(merged, staff)
        assert Face.objects.count() == 2
        assert not Face.objects.visible().exists()
        undo(hidden, staff)
        assert Face.objects.visible().get() == ada

    def test_faces_that_came_to_the_person_stay(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        cy = person(event, 3)
        (came,) = faces_of(cy)
        later = corrections.move([came], ada, staff)
        undo(merged, staff)
        assert came in faces_of(ada)
        assert len(faces_of(bo)) == 2
        assert sides(later)[0].isdisjoint(face.pk for face in faces_of(bo)), "it would bring them together again"

    def test_a_later_merge_holds_without_those_who_return(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        cy = person(event, 3)
        merged = corrections.merge(event, [ada, bo], staff)
        later = corrections.merge(event, [ada, cy], staff)
        undo(merged, staff)
        assert set(Face.objects.values_list("pk", flat=True)) == {ada.pk, bo.pk}
        assert sides(later)[0] == {face.pk for face in faces_of(ada)}
        undo(later, staff)
        assert Face.objects.count() == 3

    def test_a_person_that_was_built_on_is_not_dissolved(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        split = corrections.split(faces_of(ada)[2:], staff)
        founded = Face.objects.latest("pk")
        added = corrections.move(faces_of(bo)[:1], founded, staff)
        assert refused(lambda: corrections.undo(split, staff)) == "later_decision"
        undo(added, staff)
        undo(split, staff)

    def test_a_person_that_was_named_since_is_not_dissolved(self, ada: Face, staff: User) -> None:
        split = corrections.split(faces_of(ada)[2:], staff)
        named = corrections.rename(Face.objects.latest("pk"), "Cy", staff)
        with pytest.raises(CorrectionError, match=r"Cy.* Undo that first"):
            corrections.undo(split, staff)
        undo(named, staff)
        undo(split, staff)

    def test_those_who_are_not_the_same_stay_apart(self, ada: Face, staff: User) -> None:
        split = corrections.split(faces_of(ada)[2:], staff)
        corrections.not_same(ada, Face.objects.latest("pk"), staff)
        assert refused(lambda: corrections.undo(split, staff)) == "later_decision"

    def test_a_name_of_a_person_who_became_part_of_another(
        self, ada: Face, bo: Face, staff: User, event: Event
    ) -> None:
        named = corrections.rename(bo, "Bob", staff)
        merged = corrections.merge(event, [ada, bo], staff)
        assert refused(lambda: corrections.undo(named, staff)) == "gone"
        undo(merged, staff)
        undo(named, staff)
        bo.refresh_from_db()
        assert bo.name == "Bo"


class TestRemoved:
    """Where a grouping put the face does not count; where a person put it does."""

    def test_a_face_that_a_grouping_gave_to_another_returns(self, ada: Face, bo: Face, staff: User) -> None:
        before = state()[1]
        *_, chosen = faces_of(ada)
        removed = corrections.remove([chosen], staff)
        ImageFace.objects.filter(pk=chosen.pk).update(face=bo)
        undo(removed, staff)
        assert state()[1] == before

    def test_a_person_that_a_grouping_made_of_it_vanishes(self, ada: Face, staff: User, event: Event) -> None:
        *_, chosen = faces_of(ada)
        removed = corrections.remove([chosen], staff)
        made = Face.objects.create(event=event, engine="fake", embedding=ada.embedding)
        ImageFace.objects.filter(pk=chosen.pk).update(face=made)
        undo(removed, staff)
        assert Face.objects.with_grab_id(made.grab_id).get() == ada

    def test_a_face_that_was_moved_since_stays(self, ada: Face, bo: Face, staff: User) -> None:
        *_, chosen = faces_of(ada)
        removed = corrections.remove([chosen], staff)
        corrections.move([chosen], bo, staff)
        undo(removed, staff)
        assert chosen in faces_of(bo)


class TestGrouped:
    """A grouping may have found, meanwhile, that persons are one."""

    @staticmethod
    def unite(gone: Face, kept: Face) -> None:
        ImageFace.objects.filter(face=gone).update(face=kept)
        FaceAlias.objects.filter(face=gone).update(face=kept)
        FaceAlias.objects.create(grab_id=gone.grab_id, face=kept)
        Face.objects.filter(pk=gone.pk).delete()

    def test_the_person_that_the_correction_made(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        split = corrections.split(faces_of(ada)[2:], staff)
        founded = Face.objects.latest("pk")
        self.unite(founded, bo)
        undo(split, staff)
        assert (len(faces_of(ada)), len(faces_of(bo))) == (3, 2)

    def test_the_person_that_they_came_from(self, ada: Face, bo: Face, staff: User) -> None:
        split = corrections.split(faces_of(ada)[2:], staff)
        self.unite(ada, bo)
        undo(split, staff)
        assert len(faces_of(bo)) == 5


class TestJoinedSince:
    """A grouping gave the person faces while it was made of two: nobody knows whose they are."""

    def test_they_find_their_person_anew(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        (new,) = add_faces(event, 62)
        grouping.group(event)
        assert new in faces_of(ada)
        undo(merged, staff)
        assert new not in faces_of(ada)
        grouping.group(event)
        assert new in faces_of(bo)

    def test_what_somebody_decided_about_them_stays(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        (new,) = add_faces(event, 62)
        corrections.move([new], ada, staff)
        undo(merged, staff)
        assert new in faces_of(ada)

    def test_nobody_vanishes_for_it(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        own = faces_of(ada)
        merged = corrections.merge(event, [ada, bo], staff)
        (new,) = add_faces(event, 2)
        ImageFace.objects.filter(pk=new.pk).update(face=ada)
        for face in own:
            face.image.delete()
        undo(merged, staff)
        assert faces_of(ada) == [new]


def test_a_face_that_cannot_be_compared_returns_with_its_person(ada: Face, bo: Face, staff: User, event: Event) -> None:
    before = state()[1]
    Embedding.objects.filter(image_face=faces_of(bo)[0]).update(engine="sface")
    undo(corrections.merge(event, [ada, bo], staff), staff)
    assert state()[1] == before


class TestDeletedPhotos:
    def test_what_is_left_returns(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        first, second = bo_faces(merged)
        ImageFace.objects.get(pk=first).image.delete()
        undo(merged, staff)
        assert [face.pk for face in faces_of(bo)] == [second]

    def test_nobody_returns_without_a_face(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        merged = corrections.merge(event, [ada, bo], staff)
        for pk in bo_faces(merged):
            ImageFace.objects.get(pk=pk).image.delete()
        undo(merged, staff)
        assert Face.objects.get() == ada

    def test_who_stayed_has_none_left(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        own = faces_of(ada)
        merged = corrections.merge(event, [ada, bo], staff)
        for face in own:
            face.image.delete()
        undo(merged, staff)
        assert Face.objects.get() == bo

    def test_a_chosen_cover(self, ada: Face, bo: Face, staff: User, event: Event) -> None:
        corrections.choose_cover(faces_of(bo)[0], staff)
        merged = corrections.merge(event, [ada, bo], staff)
        first, second = bo_faces(merged)
        ImageFace.objects.get(pk=first).image.delete()
        undo(merged, staff)
        bo.refresh_from_db()
        assert (bo.cover_id, bo.cover_chosen) == (second, False)

    def test_a_person_who_is_gone_altogether(self, ada: Face, staff: User) -> None:
        hidden = corrections.hide([ada], staff)
        ada.delete()
        assert refused(lambda: corrections.undo(hidden, staff)) == "gone"


def bo_faces(merged: Decision) -> list[int]:
    """Return the faces (keys) that a merge gave to another person."""
    ((_, faces),) = merged.before["moved"]
    return list(faces)


def test_a_face_that_had_no_person_has_none_again(ada: Face, staff: User, event: Event) -> None:
    (new,) = add_faces(event, 70)
    undo(corrections.move([new], ada, staff), staff)
    assert ImageFace.objects.get(face=None) == new


def test_the_queries_do_not_grow_with_the_faces(event: Event, staff: User) -> None:
    small = corrections.merge(event, [person(event, 0), person(event, 1)], staff)
    large = corrections.merge(event, [person(event, *range(20, 30)), person(event, *range(40, 50))], staff)
    assert queries(lambda: corrections.undo(large, staff)) == queries(lambda: corrections.undo(small, staff))


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_takes_it_back(ada: Face, bo: Face, staff: User, event: Event) -> None:
    merged = corrections.merge(event, [ada, bo], staff)
    outcomes = meanwhile(*[lambda: corrections.undo(merged, staff)] * 2)
    assert set(outcomes) == {True, False}
    assert Face.objects.count() == 2
