"""How similarities are read: the tail of strangers, and the evidence of a pair."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from faces.engine import Calibration
from faces.engine.calibration import MEASURED, assumed
from faces.engine.fake import FakeEngine

TAIL = Calibration(
    group=0.5, join=0.5, sure=0.45, maybe=0.5, tail=(0.3, 0.4, 0.48, 0.54), slope=20, midpoint=0.35
)  # fmt: skip

KNOWN = [*MEASURED.values(), FakeEngine.calibration, assumed(0.4), assumed(0.68)]


@pytest.mark.parametrize(("similarity", "rate"), [(0.3, 1e-2), (0.4, 1e-3), (0.54, 1e-5), (0.35, 10**-2.5)])
def test_rates_are_interpolated_between_decades(similarity: float, rate: float) -> None:
    assert TAIL.false_match_rate(similarity) == pytest.approx(rate)
    assert TAIL.similarity_at(rate) == pytest.approx(similarity)


def test_beyond_the_tail_it_goes_on_as_it_ends() -> None:
    step = (0.54 - 0.4) / 2
    assert TAIL.similarity_at(1e-7) == pytest.approx(0.54 + 2 * step)
    assert TAIL.false_match_rate(0.54 + 2 * step) == pytest.approx(1e-7)


def test_everybody_is_similar_enough_when_nothing_is_asked() -> None:
    assert TAIL.false_match_rate(-1) == 1
    assert TAIL.similarity_at(1) == pytest.approx(0.1)


def test_strangers_grow_with_the_faces() -> None:
    assert TAIL.expected_false_matches(0.54, 200_000) == pytest.approx(2)


def test_the_evidence_is_even_in_the_middle() -> None:
    assert TAIL.evidence(TAIL.midpoint) == 0
    assert TAIL.evidence(TAIL.midpoint + 0.1) == pytest.approx(2)


@pytest.mark.parametrize("wrong", [{"tail": (0.3, 0.4)}, {"tail": (0.3, 0.4, 0.4)}, {"slope": 0.0}])
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="tail"):
        replace(TAIL, **wrong)


@pytest.mark.parametrize("calibration", KNOWN)
def test_every_engine_is_stricter_where_it_is_sure(calibration: Calibration) -> None:
    assert 0 < calibration.sure < calibration.join <= calibration.maybe < 1
    assert calibration.evidence(1 - calibration.sure) >= 0
