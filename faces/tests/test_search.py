"""A selfie finds its person, and nobody else."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from faces import persons, pipeline, search
from faces.gallery import Grant
from faces.models import Decision, DecisionFace, Embedding, Face, ImageFace
from faces.probe import Probe
from faces.search import Match, NoMatch
from faces.tests.test_grouping import add_faces, direction

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

    from events.models import Event, Image

    Painter = Callable[..., io.BytesIO]


def photos_of(event: Event, selfie: io.BytesIO) -> set[str]:
    found = search.find(event, selfie)
    assert isinstance(found, Match)
    return set(Grant.from_match(event, found).images().values_list("file_name", flat=True))


def test_a_selfie_finds_all_photos_of_its_person_and_no_others(run: Event, paint: Painter) -> None:
    assert photos_of(run, paint(RED)) == {"red.png", "red-green.png", "all.png"}
    assert photos_of(run, paint(GREEN)) == {"red-green.png", "all.png"}
    assert photos_of(run, paint(BLUE)) == {"all.png"}


def test_the_confidence_is_the_similarity_and_the_probability_is_high(run: Event, paint: Painter) -> None:
    found = search.find(run, paint(RED))
    assert isinstance(found, Match)
    [red] = found.sure
    assert red.confidence == pytest.approx(1, abs=1e-3)
    assert red.probability > 0.99


def test_a_stranger_finds_nothing(run: Event, paint: Painter) -> None:
    found = search.find(run, paint((220, 220, 0)))
    assert found == NoMatch("no_match", "No matching identity found. Your face is not in any ingested photos.")


def test_other_events_are_not_searched(
    run: Event, other_event: Event, add: Callable[..., Image], paint: Painter
) -> None:
    add("elsewhere.png", (220, 220, 0), to=other_event)
    pipeline.ingest(other_event)
    assert search.find(run, paint((220, 220, 0))) == search.find(run, paint((0, 220, 220)))


def test_an_empty_event_matches_nobody(event: Event, paint: Painter) -> None:
    found = search.find(event, paint(RED))
    assert isinstance(found, NoMatch)
    assert found.code == "no_match"


def test_the_events_threshold_wins_over_the_setting(run: Event, paint: Painter, settings: Settings) -> None:
    near_red = paint((230, 20, 60))
    assert isinstance(search.find(run, near_red), Match)
    settings.SIMILARITY_THRESHOLD = 0.0001
    assert isinstance(search.find(run, near_red), NoMatch)
    run.max_distance = 0.3
    assert isinstance(search.find(run, near_red), Match)


def test_a_search_writes_nothing(run: Event, paint: Painter, django_assert_num_queries: Callable[..., object]) -> None:
    # The event's size, the persons of the nearest faces, how many there are, who is hidden, the person, further parts.
    with django_assert_num_queries(6) as queries:  # type: ignore[attr-defined]
        search.find(run, paint(RED))
    sent = [query["sql"].split()[0] for query in queries.captured_queries]
    assert set(sent) == {"SELECT", "WITH"}


class TestTiers:
    """Vectors on a circle, by their angle; up to 45 degrees is sure, up to 60 maybe, up to 53 for further parts."""

    @pytest.fixture(autouse=True)
    def _limits(self, event: Event) -> None:
        event.max_distance, event.maybe_distance = 0.29, 0.5
        event.save()

    def test_who_is_near_is_sure(self, event: Event, look: Look) -> None:
        person(event, 30, 31)
        assert angles(look(0)) == ([30], [])

    def test_who_is_a_little_further_may_be(self, event: Event, look: Look) -> None:
        person(event, 50)
        assert angles(look(0)) == ([], [50])

    def test_who_is_far_is_not_found(self, event: Event, look: Look) -> None:
        person(event, 65)
        assert look(0) == search.NO_MATCH

    def test_one_good_face_among_bad_ones_is_not_sure(self, event: Event, look: Look) -> None:
        person(event, 40, 60, 62)
        assert angles(look(0)) == ([], [40])

    def test_the_centroid_is_more_like_the_selfie_than_any_face(self, event: Event, look: Look) -> None:
        person(event, 50, -49)
        assert angles(look(0)) == ([-49], [])

    def test_a_small_face_is_not_sure(self, event: Event, look: Look) -> None:
        person(event, 40, size=10)
        assert angles(look(0)) == ([], [40])

    def test_a_lookalike_of_a_sure_person_is_not_shown(self, event: Event, look: Look) -> None:
        """Both are within the sure distance of the selfie, but far from each other."""
        person(event, 10)
        person(event, -44)
        assert angles(look(0)) == ([10], [])

    def test_the_centroid_finds_the_other_parts_of_a_person(self, event: Event, look: Look) -> None:
        person(event, 40, 50, 40)
        person(event, 85)
        assert angles(look(10)) == ([40, 85], [])

    def test_a_part_a_little_further_from_the_centroid_may_be(self, event: Event, look: Look) -> None:
        person(event, 30)
        person(event, 80)
        assert angles(look(0)) == ([30], [80])

    def test_the_best_comes_first(self, event: Event, look: Look) -> None:
        for angle in (58, 55, 56):
            person(event, angle)
        assert angles(look(0)) == ([], [55, 56, 58])

    def test_there_are_few_guesses(self, event: Event, look: Look) -> None:
        for angle in (55, 56, 57, 58):
            person(event, angle)
        assert angles(look(0)) == ([], [55, 56, 57])

    def test_a_guess_is_nearly_as_good_as_the_best(self, event: Event, look: Look) -> None:
        person(event, 50)
        person(event, 58)
        assert angles(look(0)) == ([], [50])

    def test_what_was_found_says_how_likely_it_is(self, event: Event, look: Look) -> None:
        sure, further = person(event, 40, 42), person(event, 85)
        match = look(10)
        assert isinstance(match, Match)
        assert [found.face for found in match.sure] == [sure, further]
        assert [found.confidence for found in match.sure] == pytest.approx([cosine(30), cosine(75)], abs=1e-3)
        assert match.sure[0].probability > match.sure[1].probability > 0.5
        assert match.sure[0].witness == sure.image_faces.order_by("pk")[0].pk

    def test_staff_kept_a_part_apart(self, event: Event, look: Look, staff: User) -> None:
        left, right = person(event, 40), person(event, 50)
        decision = keep_apart(event, left, right)
        assert angles(look(0)) == ([40], [])
        assert angles(look(90)) == ([50], [])
        decision.undone_at = timezone.now()
        decision.save()
        assert angles(look(0)) == ([40, 50], [])

    def test_persons_of_two_names_are_two(self, event: Event, look: Look) -> None:
        person(event, 20, name="Ann")
        person(event, 25, name="Bea")
        person(event, 30)
        assert angles(look(0)) == ([20, 30], [])

    def test_who_was_united_with_another_meanwhile_is_left_out(
        self, event: Event, look: Look, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = search._candidates
        for angle, outcome in ((10, search.NO_MATCH), (50, search.NO_MATCH)):
            gone = person(event, angle)
            monkeypatch.setattr(search, "_candidates", lambda *seen, gone=gone: (found(*seen), gone.delete())[0])
            assert look(0) == outcome

    def test_a_hidden_person_is_not_found(self, event: Event, look: Look) -> None:
        person(event, 10, hidden=True)
        assert look(0) == search.NO_MATCH

    def test_nobody_else_is_surely_found_with_the_selfie_of_a_hidden_person(self, event: Event, look: Look) -> None:
        person(event, 10, hidden=True)
        person(event, 20)
        assert angles(look(0)) == ([], [20])

    def test_a_hidden_person_who_is_less_alike_changes_nothing(self, event: Event, look: Look) -> None:
        person(event, 10)
        person(event, 20, hidden=True)
        assert angles(look(0)) == ([10], [])

    def test_other_events_hide_nobody_here(self, event: Event, other_event: Event, look: Look) -> None:
        person(other_event, 0, hidden=True)
        person(event, 20)
        assert angles(look(0)) == ([20], [])


Look = Callable[[float], Match | NoMatch]


@pytest.fixture
def look(event: Event, monkeypatch: pytest.MonkeyPatch) -> Look:
    """Return a function that searches with a large face in this direction."""

    def find(angle: float) -> Match | NoMatch:
        monkeypatch.setattr("faces.probe.read", lambda *_: Probe(direction(angle), 1.0))
        return search.find(event, io.BytesIO())

    return find


def person(event: Event, *angles: float, size: float = 100, **fields: Any) -> Face:
    """Make a person with a face of this size in each of these directions, each in a photo of its own."""
    made = Face.objects.create(event=event, engine=event.engine, embedding=direction(angles[0]), **fields)
    for angle in angles:
        [face] = add_faces(event, angle)
        ImageFace.objects.filter(pk=face.pk).update(face=made, width=size, height=size)
    persons.refresh(event, [made.pk])
    return made


def keep_apart(event: Event, left: Face, right: Face) -> Decision:
    decision = Decision.objects.create(event=event, kind=Decision.Kind.NOT_SAME, summary="Two people.")
    for side, face in enumerate((left, right)):
        for image_face in face.image_faces.all():
            DecisionFace.objects.create(decision=decision, image_face=image_face, side=side)
    return decision


def cosine(angle: float) -> float:
    return math.cos(math.radians(angle))


def angles(found: Match | NoMatch) -> tuple[list[int], list[int]]:
    """Return the directions of the witnesses, in degrees, of each tier."""
    assert isinstance(found, Match)
    sure, maybe = ([angle_of(each.witness) for each in tier] for tier in (found.sure, found.maybe))
    return sure, maybe


def angle_of(witness: int) -> int:
    x, y, *_ = Embedding.objects.get(pk=witness).vector
    return round(math.degrees(math.atan2(y, x)))
