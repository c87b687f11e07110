"""Up to three selfies of one person together, which face is meant, and what is said of those that are no good."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from django.utils import timezone

from conftest import BLUE, GREEN, RED, paint_photo
from faces import probe, search
from faces.engine import get_engine
from faces.gallery import Grant
from faces.probe import Meant, NoMatch, Probe
from faces.search import Match
from faces.tests.selfies import DARK_BLUE, YELLOW, blurred, selfie_of, smeared
from faces.tests.test_grouping import direction
from faces.tests.test_search import angles, cosine, person

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event

    Look = Callable[..., Match | NoMatch]


def code(found: Match | NoMatch) -> str:
    return found.code if isinstance(found, NoMatch) else "matched"


def photos(event: Event, found: Match | NoMatch) -> set[str]:
    assert isinstance(found, Match)
    return set(Grant.from_match(event, found).images().values_list("file_name", flat=True))


class TestTogether:
    """Vectors on a circle, by their angle; up to 20 degrees is sure, up to 60 maybe, and one person."""

    @pytest.fixture
    def look(self, event: Event, monkeypatch: pytest.MonkeyPatch) -> Look:
        event.max_distance, event.maybe_distance = 0.061, 0.5
        event.save()

        def find(*angles: float) -> Match | NoMatch:
            probes = iter([Probe(direction(angle), 1.0) for angle in angles])
            monkeypatch.setattr("faces.probe.read", lambda *_: next(probes))
            return search.find(event, *(io.BytesIO() for _ in angles))

        return find

    def test_they_are_as_near_as_they_are_in_the_mean(self, event: Event, look: Look) -> None:
        person(event, 10)
        found = look(0, 30)
        assert isinstance(found, Match)
        assert found.sure[0].confidence == pytest.approx((cosine(10) + cosine(20)) / 2, abs=1e-3)

    def test_they_make_up_for_one_that_alone_finds_nobody_surely(self, event: Event, look: Look) -> None:
        person(event, 0)
        assert angles(look(25)) == ([], [0])
        assert angles(look(25, 5, -5)) == ([0], [])

    @pytest.mark.parametrize("selfies", [(25, -25), (0, 50), (30, -30)])
    def test_they_open_nothing_that_none_of_them_opens(
        self, event: Event, look: Look, selfies: tuple[float, ...]
    ) -> None:
        """However near to somebody the middle between them is."""
        person(event, sum(selfies) / len(selfies))
        alone = [angles(look(selfie)) for selfie in selfies]
        sure, maybe = angles(look(*selfies))
        assert sure == []
        assert {angle for tiers in alone for tier in tiers for angle in tier} >= set(maybe)

    def test_two_people_are_refused(self, event: Event, look: Look) -> None:
        person(event, 0)
        assert look(0, 70) == probe.DIFFERENT_PEOPLE
        assert look(0, 70, 1) == probe.DIFFERENT_PEOPLE

    def test_one_selfie_between_two_unlike_ones_makes_them_one_person(self, event: Event, look: Look) -> None:
        person(event, 35)
        assert code(look(0, 70)) == "different_people"
        assert angles(look(0, 35, 70)) == ([], [35])

    def test_a_hidden_person_stays_hidden(self, event: Event, look: Look) -> None:
        person(event, 10, hidden=True)
        assert code(look(5, 15)) == "no_match"


def test_a_clear_face_counts_more() -> None:
    combined = probe.combine([Probe(direction(0), 1.0), Probe(direction(40), 0.5)], 0.5)
    assert isinstance(combined, Probe)
    assert np.linalg.norm(combined.embedding) == pytest.approx(1)
    assert combined.embedding @ direction(0) > combined.embedding @ direction(40)
    assert combined.clarity == pytest.approx((1 + 0.25) / 1.5)
    assert combined.agreement * combined.embedding @ direction(0) == pytest.approx((1 + 0.5 * cosine(40)) / 1.5)


def test_one_alone_stays_as_it_is() -> None:
    alone = Probe(direction(7), 0.7)
    assert probe.combine([alone], 0) is alone


def test_a_selfie_without_a_usable_face_is_left_out(run: Event) -> None:
    found = search.find(run, paint_photo(), selfie_of(RED), io.BytesIO(b"no picture"))
    assert photos(run, found) == {"red.png", "red-green.png", "all.png"}
    assert isinstance(found, Match)
    assert [(problem.selfie, problem.code) for problem in found.left_out] == [(0, "no_face"), (2, "not_an_image")]


def test_when_none_is_usable_the_first_problem_is_the_answer(run: Event) -> None:
    found = search.find(run, paint_photo(RED, GREEN), paint_photo())
    assert isinstance(found, NoMatch)
    assert (found.code, found.selfie) == ("several_faces", 0)


def test_of_three_people_nobody_is_found(run: Event) -> None:
    assert code(search.find(run, selfie_of(RED), selfie_of(GREEN), selfie_of(BLUE))) == "different_people"


class TestMeant:
    def test_the_boxes_are_in_shares_of_the_picture(self, run: Event) -> None:
        found = search.find(run, paint_photo(RED, GREEN))
        assert isinstance(found, NoMatch)
        assert len(found.faces) == 2
        # The one nearer to the middle is the likelier one.
        assert found.faces[0] == pytest.approx((110 / 400, 100 / 300, 70 / 400, 70 / 300))
        assert found.faces[1] == pytest.approx((20 / 400, 100 / 300, 70 / 400, 70 / 300))

    @pytest.mark.parametrize(("x", "names"), [(0.1, {"red.png", "red-green.png", "all.png"}), (0.4, {"all.png"})])
    def test_a_point_chooses(self, run: Event, x: float, names: set[str]) -> None:
        found = search.find(run, paint_photo(RED, BLUE), meant=[Meant(0, x, 0.45)])
        assert photos(run, found) == names

    def test_a_point_chooses_a_smaller_one_as_well(self) -> None:
        two = paint_photo(RED, BLUE)
        engine = get_engine("fake")
        found = probe.read(engine, two, [Meant(0, 0.06, 0.35)])
        red = probe.read(engine, selfie_of(RED))
        assert isinstance(found, Probe)
        assert isinstance(red, Probe)
        assert found.embedding @ red.embedding > 0.99

    @pytest.mark.parametrize("point", [Meant(0, 0.9, 0.9), Meant(1, 0.1, 0.45)])
    def test_a_point_elsewhere_chooses_nobody(self, run: Event, point: Meant) -> None:
        assert code(search.find(run, paint_photo(RED, BLUE), meant=[point])) == "several_faces"

    def test_each_selfie_has_points_of_its_own(self, run: Event) -> None:
        both = [paint_photo(RED, GREEN), paint_photo(BLUE, RED)]
        points = [Meant(0, 0.1, 0.45), Meant(1, 0.4, 0.45)]
        assert photos(run, search.find(run, *both, meant=points)) == {"red.png", "red-green.png", "all.png"}

    def test_it_is_written_as_index_and_point(self) -> None:
        assert Meant.parse("2:0.25,1") == Meant(2, 0.25, 1.0)

    @pytest.mark.parametrize("text", ["", "0", "0:1", "0:0.5;0.5", "x:0,0", "0:nan,0", "0:2,0", "0:-1,0", "0:0,0\n"])
    def test_anything_else_is_no_point(self, text: str) -> None:
        with pytest.raises(ValueError, match="No point"):
            Meant.parse(text)


class TestFlaws:
    @pytest.mark.parametrize(
        ("selfie", "flaw"),
        [
            (selfie_of(YELLOW, side=30), "too_small"),
            (blurred(YELLOW), "too_blurred"),
            (selfie_of(YELLOW), "no_match"),
        ],
    )
    def test_say_why_nobody_is_found(self, run: Event, selfie: io.BytesIO, flaw: str) -> None:
        selfie.seek(0)
        assert code(search.find(run, selfie)) == flaw

    def test_darkness_does(self, event: Event) -> None:
        found = search.find(event, selfie_of(DARK_BLUE))
        assert isinstance(found, NoMatch)
        assert (found.code, found.selfie) == ("too_dark", 0)
        assert found.reason.endswith(".")

    @pytest.mark.parametrize("selfie", [selfie_of(BLUE, side=30), selfie_of(DARK_BLUE), blurred(BLUE)])
    def test_never_refuse_a_match(self, run: Event, selfie: io.BytesIO) -> None:
        selfie.seek(0)
        found = search.find(run, selfie)
        assert photos(run, found) == {"all.png"}
        assert isinstance(found, Match)
        assert found.flaw

    def test_a_face_like_all_blurred_ones_is_not_compared(self, run: Event) -> None:
        found = search.find(run, smeared(BLUE))
        assert isinstance(found, NoMatch)
        assert (found.code, found.selfie) == ("too_blurred", 0)
        assert photos(run, search.find(run, smeared(BLUE), selfie_of(RED))) == {"red.png", "red-green.png", "all.png"}

    def test_a_guess_stays_a_guess(self, run: Event) -> None:
        run.max_distance, run.maybe_distance = 0.0001, 0.6
        run.save()
        found = search.find(run, selfie_of((230, 20, 60), side=30))
        assert isinstance(found, Match)
        assert (found.sure, len(found.maybe)) == ([], 1)

    def test_one_good_selfie_is_enough(self, run: Event) -> None:
        found = search.find(run, selfie_of(YELLOW, side=30), selfie_of(RED))
        assert photos(run, found) == {"red.png", "red-green.png", "all.png"}
        assert isinstance(found, Match)
        assert [(problem.selfie, problem.code) for problem in found.left_out] == [(0, "too_small")]
        assert found.flaw is None

    def test_bad_selfies_that_do_not_fit_together_are_bad_first_of_all(self, run: Event) -> None:
        assert code(search.find(run, selfie_of(YELLOW, side=30), selfie_of(RED, side=30))) == "too_small"


@pytest.mark.parametrize("fields", [{"keep_faces_until": -1}, {"faces_deleted_at": 0}])
def test_an_event_without_faces_says_so(run: Event, fields: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, days in fields.items():
        then = timezone.now() + timedelta(days=days)
        setattr(run, name, then.date() if name == "keep_faces_until" else then)
    monkeypatch.setattr("faces.probe.read", None)
    assert search.find(run, selfie_of(RED)) == search.FACES_DELETED
