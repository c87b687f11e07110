"""How far apart the faces of an event are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from faces import grouping
from faces import histogram as module
from faces.histogram import BIN_WIDTH, histogram
from faces.models import ImageFace
from faces.tests.test_grouping import add_faces

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event


def as_large(event: Event) -> None:
    """Make the faces so large that each pair counts as what it is."""
    ImageFace.objects.filter(image__event=event).update(width=200, height=200)


def test_each_pair_counts_once_where_it_belongs(event: Event) -> None:
    add_faces(event, 0, 90)
    add_faces(event, 10)
    as_large(event)
    grouping.group(event)
    found = histogram(event)
    assert (sum(found.same), sum(found.different), found.faces) == (1, 2, 3)
    assert found.same[int((1 - np.cos(np.radians(10))) / BIN_WIDTH)] == 1
    assert found.different[int((1 - np.cos(np.radians(80))) / BIN_WIDTH)] == 1
    assert found.different[int(1 / BIN_WIDTH)] + found.different[int(1 / BIN_WIDTH) - 1] == 1


def test_faces_that_show_little_are_further_apart(event: Event) -> None:
    add_faces(event, 0)
    add_faces(event, 0)
    as_large(event)
    grouping.group(event)
    assert histogram(event).same[0] == 1
    ImageFace.objects.update(width=1)
    assert histogram(event).same[0] == 0


def test_blocks_add_up(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    for angle in (0, 3, 6, 100, 103):
        add_faces(event, angle)
    as_large(event)
    grouping.group(event)
    whole = histogram(event)
    monkeypatch.setattr(module, "BLOCK_ROWS", 2)
    assert histogram(event) == whole
    assert (sum(whole.same), sum(whole.different)) == (4, 6)


def test_of_many_faces_some_are_drawn(
    event: Event, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Callable[..., object]
) -> None:
    monkeypatch.setattr(module, "SAMPLE", 4)
    for angle in range(8):
        add_faces(event, angle)
    grouping.group(event)
    with django_assert_num_queries(3):  # type: ignore[attr-defined]
        found = histogram(event)
    assert (found.faces, found.limits.faces, sum(found.same)) == (4, 8, 6)


def test_faces_without_a_person_and_those_of_other_events_are_left_out(event: Event, other_event: Event) -> None:
    add_faces(event, 0, 90)
    add_faces(other_event, 0, 90)
    grouping.group(other_event)
    found = histogram(event)
    assert (found.faces, sum(found.same), sum(found.different)) == (0, 0, 0)


def test_strangers_are_expected_by_the_sure_distance(event: Event) -> None:
    add_faces(event, *range(10))
    event.max_distance = 0.88
    assert histogram(event).strangers == pytest.approx(10 * 1e-3), "the fake engine's tail: 0.12 in one of 1,000"
