"""Who writes faces and who changes the engine keep out of each other's way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection, transaction

from faces.engine_lock import keep_writers_out, stays_engine

if TYPE_CHECKING:
    from events.models import Event


@pytest.mark.django_db(transaction=True)
def test_nobody_writes_faces_while_the_engine_changes_and_nobody_waits(event: Event) -> None:
    def ask() -> bool:
        try:
            with transaction.atomic():
                return stays_engine(event.pk, "fake")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as worker:
        with transaction.atomic():
            keep_writers_out(event.pk)
            assert not worker.submit(ask).result(timeout=10)
        assert worker.submit(ask).result(timeout=10)


def test_only_the_engine_of_the_event_counts(event: Event) -> None:
    assert stays_engine(event.pk, "fake")
    assert not stays_engine(event.pk, "sface")
