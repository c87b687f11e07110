"""How far apart two faces of one person may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from faces.thresholds import clarity, thresholds

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings

    from events.models import Event


def test_the_event_wins_over_the_setting_and_that_over_the_engine(event: Event, settings: Settings) -> None:
    assert thresholds(event).sure == 0.3, "the fake engine's own"
    settings.SIMILARITY_THRESHOLD = 0.4
    assert thresholds(event).sure == 0.4
    event.max_distance = 0.0
    assert thresholds(event).sure == 0.0


def test_a_mean_of_many_pairs_may_be_larger_than_one_pair(event: Event) -> None:
    assert thresholds(event).sure < thresholds(event).group < 1.2 * thresholds(event).sure


def test_small_faces_count_less_whichever_side_is_small() -> None:
    assert clarity([200, 80, 40, 200], [200, 80, 200, 40]) == pytest.approx([1, 1, 0.922, 0.922], abs=1e-3)
    assert clarity(0, 0) == pytest.approx(0.7**0.5)
