"""Forgets people for good: `erase` takes persons out of an event, `forget` a visitor who wants it, with their person.

Photos stay, since others are in them. What is remembered is where in which photo the faces were (`faces.erased`), so
that they are not found again in the same photos; nothing by which somebody could be recognised in another one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest

from events import idempotency
from events.models import Event, Image
from faces import audit_log, consent, erased, grouping, telling, visitors
from faces.engine import EngineError
from faces.ledger import CorrectionError, count, lock
from faces.models import Embedding, Evidence, Face, FaceAlias, ImageFace, Visitor
from faces.scrubbing import scrub, traces_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from uuid import UUID

    from events.access import Actor
    from faces.models import Consent, FaceQuerySet

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Erasure:
    """How much was deleted: `galleries` of visitors who had been recognised as these persons; `decisions` were kept,
    without the persons."""

    persons: int = 0
    faces: int = 0
    photos: int = 0
    galleries: int = 0
    decisions: int = 0

    def __str__(self) -> str:
        galleries = "1 gallery" if self.galleries == 1 else f"{self.galleries} galleries"
        return f"{count(self.faces, 'face')} in {count(self.photos, 'photo')}, {galleries}"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted of a visitor: gallery and link, if there was one, and answers; and of their person."""

    gallery: bool
    answers: int
    erasure: Erasure


def erase(event: Event, persons: Sequence[Face], by: Actor | str) -> Erasure:
    """Delete persons of an event with all their faces, for ever; nobody finds them again in the same photos.

    With them go their vectors, names, what visitors said about them and the galleries that surely showed them; they
    vanish from the records of decisions, too. New faces are grouped first, so that what belongs to them goes as well.

    Raises:
        CorrectionError: `gone`, one of the persons is not there any more; nothing is changed.
    """
    _group(event)
    return _erase(event, persons, by)


def sure_persons(visitor: Visitor) -> FaceQuerySet:
    """Return the persons whom the visitor's selfie surely showed, but not those that staff hid.

    Not those whom it only may show, whatever the visitor said: it may be somebody else.
    """
    shown = Face.objects.visible().filter(event=visitor.event_id, image_faces__in=visitor.sure)
    return Face.objects.filter(pk__in=shown.values("pk"))


def forget(event: Event, visitor: Visitor | None, agreed: Consent | None, *, person: bool) -> Forgotten:
    """Delete what belongs to a visitor, and mark the consent as withdrawn; with `person`, erase their person, too."""
    if person:
        _group(event)
    return _forget(event, visitor, agreed, person=person)


@transaction.atomic
def _forget(event: Event, visitor: Visitor | None, agreed: Consent | None, *, person: bool) -> Forgotten:
    event = lock(event.pk)
    present = event.visitors.filter(pk=visitor.pk).select_related("consent").first() if visitor else None
    persons = list(sure_persons(present)) if present and person else []
    # Before the visitor, as everybody does.
    _locked_faces(persons)
    answers = present.answers.count() if present else 0
    if present:
        visitors.forget(present)
    if agreed:
        consent.withdraw(agreed)
    erasure = _erase(event, persons, audit_log.VISITOR) if persons else Erasure()
    detail = f"{count(answers, 'answer')}; {erasure if persons else 'no faces'}"
    audit_log.record(audit_log.Action.FORGOTTEN, event, audit_log.VISITOR, detail=detail)
    return Forgotten(gallery=bool(present), answers=answers, erasure=erasure)


def _group(event: Event) -> None:
    """Give faces that have just been found their persons."""
    try:
        grouping.group(event)
    except EngineError:
        # Which faces are alike only the engine could tell; that is no reason to refuse.
        logger.exception("New faces of %s could not be grouped before an erasure", event.slug)


@transaction.atomic
def _erase(event: Event, persons: Sequence[Face], by: Actor | str) -> Erasure:
    # Workers need not wait: none writes faces of these photos again, unless they are deleted and come in anew, and a
    # deletion waits for this lock.
    event = lock(event.pk)
    persons = _present(event, persons)
    faces = _locked_faces(persons)
    keys, photos = {face.pk for face in faces}, {face.image_id for face in faces}
    traces, former = traces_of(event, persons, keys), _former_grab_ids(persons)
    erased.remember(event, faces)
    erasure = Erasure(len(persons), len(keys), len(photos), _close_galleries(event, keys), scrub(event, traces))
    _delete(event, persons, keys, photos)
    idempotency.forget_people()
    for person in persons:
        audit_log.record(audit_log.Action.ERASED, event, by, grab_id=person.grab_id, detail=str(erasure))
    telling.forgotten(event, persons, former)
    return erasure


def _former_grab_ids(persons: Sequence[Face]) -> dict[int, list[UUID]]:
    """Return, by the person's key, which `grab_id`s lead to a person since they became part of them."""
    former: dict[int, list[UUID]] = {}
    for person, grab_id in FaceAlias.objects.filter(face__in=persons).order_by("pk").values_list("face", "grab_id"):
        former.setdefault(person, []).append(grab_id)
    return former


def _present(event: Event, persons: Sequence[Face]) -> list[Face]:
    """Read the persons anew. Not those who took over from them: what cannot be undone must be about whom was meant."""
    present = list(event.faces.filter(pk__in=[person.pk for person in persons]).order_by("pk"))
    if not present or len(present) < len({person.pk for person in persons}):
        raise CorrectionError("gone", "This has changed meanwhile. Reload the page.")
    return present


def _locked_faces(persons: Sequence[Face]) -> list[ImageFace]:
    """Return the faces with their photos; nobody deletes either or writes about them until the transaction ends."""
    photos = ImageFace.objects.filter(face__in=persons).order_by().values("image")
    locked = Image.objects.filter(pk__in=photos).order_by("pk").select_for_update(no_key=True)
    images = {image.pk: image for image in locked}
    faces = list(ImageFace.objects.filter(face__in=persons).order_by("pk").select_for_update(of=("self",)))
    for face in faces:
        face.image = images[face.image_id]
    return faces


def _close_galleries(event: Event, faces: Collection[int]) -> int:
    """Delete the galleries that these faces (keys) surely opened, and take the faces out of others; return how many."""
    closed = event.visitors.filter(sure__overlap=list(faces))
    Evidence.objects.filter(visitor__in=closed).delete()
    _, deleted = closed.delete()
    for visitor in event.visitors.filter(maybe__overlap=list(faces)).order_by("pk").select_for_update():
        visitor.maybe = [face for face in visitor.maybe if face not in faces]
        visitor.save(update_fields=("maybe",))
    return deleted.get("faces.Visitor", 0)


def _delete(event: Event, persons: Sequence[Face], faces: Collection[int], photos: Collection[int]) -> None:
    """Delete persons and faces (keys), with their vectors and what was said of them, and see to what follows."""
    described = Embedding.objects.filter(image_face__in=faces, engine=event.engine).count()
    ImageFace.objects.filter(pk__in=faces).delete()
    event.faces.filter(pk__in=[person.pk for person in persons]).delete()
    event.images.filter(pk__in=photos, state=Image.State.INDEXED, faces=None).update(state=Image.State.NO_FACE)
    # Nothing has changed for the others: this makes no consolidation due.
    left = Greatest(F("faces_consolidated") - described, 0)
    Event.objects.filter(pk=event.pk).update(faces_consolidated=left)
