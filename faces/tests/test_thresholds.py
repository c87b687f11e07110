"""How far apart two faces of one person may be, and how likely they are one person."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from faces import thresholds as module
from faces.engine.calibration import MEASURED
from faces.tests.test_grouping import add_faces
from faces.thresholds import probability, thresholds

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from events.models import Event

CALIBRATION = MEASURED["facenet+sface"]


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the event's engine have the default engine's calibration."""
    monkeypatch.setattr(module, "calibration_of", lambda name: CALIBRATION)


def test_the_event_wins_over_the_setting_and_that_over_the_engine(event: Event, settings: Settings) -> None:
    assert thresholds(event).sure == 0.3, "the fake engine's own"
    settings.SIMILARITY_THRESHOLD = 0.4
    assert thresholds(event).sure == 0.4
    event.max_distance = 0.0
    assert thresholds(event).sure == 0.0


@pytest.mark.usefixtures("measured")
def test_the_others_keep_their_proportion_to_the_distance_that_is_set(event: Event, settings: Settings) -> None:
    settings.SIMILARITY_THRESHOLD = CALIBRATION.sure / 2
    found = thresholds(event)
    assert (found.group, found.join, found.maybe) == pytest.approx(
        (CALIBRATION.group / 2, CALIBRATION.join / 2, CALIBRATION.maybe / 2)
    )


def test_each_distance_can_be_overridden_alone(event: Event, settings: Settings) -> None:
    settings.SIMILARITY_THRESHOLD = 0.2
    event.group_distance, event.join_distance, event.maybe_distance = 0.5, 0.6, 0.7
    found = thresholds(event)
    assert (found.group, found.join, found.sure, found.maybe) == (0.5, 0.6, 0.2, 0.7)


def test_nothing_is_sure_beyond_what_may_be(event: Event) -> None:
    event.maybe_distance = 0.1
    assert thresholds(event).sure == 0.1


@pytest.mark.usefixtures("measured")
def test_an_event_of_usual_size_has_the_measured_distances(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USUAL_SIZE", 3)
    add_faces(event, *range(3))
    found = thresholds(event)
    assert (found.sure, found.maybe, found.faces) == (CALIBRATION.sure, CALIBRATION.maybe, 3)


@pytest.mark.usefixtures("measured")
def test_as_many_strangers_are_expected_in_a_crowd(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USUAL_SIZE", 0.1)
    add_faces(event, *range(4))
    found = thresholds(event)
    usual = CALIBRATION.expected_false_matches(1 - CALIBRATION.sure, 100)
    assert CALIBRATION.expected_false_matches(1 - found.sure, 100 * 40) == pytest.approx(usual)
    assert found.sure < found.maybe < CALIBRATION.maybe


@pytest.mark.usefixtures("measured")
def test_what_is_set_holds_in_a_crowd_too(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "USUAL_SIZE", 0.1)
    add_faces(event, *range(4))
    event.max_distance = 0.47
    assert thresholds(event).sure == 0.47


@pytest.mark.usefixtures("measured")
def test_more_alike_is_more_probable(event: Event) -> None:
    found = [probability(event, similarity / 20, 1000) for similarity in range(-20, 21)]
    assert all(less < more for less, more in pairwise(found))
    assert 0 <= found[0] < 1e-6
    assert 0.999 < found[-1] <= 1


@pytest.mark.usefixtures("measured")
def test_among_more_persons_the_same_likeness_is_less_probable(event: Event) -> None:
    few, many = (probability(event, 0.5, persons) for persons in (100, 100_000))
    assert many < few / 2
    assert probability(event, 0.5, 0) == probability(event, 0.5, 1)
