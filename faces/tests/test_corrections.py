"""Staff correct who is who: at once, on record, and against no grouping."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from faces import corrections
from faces.corrections import CorrectionError
from faces.models import Centroid, Decision, DecisionFace, Embedding, Face, FaceAlias, ImageFace
from faces.tests.test_grouping import add_faces, direction

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

    from events.models import Event


def person(event: Event, *angles: float, name: str = "") -> Face:
    """Make a person of one face in each of these directions, each in a photo of its own."""
    faces = [add_faces(event, angle)[0] for angle in angles]
    face = Face.objects.create(event=event, engine=event.engine, embedding=direction(angles[0]), name=name)
    ImageFace.objects.filter(pk__in=[each.pk for each in faces]).update(face=face)
    return face


def faces_of(face: Face) -> list[ImageFace]:
    return list(face.image_faces.order_by("pk"))


def sides(decision: Decision) -> tuple[set[int], set[int]]:
    """Return the faces together and those apart."""
    found = {side: set(decision.faces.filter(side=side).values_list("image_face", flat=True)) for side in (1, 0)}
    return found[1], found[0]


def looks_like(face: Face, angle: float) -> bool:
    """Tell whether the person's centroid points there."""
    mean = np.array(Centroid.objects.get(face=face).mean, np.float32)
    return bool(np.allclose(mean / np.linalg.norm(mean), direction(angle), atol=1e-3))


def queries(do: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        do()
    return len(captured)


def keys(*faces: ImageFace) -> set[int]:
    return {face.pk for face in faces}


def refused(correct: Callable[[], object]) -> str:
    """Return the code that this is refused with; nothing may have changed."""
    before = state()
    with pytest.raises(CorrectionError) as refusal:
        correct()
    assert state() == before
    assert refusal.value.sentence.endswith(".")
    return refusal.value.code


def state() -> tuple[object, ...]:
    rows = (Face.objects.order_by("pk").values(*FIELDS), ImageFace.objects.order_by("pk").values("pk", "face"))
    return (*map(list, rows), Decision.objects.count(), set(FaceAlias.objects.values_list("grab_id", "face")))


FIELDS = ("pk", "grab_id", "name", "hidden", "cover", "cover_chosen")


class TestMerge:
    def test_the_largest_stays_with_all_faces(self, event: Event, staff: User) -> None:
        small, large = person(event, 40), person(event, 0, 2)
        everybody = faces_of(small) + faces_of(large)
        decision = corrections.merge(event, [small, large], staff)
        assert list(Face.objects.values_list("pk", "grab_id")) == [(large.pk, large.grab_id)]
        assert faces_of(large) == everybody
        assert Face.objects.with_grab_id(small.grab_id).get() == large
        assert sides(decision) == (keys(*everybody), set())
        assert (decision.kind, decision.made_by) == ("merge", staff)

    def test_what_follows_from_the_faces_is_written_anew(self, event: Event, staff: User) -> None:
        one, other = person(event, 0), person(event, 20)
        corrections.merge(event, [one, other], staff)
        one.refresh_from_db()
        assert np.allclose(np.array(one.embedding), direction(10), atol=1e-3)
        assert looks_like(one, 10)
        assert one.cover == faces_of(one)[1]
        assert Centroid.objects.get().size == 2

    def test_the_summary_names_who_was_merged(self, event: Event, staff: User) -> None:
        ada, nobody = person(event, 0, 1, name="Ada"), person(event, 40)
        decision = corrections.merge(event, [nobody, ada], staff)
        assert decision.summary == f"Merged Ada (2 photos) and {str(nobody.grab_id)[:8]} (1 photo)"

    def test_the_summary_fits_however_many_and_however_long_the_names(self, event: Event, staff: User) -> None:
        persons = [person(event, angle, name="x" * 120) for angle in range(5)]
        assert corrections.merge(event, persons, staff).summary.endswith("and 3 others")

    def test_a_name_survives(self, event: Event, staff: User) -> None:
        large = person(event, 0, 1, 2)
        corrections.merge(event, [large, person(event, 9, name="Cy"), person(event, 4, 5, name="Bo")], staff)
        large.refresh_from_db()
        assert large.name == "Bo"

    def test_hidden_is_whoever_was_hidden_in_part(self, event: Event, staff: User) -> None:
        large, small = person(event, 0, 1), person(event, 9)
        corrections.hide([small], staff)
        corrections.merge(event, [large, small], staff)
        large.refresh_from_db()
        assert large.hidden

    def test_a_chosen_cover_survives(self, event: Event, staff: User) -> None:
        large, small = person(event, 90, 91), person(event, 0)
        (chosen,) = faces_of(small)
        corrections.choose_cover(chosen, staff)
        corrections.merge(event, [large, small], staff)
        large.refresh_from_db()
        assert (large.cover, large.cover_chosen) == (chosen, True)

    def test_aliases_of_aliases_lead_on(self, event: Event, staff: User) -> None:
        first, second, third = person(event, 0), person(event, 1, 2), person(event, 3, 4, 5, 6)
        corrections.merge(event, [first, second], staff)
        corrections.merge(event, [second, third], staff)
        assert {Face.objects.with_grab_id(each.grab_id).get() for each in (first, second, third)} == {third}

    def test_one_who_vanished_meanwhile_stands_for_who_took_over(self, event: Event, staff: User) -> None:
        first, second, third = person(event, 0), person(event, 1, 2), person(event, 3)
        corrections.merge(event, [first, second], staff)
        corrections.merge(event, [first, third], staff)
        assert Face.objects.get() == second

    def test_refusals(self, event: Event, other_event: Event, staff: User) -> None:
        one, other, stranger, gone = person(event, 0), person(event, 9), person(other_event, 0), person(event, 50)
        Face.objects.filter(pk=gone.pk).delete()
        assert refused(lambda: corrections.merge(event, [], staff)) == "nothing_chosen"
        assert refused(lambda: corrections.merge(event, [one], staff)) == "same_person"
        assert refused(lambda: corrections.merge(event, [one, one], staff)) == "same_person"
        assert refused(lambda: corrections.merge(event, [one, stranger], staff)) == "other_event"
        assert refused(lambda: corrections.merge(event, [one, gone], staff)) == "gone"
        corrections.merge(event, [one, other], staff)
        assert refused(lambda: corrections.merge(event, [one, other], staff)) == "same_person"

    def test_the_queries_do_not_grow_with_the_faces(self, event: Event, staff: User) -> None:
        small = [person(event, 0), person(event, 1)]
        large = [person(event, *range(20, 30)), person(event, *range(40, 50))]
        assert queries(lambda: corrections.merge(event, small, staff)) == queries(
            lambda: corrections.merge(event, large, staff)
        )


class TestSplit:
    def test_the_chosen_become_a_person_of_their_own(self, event: Event, staff: User) -> None:
        ada = person(event, 0, 1, 80, 81, name="Ada")
        first, second, third, fourth = faces_of(ada)
        decision = corrections.split([third, fourth], staff)
        founded = Face.objects.exclude(pk=ada.pk).get()
        assert (faces_of(ada), faces_of(founded)) == ([first, second], [third, fourth])
        assert (Face.objects.get(pk=ada.pk).name, founded.name) == ("Ada", "")
        assert np.allclose(np.array(founded.embedding), direction(80.5), atol=1e-3)
        assert founded.cover == fourth
        assert sides(decision) == (keys(third, fourth), keys(first, second))
        assert decision.summary == "Split 2 faces off Ada"

    def test_faces_of_several_persons_become_one(self, event: Event, staff: User) -> None:
        one, other = person(event, 0, 1), person(event, 50, 51)
        chosen = [faces_of(one)[1], faces_of(other)[0]]
        decision = corrections.split(chosen, staff)
        assert faces_of(Face.objects.latest("pk")) == chosen
        assert sides(decision)[1] == keys(*faces_of(one), *faces_of(other))

    def test_who_comes_off_a_hidden_person_is_hidden(self, event: Event, staff: User) -> None:
        one = person(event, 0, 50)
        corrections.hide([one], staff)
        corrections.split(faces_of(one)[:1], staff)
        assert not Face.objects.visible().exists()

    def test_a_chosen_cover_that_leaves_is_replaced(self, event: Event, staff: User) -> None:
        one = person(event, 0, 50)
        stays, leaves = faces_of(one)
        corrections.choose_cover(leaves, staff)
        corrections.split([leaves], staff)
        one.refresh_from_db()
        assert (one.cover, one.cover_chosen) == (stays, False)

    def test_refusals(self, event: Event, other_event: Event, staff: User) -> None:
        one, stranger, gone = person(event, 0, 1), person(other_event, 0, 1), person(event, 9, 10)
        faces, deleted = faces_of(one), faces_of(gone)[0]
        ungrouped = add_faces(event, 3)
        deleted.image.delete()
        assert refused(lambda: corrections.split([], staff)) == "nothing_chosen"
        assert refused(lambda: corrections.split(faces, staff)) == "nothing_left"
        assert refused(lambda: corrections.split([faces[0], *faces_of(gone)], staff)) == "nothing_left"
        assert refused(lambda: corrections.split([faces[0], faces_of(stranger)[0]], staff)) == "other_event"
        assert refused(lambda: corrections.split([faces[0], deleted], staff)) == "gone"
        assert refused(lambda: corrections.split([deleted], staff)) == "gone"
        assert refused(lambda: corrections.split([faces[0], *ungrouped], staff)) == "not_grouped"
        Embedding.objects.filter(image_face=faces[0]).update(engine="sface")
        assert refused(lambda: corrections.split(faces[:1], staff)) == "gone"


class TestMove:
    def test_the_chosen_come_to_the_other(self, event: Event, staff: User) -> None:
        one, ada = person(event, 0, 1, 40), person(event, 41, name="Ada")
        first, second, chosen = faces_of(one)
        there = faces_of(ada)
        decision = corrections.move([chosen], ada, staff)
        assert (faces_of(one), faces_of(ada)) == ([first, second], [chosen, *there])
        assert sides(decision) == (keys(chosen, *there), keys(first, second))
        assert decision.summary == f"Moved 1 face from {str(one.grab_id)[:8]} to Ada"
        assert looks_like(one, 0.5)
        assert looks_like(ada, 40.5)

    def test_one_who_gives_all_becomes_part_of_the_other(self, event: Event, staff: User) -> None:
        one, other = person(event, 0, 1, name="Ada"), person(event, 40)
        corrections.hide([one], staff)
        corrections.move(faces_of(one), other, staff)
        other.refresh_from_db()
        assert (other.name, other.hidden, Face.objects.count()) == ("Ada", True, 1)
        assert Face.objects.with_grab_id(one.grab_id).get() == other

    def test_a_face_without_a_person_finds_one(self, event: Event, staff: User) -> None:
        ada = person(event, 0)
        (new,) = add_faces(event, 70)
        decision = corrections.move([new], ada, staff)
        assert new in faces_of(ada)
        assert sides(decision) == (keys(*faces_of(ada)), set())

    def test_faces_that_are_there_already_are_no_move(self, event: Event, staff: User) -> None:
        one, other = person(event, 0, 1), person(event, 40)
        decision = corrections.move([faces_of(one)[0], *faces_of(other)], other, staff)
        assert decision.summary.startswith("Moved 1 face ")
        assert refused(lambda: corrections.move(faces_of(other), other, staff)) == "same_person"

    def test_refusals(self, event: Event, other_event: Event, staff: User) -> None:
        one, stranger, gone = person(event, 0, 1), person(other_event, 0), person(event, 9)
        Face.objects.filter(pk=gone.pk).delete()
        assert refused(lambda: corrections.move(faces_of(one), stranger, staff)) == "other_event"
        assert refused(lambda: corrections.move(faces_of(one), gone, staff)) == "gone"
        assert refused(lambda: corrections.move([], one, staff)) == "nothing_chosen"


class TestRemove:
    def test_the_chosen_have_no_person(self, event: Event, staff: User) -> None:
        ada = person(event, 0, 1, 40, name="Ada")
        first, second, chosen = faces_of(ada)
        decision = corrections.remove([chosen], staff)
        assert faces_of(ada) == [first, second]
        assert ImageFace.objects.get(face=None) == chosen
        assert sides(decision) == (keys(chosen), keys(first, second))
        assert decision.summary == "Removed 1 face from Ada"
        assert looks_like(ada, 0.5)

    def test_refusals(self, event: Event, staff: User) -> None:
        one, other, ungrouped = person(event, 0, 1), person(event, 40, 41), add_faces(event, 3)
        assert refused(lambda: corrections.remove(faces_of(one), staff)) == "nothing_left"
        assert refused(lambda: corrections.remove([faces_of(one)[0], faces_of(other)[0]], staff)) == "several_persons"
        assert refused(lambda: corrections.remove(ungrouped, staff)) == "not_grouped"


class TestNotSame:
    def test_both_sides_are_kept(self, event: Event, staff: User) -> None:
        ada, bo = person(event, 0, 1, name="Ada"), person(event, 4, name="Bo")
        decision = corrections.not_same(ada, bo, staff)
        assert sides(decision) == (keys(*faces_of(ada)), keys(*faces_of(bo)))
        assert decision.summary == "Ada and Bo are not the same person"

    def test_refusals(self, event: Event, other_event: Event, staff: User) -> None:
        one, stranger = person(event, 0), person(other_event, 0)
        assert refused(lambda: corrections.not_same(one, one, staff)) == "same_person"
        assert refused(lambda: corrections.not_same(one, stranger, staff)) == "other_event"


class TestConfirm:
    def test_the_faces_are_together_for_ever_and_nothing_else_changes(self, event: Event, staff: User) -> None:
        ada, _ = person(event, 0, 40, name="Ada"), person(event, 180)
        before = state()
        decision = corrections.confirm(ada, staff)
        assert (decision.kind, decision.made_by) == (Decision.Kind.CONFIRM, staff)
        assert decision.summary == "Confirmed that Ada (2 photos) is one person"
        assert sides(decision) == (keys(*faces_of(ada)), set())
        assert decision.kind in Decision.UNITING
        assert state()[:2] == before[:2]

    def test_an_undo_only_ends_it(self, event: Event, staff: User) -> None:
        decision = corrections.confirm(person(event, 0, 40), staff)
        before = state()
        assert corrections.undo(decision, staff)
        assert not Decision.objects.live().exists()
        assert state() == before

    def test_who_is_gone_cannot_be_confirmed(self, event: Event, staff: User) -> None:
        ada = person(event, 0)
        Face.objects.get(pk=ada.pk).delete()
        assert refused(lambda: corrections.confirm(ada, staff)) == "gone"


class TestWhatAPersonIs:
    def test_hide_and_show(self, event: Event, staff: User) -> None:
        ada, bo = person(event, 0, name="Ada"), person(event, 40, name="Bo")
        assert corrections.hide([ada, bo], staff).summary == "Hid Ada and Bo"
        assert not Face.objects.visible().exists()
        assert refused(lambda: corrections.hide([ada], staff)) == "unchanged"
        assert corrections.show([ada], staff).summary == "Showed Ada again"
        assert Face.objects.visible().get() == ada
        assert refused(lambda: corrections.show([ada], staff)) == "unchanged"
        assert refused(lambda: corrections.hide([], staff)) == "nothing_chosen"
        assert not DecisionFace.objects.exists()

    def test_rename(self, event: Event, staff: User) -> None:
        one = person(event, 0)
        assert corrections.rename(one, "  Ada \n Lovelace ", staff).summary.endswith("Ada Lovelace")
        assert refused(lambda: corrections.rename(one, "Ada Lovelace", staff)) == "unchanged"
        assert refused(lambda: corrections.rename(one, "x" * 121, staff)) == "name_too_long"
        assert Face.objects.get().name == "Ada Lovelace"
        assert corrections.rename(one, "", staff).summary == "Took the name from Ada Lovelace"
        assert Face.objects.get().name == ""

    def test_choose_cover(self, event: Event, staff: User) -> None:
        one = person(event, 0, 40)
        worse, _ = faces_of(one)
        corrections.choose_cover(worse, staff)
        assert refused(lambda: corrections.choose_cover(worse, staff)) == "unchanged"
        corrections.merge(event, [one, person(event, 80)], staff)
        one.refresh_from_db()
        assert (one.cover, one.cover_chosen) == (worse, True), "whichever is the clearest"
        (ungrouped,) = add_faces(event, 3)
        assert refused(lambda: corrections.choose_cover(ungrouped, staff)) == "not_grouped"


def meanwhile(correct: Callable[[], object], other: Callable[[], object]) -> list[object]:
    """Run both at once, each on a connection of its own; return what they returned or raised."""
    start = threading.Barrier(2, timeout=10)

    def run(what: Callable[[], object]) -> object:
        try:
            start.wait()
            return what()
        except CorrectionError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(run, (correct, other)))


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_the_same_persons_at_once(event: Event, staff: User) -> None:
    one, other = person(event, 0), person(event, 40)
    outcomes = meanwhile(*[lambda: corrections.merge(event, [one, other], staff)] * 2)
    assert (outcomes.count("same_person"), Decision.objects.count(), Face.objects.count()) == (1, 1, 1)
    assert ImageFace.objects.filter(face=None).count() == 0


@pytest.mark.django_db(transaction=True)
def test_two_who_merge_across_at_once_make_one_person(event: Event, staff: User) -> None:
    first, second, third = person(event, 0), person(event, 40), person(event, 80)
    meanwhile(
        lambda: corrections.merge(event, [first, second], staff),
        lambda: corrections.merge(event, [third, second], staff),
    )
    assert Face.objects.count() == 1
    assert faces_of(Face.objects.get()) == list(ImageFace.objects.order_by("pk"))
    assert FaceAlias.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_correction_waits_for_the_deletion_of_a_photo(event: Event, staff: User) -> None:
    one, other = person(event, 0, 1), person(event, 40)
    image = faces_of(one)[0].image
    deleted, waiting = threading.Event(), threading.Event()

    def delete() -> None:
        with transaction.atomic():
            image.delete()
            deleted.set()
            waiting.wait(10)

    def merge() -> Decision:
        deleted.wait(10)
        threading.Timer(0.2, waiting.set).start()
        return corrections.merge(event, [one, other], staff)

    _, decision = meanwhile(delete, merge)
    assert isinstance(decision, Decision)
    assert decision.faces.count() == ImageFace.objects.count() == 2
