"""How an event ends: for everybody at once, and with thousands of photos the workers delete them afterwards."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from events import queue
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable

AT_ONCE = 100
"""So many photos are deleted while somebody waits: in a bucket a quarter of a minute's work."""

BATCH = 100
"""So many photos the workers delete in one transaction."""


def end(event: Event) -> None:
    """Delete the event with everything of its own: photos, faces, persons, files.

    From now on nobody finds it, its address is free, and a large one is deleted by the workers.

    Raises:
        OSError: the storage fails; `manage.py storage_audit` finds what is left of an event that is not large.
    """
    if event.images.count() <= AT_ONCE:
        event.delete()
        return
    with transaction.atomic():
        Event.objects.filter(pk=event.pk).update(
            access=Event.Access.DRAFT, slug=f"deleted-{uuid.uuid4().hex}", deleted_at=timezone.now()
        )
        queue.announce_end(event.pk)


def delete_batches(event: Event, count: int, stop: Callable[[], bool]) -> bool:
    """Delete so many batches of an event that has ended, and in the end itself; tell whether it is gone.

    `stop` is asked before each batch. Whatever kills this process, nothing is forgotten: the rows go after the files.

    Raises:
        OSError: the storage fails.
    """
    for _ in range(count):
        if stop():
            return False
        if not _delete_batch(event):
            event.delete()
            return True
    return False


@transaction.atomic
def _delete_batch(event: Event) -> int:
    """Delete photos of the event, the files before their rows; return how many."""
    # As everybody does who writes about faces: the event before its photos.
    Event.objects.select_for_update(no_key=True).get(pk=event.pk)
    photos = list(event.images.order_by("pk").select_for_update()[:BATCH])
    for photo in photos:
        photo.delete_files()
    # Not its own `delete`, which would remove the files once more.
    QuerySet.delete(Image.objects.filter(pk__in=[photo.pk for photo in photos]))
    return len(photos)
