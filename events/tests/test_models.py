"""Events: which are visible, which is meant, and what goes when one goes."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.files.storage import default_storage
from django.db import IntegrityError, connection, transaction

from events import ingest
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable

    Painter = Callable[..., io.BytesIO]


def make(slug: str, date: str, access: str = Event.Access.SELFIE) -> Event:
    return Event.objects.create(slug=slug, name=slug, date=date, access=access, engine="fake")


def test_only_staff_know_of_drafts(event: Event, staff: User, member: User) -> None:
    draft = make("draft", "2026-06-01", Event.Access.DRAFT)
    assert set(Event.objects.visible_to(staff)) == {event, draft}
    assert set(Event.objects.visible_to(member)) == {event}
    assert set(Event.objects.visible_to(AnonymousUser())) == {event}


def test_inactive_staff_are_strangers(event: Event, staff: User) -> None:
    make("draft", "2026-06-01", Event.Access.DRAFT)
    staff.is_active = False
    assert set(Event.objects.visible_to(staff)) == {event}


@pytest.mark.django_db
def test_there_is_no_default_without_an_event() -> None:
    assert Event.objects.default() is None


@pytest.mark.django_db
def test_the_only_event_is_the_default_even_as_a_draft() -> None:
    assert make("draft", "2026-06-01", Event.Access.DRAFT) == Event.objects.default()


def test_of_several_events_the_newest_published_is_the_default(event: Event, other_event: Event) -> None:
    make("draft", "2027-01-01", Event.Access.DRAFT)
    assert Event.objects.default() == event


def test_a_photo_is_in_an_event_once(event: Event, paint: Painter) -> None:
    outcome = ingest.add(event, paint(), "a.png")
    assert isinstance(outcome, ingest.Added)
    copy = outcome.image
    copy.pk, copy.image_id, copy.storage_key = None, Image().image_id, "elsewhere"
    with pytest.raises(IntegrityError), transaction.atomic():
        copy.save()


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_fails_keeps_the_files(event: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody else has opened a transaction here, as in admin's action."""
    ingest.add(event, paint(), "a.png")
    key = Image.objects.get().storage_key

    def fail(*args: object, **kwargs: object) -> None:
        raise IntegrityError("a face was written meanwhile")

    monkeypatch.setattr("django.db.models.deletion.Collector.delete", fail)
    for delete in (event.delete, Event.objects.all().delete, Image.objects.get().delete, Image.objects.all().delete):
        with pytest.raises(IntegrityError):
            delete()
        assert default_storage.exists(key)


DELETIONS: list[Callable[[], object]] = [
    lambda: Event.objects.get().delete(),
    lambda: Event.objects.all().delete(),
    lambda: Image.objects.get().delete(),
    lambda: Image.objects.all().delete(),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("delete", DELETIONS)
def test_a_deletion_waits_for_whoever_groups_the_faces_and_keeps_nothing_from_them(
    event: Event, paint: Painter, delete: Callable[[], object]
) -> None:
    ingest.add(event, paint(), "a.png")

    def delete_elsewhere() -> None:
        try:
            delete()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            Event.objects.select_for_update(no_key=True).get()
            deletion = pool.submit(delete_elsewhere)
            while not _somebody_waits() and not deletion.done():
                pass
            Image.objects.select_for_update(nowait=True).get()
        deletion.result()
    assert not Image.objects.exists()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize("delete", DELETIONS)
def test_files_go_with_their_rows(
    event: Event,
    paint: Painter,
    delete: Callable[[], object],
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:
    ingest.add(event, paint(), "a.png")
    key = Image.objects.get().storage_key
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        delete()
        assert default_storage.exists(key), "a rollback could still bring the row back"
    assert not default_storage.exists(key)
    assert not Image.objects.exists()
