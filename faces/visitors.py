"""Visitors with an open gallery: welcomed by a match, gone when it expires or they want to be forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.utils import timezone

from faces import consent
from faces.gallery import Grant
from faces.models import Consent, Evidence, ImageFace, Visitor

if TYPE_CHECKING:
    from events.models import Event
    from faces.search import Match


@transaction.atomic
def welcome(event: Event, match: Match, agreed: Consent | None) -> Visitor:
    """Open a gallery to somebody whose selfie matched, for GALLERY_TOKEN_HOURS.

    In place of the one that the same consent opened before, else “Forget me” would leave that one behind, and its
    link. What was said in it stays, for staff.
    """
    if agreed:
        event.visitors.filter(consent=agreed).delete()
    return Visitor.objects.create(
        event=event,
        consent=agreed,
        sure=[found.witness for found in match.sure],
        maybe=[found.witness for found in match.maybe],
        expires_at=timezone.now() + timedelta(hours=settings.GALLERY_TOKEN_HOURS),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """The persons whom the selfie only may show, as the visitor has sorted them by now; a witness for each.

    Each is there once, also where a later grouping made one person of two. Not there are those who are surely shown
    as well, and those who are hidden or gone.
    """

    undecided: tuple[int, ...]
    confirmed: tuple[int, ...]
    denied: tuple[int, ...]


def standing(visitor: Visitor) -> Standing:
    """Return what is still to be asked, and what was answered."""
    found: dict[bool | None, list[int]] = {None: [], True: [], False: []}
    for witnesses in _asked(_known_faces(visitor), visitor):
        answers = {said for _, said in witnesses} - {None}
        # Two persons of whom the visitor spoke differently are one by now: ask again.
        found[answers.pop() if len(answers) == 1 else None].append(witnesses[0][0])
    return Standing(tuple(found[None]), tuple(found[True]), tuple(found[False]))


def grant_of(visitor: Visitor) -> Grant:
    """Return what the visitor may see: what the selfie showed, as they have sorted it by their answers."""
    return granted(visitor, standing(visitor))


def granted(visitor: Visitor, sorting: Standing) -> Grant:
    """Return the same, where it is known how the visitor has sorted it."""
    return Grant(visitor.event_id, (*visitor.sure, *sorting.confirmed), sorting.undecided)


@transaction.atomic
def answer(visitor: Visitor, asked: int, *, is_me: bool) -> bool:
    """Remember what the visitor says of the person of a witness; tell whether they were asked about it at all."""
    # Nobody deletes a face while something is said of it.
    faces = _known_faces(visitor, lock=True)
    persons = [[witness for witness, _ in witnesses] for witnesses in _asked(faces, visitor)]
    person = next((witnesses for witnesses in persons if asked in witnesses), None)
    if person is None or not Visitor.objects.select_for_update(no_key=True).filter(pk=visitor.pk).exists():
        return False
    # One person, one answer: staff count them.
    visitor.answers.filter(asked__in=person).exclude(asked=asked).delete()
    known = next((witness for witness in visitor.sure if witness in faces), None) or _confirmed(visitor, asked)
    Evidence.objects.update_or_create(
        visitor=visitor, asked_id=asked, defaults={"event_id": visitor.event_id, "known_id": known, "is_me": is_me}
    )
    return True


def ask_again(visitor: Visitor, *, is_me: bool) -> None:
    """Take back every “that's me”, or every “not me”, of this visitor."""
    visitor.answers.filter(is_me=is_me).delete()


@transaction.atomic
def forget(visitor: Visitor) -> None:
    """Delete what belongs to the visitor: gallery, link and answers. That they agreed, and took it back, stays."""
    visitor.answers.all().delete()
    if visitor.consent:
        consent.withdraw(visitor.consent)
    visitor.delete()


def _confirmed(visitor: Visitor, asked: int) -> int | None:
    """Return another witness of whom the visitor said that it shows them."""
    others = visitor.answers.filter(is_me=True).exclude(asked=asked)
    return others.values_list("asked", flat=True).first()


def _known_faces(visitor: Visitor, *, lock: bool = False) -> dict[int, tuple[int, bool | None]]:
    """Return the person of each of the visitor's witnesses that is still to be seen, and what was said of it."""
    faces = ImageFace.objects.filter(pk__in=[*visitor.sure, *visitor.maybe], face__hidden=False).order_by("pk")
    if lock:
        faces = faces.select_for_update(of=("self",), no_key=True)
    said = Evidence.objects.filter(visitor=visitor, asked=OuterRef("pk")).values("is_me")
    rows = faces.annotate(said=Subquery(said)).values_list("pk", "face", "said")
    return {witness: (person, said) for witness, person, said in rows}


def _asked(faces: dict[int, tuple[int, bool | None]], visitor: Visitor) -> list[list[tuple[int, bool | None]]]:
    """Return the witnesses of each person who only may be the visitor, with what was said of them."""
    sure = {faces[witness][0] for witness in visitor.sure if witness in faces}
    persons: dict[int, list[tuple[int, bool | None]]] = {}
    for witness in visitor.maybe:
        person, said = faces.get(witness, (None, None))
        if person is not None and person not in sure:
            persons.setdefault(person, []).append((witness, said))
    return list(persons.values())
