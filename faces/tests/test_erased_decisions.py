"""Undoing what was decided about somebody who has been erased since brings nobody back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faces import corrections, privacy
from faces.corrections import CorrectionError
from faces.models import Decision, Face
from faces.tests.people import add_person, faces_of

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from events.models import Event


def refused(decision: Decision, staff: User) -> str:
    with pytest.raises(CorrectionError) as error:
        corrections.undo(decision, staff)
    return error.value.code


def summary(decision: Decision) -> str:
    return Decision.objects.values_list("summary", flat=True).get(pk=decision.pk)


def records() -> str:
    return str(list(Decision.objects.values_list("summary", "before")))


def test_faces_that_were_moved_away_do_not_come_back(event: Event, staff: User) -> None:
    ada, bob = add_person(event, 0, 1, 2, name="Ada"), add_person(event, 60, name="Bob")
    moved = corrections.move(list(ada.image_faces.all()[:1]), bob, staff)
    privacy.erase(event, [ada], staff)
    assert refused(moved, staff) == "erased"
    assert Face.objects.get() == bob
    assert len(faces_of(bob)) == 2
    assert summary(moved) == "Moved: a person erased since and Bob"


def test_who_was_hidden_together_is_shown_again_without_them(event: Event, staff: User) -> None:
    ada, bob, eve = (add_person(event, angle, name=name) for angle, name in ((0, "Ada"), (60, "Bob"), (120, "Eve")))
    hidden = corrections.hide([ada, bob, eve], staff)
    privacy.erase(event, [ada], staff)
    assert summary(hidden) == "Hidden: a person erased since, Bob and 1 other"
    assert corrections.undo(hidden, staff)
    assert list(Face.objects.values_list("name", "hidden")) == [("Bob", False), ("Eve", False)]


def test_nothing_is_left_to_undo_of_who_was_hidden_alone(event: Event, staff: User) -> None:
    ada = add_person(event, 0, name="Ada")
    hidden, named = corrections.hide([ada], staff), corrections.rename(ada, "Eve", staff)
    privacy.erase(event, [ada], staff)
    assert [refused(decision, staff) for decision in (hidden, named)] == ["erased"] * 2
    assert "Ada" not in records()
    assert "Eve" not in records()


def test_who_was_split_off_does_not_come_back_and_the_other_keeps_the_name(event: Event, staff: User) -> None:
    ada = add_person(event, 0, 1, 30, name="Ada")
    split = corrections.split(list(ada.image_faces.all()[2:]), staff)
    other = Face.objects.exclude(pk=ada.pk).get()
    privacy.erase(event, [other], staff)
    assert refused(split, staff) == "erased"
    assert summary(split) == "Split 1 face off Ada"
    assert str(other.grab_id) not in records()
    assert len(faces_of(ada)) == 2


def test_who_was_merged_by_mistake_and_parted_again_is_known_by_their_faces(event: Event, staff: User) -> None:
    """Ada became part of Bob, and was split off under a grab_id that nothing connects with hers."""
    ada, bob = add_person(event, 0, 1, name="Ada"), add_person(event, 60, 61, 62, name="Bob")
    named = corrections.rename(ada, "Ada King", staff)
    own = list(ada.image_faces.all())
    merged = corrections.merge(event, [ada, bob], staff)
    corrections.split(own, staff)
    privacy.erase(event, [Face.objects.exclude(pk=bob.pk).get()], staff)
    assert "Ada" not in records()
    assert str(ada.grab_id) not in records()
    assert not bob.aliases.exists()
    assert [refused(decision, staff) for decision in (merged, named)] == ["erased"] * 2
    assert summary(merged) == "Merged: a person erased since and Bob"


def test_a_merge_of_others_that_a_face_had_been_part_of_is_undone_for_the_rest(event: Event, staff: User) -> None:
    """One of Bob's faces was Ada's, which was found out after he was merged with Eve."""
    ada, bob, eve = add_person(event, 0), add_person(event, 60, 2, 61), add_person(event, 63)
    stray = bob.image_faces.all()[1]
    merged = corrections.merge(event, [bob, eve], staff)
    corrections.move([stray], ada, staff)
    privacy.erase(event, [ada], staff)
    assert stray.pk not in merged.faces.values_list("image_face", flat=True)
    assert corrections.undo(merged, staff)
    assert [len(faces_of(person)) for person in (bob, Face.objects.get(grab_id=eve.grab_id))] == [2, 1]


def test_decisions_about_others_stay_word_for_word(event: Event, staff: User) -> None:
    ada, bob, eve = (add_person(event, angle, name=name) for angle, name in ((0, "Ada"), (60, "Bob"), (90, "Eve")))
    corrections.not_same(bob, eve, staff)
    corrections.hide([eve], staff)
    before = list(Decision.objects.values())
    assert privacy.erase(event, [ada], staff).decisions == 0
    assert list(Decision.objects.values()) == before
