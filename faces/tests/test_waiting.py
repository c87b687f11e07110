"""Waiting for the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conftest import RED
from faces import pipeline, progress, waiting

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from events.models import Event, Image


def test_a_photo_that_ends_during_the_look_is_told_once(
    event: Event,
    add: Callable[..., Image],
    start_worker: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def just_in_time(event: Event) -> bool:
        monkeypatch.undo()
        pipeline.ingest(event)
        return progress.is_done(event)

    start_worker()
    add("one.png", RED)
    monkeypatch.setattr(waiting, "is_done", just_in_time)
    told = []
    for _ in range(2):
        answer = waiting.wait_for_workers(event, 5)
        assert isinstance(answer, waiting.Done)
        told.append((answer.counts.images_processed, answer.counts.new_faces_found))
        event.refresh_from_db()
    assert told == [(1, 1), (0, 0)]
