"""What others do to an event while its faces are due to be deleted, or deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from events.models import Event, Image
from faces import audit_log, pipeline, retention
from faces.models import AuditEntry, ImageFace

if TYPE_CHECKING:
    import pytest
    from django.contrib.auth.models import User


def _end(event: Event) -> None:
    Event.objects.filter(pk=event.pk).update(keep_faces_until=timezone.localdate() - timedelta(days=1))
    event.refresh_from_db()


def _found_due(monkeypatch: pytest.MonkeyPatch, event: Event) -> None:
    """Let the event be found due once, whatever becomes of it before its turn."""
    first = iter([[event]])
    really = retention.overdue
    monkeypatch.setattr(retention, "overdue", lambda: next(first, None) or really())


def test_a_later_day_chosen_before_its_turn_keeps_the_faces(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    _found_due(monkeypatch, run)
    assert list(retention.retire_overdue()) == []
    assert ImageFace.objects.exists()


def test_a_second_run_at_the_same_time_writes_nothing(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    _end(run)
    retention.retire(run)
    _found_due(monkeypatch, run)
    assert list(retention.retire_overdue()) == []
    assert AuditEntry.objects.filter(action=AuditEntry.Action.RETIRED).count() == 1


def test_an_event_deleted_before_its_turn_does_not_keep_the_others(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    _found_due(monkeypatch, Event(pk=0, slug="gone"))
    assert list(retention.retire_overdue()) == []


def test_deleted_faces_come_back_only_when_staff_look_again(run: Event, add: Any, empty_queue: None) -> None:
    _end(run)
    retention.retire(run)
    Event.objects.update(keep_faces_until=timezone.localdate())
    late = add("late.png", (230, 20, 20))
    pipeline.ingest(run)
    late.refresh_from_db()
    assert late.failure_code == "faces_not_kept"
    assert not ImageFace.objects.exists()


def test_no_face_is_found_twice(run: Event, empty_queue: None) -> None:
    before = ImageFace.objects.count()
    Event.objects.update(faces_deleted_at=timezone.now())
    run.refresh_from_db()
    assert retention.look_again(run) == run.images.filter(state=Image.State.PENDING).count()
    run.refresh_from_db()
    pipeline.ingest(run)
    assert ImageFace.objects.count() == before


def test_faces_are_locked_before_visitors_as_by_an_answer(run: Event) -> None:
    _end(run)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        retention.retire(run)
    told = [query["sql"] for query in queries]
    locked = next(place for place, sql in enumerate(told) if "FOR UPDATE OF" in sql and "faces_imageface" in sql)
    deleted = next(place for place, sql in enumerate(told) if "faces_evidence" in sql or "faces_visitor" in sql)
    assert locked < deleted


def test_a_visitor_with_an_account_is_not_named(run: Event, member: User) -> None:
    entry = audit_log.record(audit_log.Action.SEARCHED, run, member, detail="matched")
    assert (entry.actor, entry.user) == ("visitor", None)
