"""Counters that all processes add to."""

from __future__ import annotations

from threading import Thread
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from events import tallies
from events.models import Tally
from events.tallies import Amount

if TYPE_CHECKING:
    from pytest_django import DjangoCaptureOnCommitCallbacks


def counted() -> dict[str, tuple[int, float]]:
    return {str(tally): (tally.count, tally.seconds) for tally in Tally.objects.order_by("name", "label")}


@pytest.mark.django_db(transaction=True)
def test_adds_up_over_processes() -> None:
    def work() -> None:
        for _ in range(20):
            tallies.add_all("step", {"write": Amount(2, 0.5), "decode": Amount(1, 0.25)})
        connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted() == {"step decode": (80, 20.0), "step write": (160, 40.0)}


@pytest.mark.django_db(transaction=True)
def test_a_hiccup_of_the_database_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    tallies.add("search", "x" * 61)
    assert counted() == {}
    assert "Not counted" in caplog.text
    tallies.add("search", "matched")
    assert counted() == {"search matched": (1, 0.0)}


@pytest.mark.django_db
def test_keeps_nobody_waiting_inside_a_transaction(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        tallies.add("search", "matched", seconds=2)
        assert counted() == {}
    assert counted() == {"search matched": (1, 2.0)}
