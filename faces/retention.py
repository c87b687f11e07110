"""What goes when its time is over: the faces of events, galleries that expired, old entries of the audit log.

Photos, consents and the places of erased faces stay.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from events import idempotency, queue
from events.models import Event, Image, Webhook
from faces import audit_log
from faces.engine_lock import keep_writers_out
from faces.ledger import lock
from faces.models import (
    AuditEntry,
    Centroid,
    DecisionFace,
    Embedding,
    FaceAlias,
    ImageFace,
    NextEmbedding,
    Visitor,
)
from faces.pipeline import NOT_KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

CHUNK = 5000
"""So many rows are deleted at a time: Django reads them before."""


@dataclass(frozen=True, slots=True)
class Retired:
    """How much went, or would go, of an event."""

    persons: int
    faces: int
    vectors: int
    decisions: int
    galleries: int
    answers: int

    def __str__(self) -> str:
        return ", ".join(f"{number} {name}" for name, number in asdict(self).items())


def overdue() -> list[Event]:
    """Return the events that have faces they must not keep any more."""
    return [event for event in Event.objects.filter(keep_faces_until__lt=timezone.localdate()) if _is_overdue(event)]


def count(event: Event) -> Retired:
    """Return what `retire` would delete."""
    return Retired(**{name: rows.count() for name, rows in _contents(event).items()})


@transaction.atomic
def retire(event: Event) -> Retired:
    """Delete everything about the faces of an event: who they are, vectors, boxes, decisions, open galleries.

    Whoever writes faces meanwhile is waited for; a photo that comes later is not looked at (`NOT_KEPT`).
    """
    event = lock(event.pk)
    keep_writers_out(event.pk)
    _hold_faces(event)
    gone = count(event)
    for rows in _rows(event):
        _delete(rows)
    idempotency.forget_people()
    event.faces_deleted_at, event.faces_consolidated = timezone.now(), 0
    event.save(update_fields=("faces_deleted_at", "faces_consolidated"))
    audit_log.record(audit_log.Action.RETIRED, event, audit_log.SYSTEM, detail=str(gone))
    return gone


def retire_overdue() -> Iterator[tuple[Event, Retired]]:
    """Retire one event after the other; one that fails is told in the log, and does not keep the others."""
    for event in overdue():
        try:
            gone = _retire_if_due(event)
        except DatabaseError:
            logger.exception("The faces of %s could not be deleted; the next hour tries again", event.slug)
            continue
        if gone is None:
            continue
        logger.info("The faces of %s are deleted, as planned for %s: %s", event.slug, event.keep_faces_until, gone)
        yield event, gone


@transaction.atomic
def _retire_if_due(event: Event) -> Retired | None:
    """Retire an event, unless staff have chosen a later day meanwhile, or another run was first, or it is gone."""
    # Until another run is through with it: there may be nothing left to do then.
    present = Event.objects.select_for_update(no_key=True).filter(pk=event.pk).first()
    return retire(present) if present and _is_overdue(present) else None


def expire() -> dict[str, int]:
    """Delete galleries that have expired, and what is too old in the audit log; return how many of each.

    What visitors answered stays, without them.
    """
    now = timezone.now()
    galleries = Visitor.objects.filter(expires_at__lte=now)
    entries = AuditEntry.objects.filter(at__lt=now - timedelta(days=settings.AUDIT_DAYS))
    return {"expired galleries": _delete(galleries), "audit entries": _delete(entries)}


@transaction.atomic
def look_again(event: Event) -> int:
    """Make all photos pending of an event that may keep faces again, and call the workers; return how many.

    Nothing happens to an event whose faces have not been deleted.
    """
    event = lock(event.pk)
    if event.faces_deleted_at is None or not event.keeps_faces:
        return 0
    Event.objects.filter(pk=event.pk).update(faces_deleted_at=None)
    # What came in since has its faces, and must not get them twice.
    seen = event.images.filter(state__in=(Image.State.INDEXED, Image.State.NO_FACE), faces=None)
    count = seen.update(state=Image.State.PENDING, attempts=0, retry_at=None, processed_at=None)
    queue.announce(*[event.pk] * count)
    return count + event.images.all().retry(code=NOT_KEPT.code)


def _is_overdue(event: Event) -> bool:
    return not event.keeps_faces and (event.faces_deleted_at is None or _contents(event)["faces"].exists())


def _hold_faces(event: Event) -> None:
    """Wait for visitors who are answering; they lock faces before their own row, so this must not be the other way."""
    faces = ImageFace.objects.filter(image__event=event).order_by("pk")
    for _ in faces.select_for_update(of=("self",)).values_list("pk", flat=True).iterator(chunk_size=CHUNK):
        pass


def _contents(event: Event) -> dict[str, QuerySet[Any]]:
    return {
        "persons": event.faces.all(),
        "faces": ImageFace.objects.filter(image__event=event),
        "vectors": event.embeddings.all(),
        "decisions": event.decisions.all(),
        "galleries": event.visitors.all(),
        "answers": event.evidence.all(),
    }


def _rows(event: Event) -> list[QuerySet[Any]]:
    """Return all that goes, what refers to others first, so that nothing has to be looked for twice."""
    return [
        event.deliveries.filter(kind=Webhook.Kind.MATCH_CREATED),
        event.evidence.all(),
        event.visitors.all(),
        DecisionFace.objects.filter(decision__event=event),
        event.decisions.all(),
        NextEmbedding.objects.filter(image_face__image__event=event),
        Embedding.objects.filter(event=event),
        Centroid.objects.filter(face__event=event),
        FaceAlias.objects.filter(face__event=event),
        ImageFace.objects.filter(image__event=event),
        event.faces.all(),
    ]


def _delete(rows: QuerySet[Any]) -> int:
    """Delete rows in chunks; return how many they were."""
    deleted = 0
    while keys := list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        rows.model._default_manager.filter(pk__in=keys).delete()
        deleted += len(keys)
    return deleted
