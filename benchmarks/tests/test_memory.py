from __future__ import annotations

import os

import pytest

from benchmarks.memory import Memory, growth

GROWING = [(0.1, 50), (0.5, 100), (0.52, 100), (0.7, 500), (0.95, 110), (1.0, 120)]
STEADY = [(0.5, 200), (1.0, 200)]


def test_growth_is_that_of_the_process_that_grew_most() -> None:
    assert growth([STEADY, GROWING]) == pytest.approx(0.15)
    assert growth([STEADY]) == 0


def test_growth_cannot_be_told_without_samples_in_the_middle() -> None:
    assert growth([STEADY, [(0.1, 100), (1.0, 100)]]) is None
    assert growth([]) is None


def test_the_peak_is_that_of_the_largest_process() -> None:
    memory = Memory([os.getpid()])
    memory.sample(0.5)
    assert 10 < memory.peak_mb() < 100_000
    assert memory.growth() is None
