"""Visitors with an open gallery: welcomed by a match, gone when it expires or they want to be forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from faces import consent
from faces.gallery import Grant
from faces.models import Consent, Evidence, Visitor

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


def grant_of(visitor: Visitor) -> Grant:
    """Return what the visitor may see: what the selfie showed, as they have sorted it by their answers."""
    answers = dict(visitor.answers.values_list("asked", "is_me"))
    confirmed = [witness for witness in visitor.maybe if answers.get(witness)]
    undecided = [witness for witness in visitor.maybe if witness not in answers]
    return Grant(visitor.event_id, (*visitor.sure, *confirmed), tuple(undecided))


def answer(visitor: Visitor, asked: int, *, is_me: bool) -> bool:
    """Remember what the visitor says of the person of a witness; tell whether they were asked about it at all."""
    if asked not in visitor.maybe:
        return False
    known = visitor.sure[0] if visitor.sure else _confirmed(visitor, asked)
    Evidence.objects.update_or_create(
        visitor=visitor, asked_id=asked, defaults={"event_id": visitor.event_id, "known_id": known, "is_me": is_me}
    )
    return True


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
