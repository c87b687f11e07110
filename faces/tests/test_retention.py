"""What goes when its time is over, and what stays."""

from __future__ import annotations

import io
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone

from events.models import Event, Image
from faces import corrections, pipeline, retention
from faces.models import (
    AuditEntry,
    Centroid,
    Consent,
    Decision,
    DecisionFace,
    Embedding,
    Erased,
    Evidence,
    Face,
    FaceAlias,
    ImageFace,
    NextEmbedding,
    Visitor,
)
from faces.tasks import see_to_retention
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django.fixtures import Settings

ABOUT_FACES = (
    *(Face, ImageFace, Embedding, NextEmbedding, Centroid, FaceAlias, Decision, DecisionFace, Evidence, Visitor),
)
TODAY = timezone.localdate


@pytest.fixture
def full(run: Event, client: Client, staff: User) -> Event:
    """An event that has something of everything."""
    red, green, blue = Face.objects.order_by("pk")
    corrections.rename(red, "Ada Secret", staff)
    corrections.merge(run, [green, blue], staff)
    faces = [red.cover_id or 0, ImageFace.objects.exclude(face=red)[0].pk]
    visitor = open_gallery(client, run, faces[:1], faces[1:])
    Evidence.objects.create(event=run, visitor=visitor, known_id=faces[0], asked_id=faces[1], is_me=True)
    NextEmbedding.objects.create(image_face_id=faces[0], engine="other", vector=[1.0])
    Erased.objects.create(event=run, sha256="0" * 64, x=1, y=1, width=1, height=1)
    Consent.objects.create(event=run, version="2026-11", language="en")
    assert all(model.objects.exists() for model in ABOUT_FACES)
    return run


def end(event: Event) -> None:
    """Let the day be over until which faces are kept."""
    Event.objects.filter(pk=event.pk).update(keep_faces_until=TODAY() - timedelta(days=1))
    event.refresh_from_db()


def test_faces_are_kept_until_their_day_is_over(full: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    Event.objects.update(keep_faces_until=TODAY())
    see_to_retention()
    assert ImageFace.objects.exists()
    tomorrow = timezone.now() + timedelta(days=1)
    monkeypatch.setattr("django.utils.timezone.now", lambda: tomorrow)
    see_to_retention()
    assert not ImageFace.objects.exists()


def test_everything_about_faces_goes_and_the_photos_stay(full: Event, client: Client) -> None:
    end(full)
    files = [image.key_of(rendition) for image in full.images.all() for rendition in Image.Rendition]
    gone = retention.retire(full)
    for model in ABOUT_FACES:
        assert not model.objects.exists(), model
    assert (gone.persons, gone.faces, gone.vectors, gone.decisions, gone.galleries, gone.answers) == (2, 6, 6, 2, 1, 1)
    assert (Image.objects.count(), Consent.objects.count(), Erased.objects.count()) == (4, 1, 1)
    from django.core.files.storage import default_storage

    assert all(default_storage.exists(file) for file in files)
    full.refresh_from_db()
    assert full.faces_deleted_at is not None
    assert client.get("/events/city-run/gallery/").status_code == 302


def test_what_went_is_on_record_without_names(full: Event, caplog: pytest.LogCaptureFixture) -> None:
    end(full)
    with caplog.at_level(logging.INFO, "faces.retention"):
        [(_, gone)] = retention.retire_overdue()
    entry = AuditEntry.objects.get(action=AuditEntry.Action.RETIRED)
    assert entry.detail == str(gone) == "2 persons, 6 faces, 6 vectors, 2 decisions, 1 galleries, 1 answers"
    assert (entry.actor, entry.event) == ("Grabpic", full)
    assert str(gone) in caplog.text
    assert "Secret" not in caplog.text


def test_other_events_keep_theirs(full: Event, other_event: Event) -> None:
    end(other_event)
    list(retention.retire_overdue())
    assert all(model.objects.exists() for model in ABOUT_FACES)


def test_is_done_once_and_again_if_somebody_slipped_in(full: Event, client: Client) -> None:
    end(full)
    assert len(list(retention.retire_overdue())) == 1
    assert list(retention.retire_overdue()) == []
    photo = full.images.first()
    assert photo
    ImageFace.objects.create(image=photo, x=0, y=0, width=1, height=1, score=1, quality=1)
    assert len(list(retention.retire_overdue())) == 1
    assert not ImageFace.objects.exists()


def test_one_event_that_fails_does_not_keep_the_others(
    full: Event, other_event: Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    end(full)
    end(other_event)
    retire = retention.retire

    def fail(event: Event) -> retention.Retired:
        if event == full:
            raise DatabaseError("no")
        return retire(event)

    monkeypatch.setattr(retention, "retire", fail)
    assert [event for event, _ in retention.retire_overdue()] == [other_event]
    assert "next hour" in caplog.text
    with pytest.raises(CommandError, match="1 events failed"):
        call_command("retention", stdout=io.StringIO())


def test_nothing_comes_in_afterwards(full: Event, add: Any) -> None:
    end(full)
    retention.retire(full)
    late = add("late.png", (230, 20, 20))
    pipeline.ingest(full)
    late.refresh_from_db()
    assert (late.state, late.failure_code) == (Image.State.FAILED, "faces_not_kept")
    assert not ImageFace.objects.exists()


def test_a_later_day_lets_the_faces_be_found_again(full: Event, add: Any, empty_queue: None) -> None:
    end(full)
    retention.retire(full)
    add("late.png", (230, 20, 20))
    pipeline.ingest(full)
    assert retention.look_again(full) == 0
    Event.objects.update(keep_faces_until=TODAY())
    full.refresh_from_db()
    assert retention.look_again(full) == 5
    full.refresh_from_db()
    pipeline.ingest(full)
    assert ImageFace.objects.count() == 7
    assert full.faces_deleted_at is None
    assert retention.look_again(full) == 0


def test_staff_look_again_in_admin(full: Event, admin: Client) -> None:
    end(full)
    retention.retire(full)
    form = {"action": "look_again", "_selected_action": [full.pk]}
    assert "Choose a later day" in admin.post("/admin/events/event/", form, follow=True).content.decode()
    Event.objects.update(keep_faces_until=TODAY())
    assert "4 photos will be looked at" in admin.post("/admin/events/event/", form, follow=True).content.decode()


def test_expired_galleries_go_and_their_answers_stay(full: Event) -> None:
    retention.expire()
    assert Visitor.objects.exists()
    Visitor.objects.update(expires_at=timezone.now())
    assert retention.expire()["expired galleries"] == 1
    assert not Visitor.objects.exists()
    assert Evidence.objects.get().visitor is None


def test_old_entries_of_the_audit_log_go(full: Event, settings: Settings) -> None:
    before = AuditEntry.objects.count()
    oldest = AuditEntry.objects.earliest("pk")
    AuditEntry.objects.filter(pk=oldest.pk).update(at=timezone.now() - timedelta(days=settings.AUDIT_DAYS, hours=1))
    assert retention.expire()["audit entries"] == 1
    assert AuditEntry.objects.count() == before - 1


def test_the_command_lists_what_would_go_and_what_went(full: Event) -> None:
    end(full)
    told = io.StringIO()
    call_command("retention", "--dry-run", stdout=told)
    assert "city-run" in told.getvalue()
    assert "faces       6" in told.getvalue()
    assert ImageFace.objects.exists()
    told = io.StringIO()
    call_command("retention", stdout=told)
    assert "faces       6" in told.getvalue()
    assert "expired galleries: 0" in told.getvalue()
    assert not ImageFace.objects.exists()
    told = io.StringIO()
    call_command("retention", stdout=told)
    assert "No event has faces" in told.getvalue()


def test_more_rows_than_a_chunk_go(full: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    end(full)
    assert retention.retire(full).faces == 6
    assert not ImageFace.objects.exists()


def test_a_photo_in_hand_meanwhile_gets_no_faces(full: Event, add: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    late = add("late.png", (230, 20, 20))
    embed = pipeline._embed

    def slowly(*arguments: Any) -> Any:
        end(full)
        retention.retire(full)
        return embed(*arguments)

    monkeypatch.setattr(pipeline, "_embed", slowly)
    pipeline.ingest(Event.objects.get(pk=full.pk))
    late.refresh_from_db()
    assert late.failure_code == "faces_not_kept"
    assert not ImageFace.objects.exists()
