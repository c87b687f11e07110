"""What webhooks are told of photos and people: who and how many, and nothing by which a face could be recognised."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q
from django.db.models.functions import Coalesce

from events.models import Delivery, Event, Image, Webhook
from events.webhooks import Audience, announce
from faces.progress import is_done, progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from django.db.models import QuerySet

    from events.models import EventQuerySet
    from faces.gallery import Grant
    from faces.models import Face
    from faces.search import Match

Kind = Webhook.Kind

COUNTS = ("images", "indexed", "no_face", "failed", "faces", "persons")

LONG_AGO = datetime.min.replace(tzinfo=UTC)


def audience_of_photos(event: Event) -> Audience:
    """Return who wants to hear of single photos."""
    return Audience(event, Kind.IMAGE_INDEXED, Kind.IMAGE_FAILED)


def photo_ended(audience: Audience, image: Image) -> None:
    """Tell what became of a photo, in the transaction that writes it."""
    which = {"image_id": str(image.image_id), "file_name": image.file_name}
    if image.state == Image.State.FAILED:
        audience.tell(Kind.IMAGE_FAILED, which | {"code": image.failure_code, "reason": image.failure_reason})
    elif audience.wants(Kind.IMAGE_INDEXED):
        audience.tell(Kind.IMAGE_INDEXED, which | {"state": image.state, "faces": image.faces.count()})


def with_news() -> EventQuerySet:
    """Return the events with photos that came to an end since it was last told that all had."""
    told = Coalesce(OuterRef("indexed_told_at"), LONG_AGO)
    return Event.objects.lasting().filter(Exists(Image.objects.filter(event=OuterRef("pk"), processed_at__gt=told)))


def all_indexed(event: Event) -> None:
    """Tell that every photo was looked at and every face has its person, if so: once, whoever finds out first.

    To be called after the commit of what may have been the last of it; who commits last sees all of it done.
    """
    if is_done(event) and with_news().filter(pk=event.pk).exists():
        _all_indexed(event)


@transaction.atomic
def _all_indexed(event: Event) -> None:
    present = Event.objects.select_for_update(no_key=True).filter(pk=event.pk).first()
    # In this order: what comes to an end after the first look has its own turn.
    if present is None or not is_done(present) or not with_news().filter(pk=present.pk).exists():
        return
    present.indexed_told_at = present.images.aggregate(newest=Max("processed_at"))["newest"]
    present.save(update_fields=("indexed_told_at",))
    audience = Audience(present, Kind.EVENT_INDEXED)
    if audience.wants(Kind.EVENT_INDEXED):
        stand = progress(present)
        audience.tell(Kind.EVENT_INDEXED, {name: getattr(stand, name) for name in COUNTS})


def matched(event: Event, match: Match, grant: Grant) -> None:
    """Tell whom a selfie found, and nothing of who took it; of maybes those that the grant opens."""
    audience = Audience(event, Kind.MATCH_CREATED)
    if audience.wants(Kind.MATCH_CREATED):
        audience.tell(Kind.MATCH_CREATED, _found(match, grant))


def _found(match: Match, grant: Grant) -> Mapping[str, Any]:
    maybe = match.maybe if grant.maybe else []
    return {
        "sure": [str(found.face.grab_id) for found in match.sure],
        "maybe": [str(found.face.grab_id) for found in maybe],
        "photos": grant.images().count(),
        "maybe_photos": grant.maybe_images().count(),
    }


def messages_about(event: Event, grab_ids: Iterable[str]) -> QuerySet[Delivery]:
    """Return the messages that say that a selfie found a person with one of these `grab_id`s."""
    named = Q(pk__in=[])
    for grab_id in grab_ids:
        named |= Q(payload__data__sure__contains=[grab_id]) | Q(payload__data__maybe__contains=[grab_id])
    return Delivery.objects.filter(named, event=event, kind=Kind.MATCH_CREATED)


def forgotten(event: Event, persons: Sequence[Face], former: Mapping[int, Iterable[UUID]]) -> None:
    """Tell that persons were erased, with the `grab_id`s that they had before (by their key), in that transaction.

    Messages that named them go out of the log, also those that were not sent yet.
    """
    for person in persons:
        ids = [str(person.grab_id), *map(str, former.get(person.pk, ()))]
        messages_about(event, ids).delete()
        announce(event, Kind.PERSON_FORGOTTEN, {"grab_id": ids[0], "former_grab_ids": ids[1:]})
