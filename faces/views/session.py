"""Which galleries are open in a visitor's session, and what else the session knows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from events.gate import needs_code
from events.models import Image
from faces import consent
from faces.gallery import open_images
from faces.models import Consent, Visitor
from faces.visitors import grant_of

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from events.models import Event
    from faces.gallery import Grant

SESSION_KEY = "visitors"
"""In the session: the key of the visitor at each event, by the event's primary key."""


CONSENTS_KEY = "consents"
"""In the session: the key of the consent that was given at each event, by the event's primary key."""


def visitor_at(request: HttpRequest, event: Event) -> Visitor | None:
    """Return who this session is at the event; None where no selfie has opened anything, or it has expired."""
    visitor = visitor_ever_at(request, event)
    return visitor if visitor and visitor.is_present else None


def visitor_ever_at(request: HttpRequest, event: Event) -> Visitor | None:
    """Return the same, also one whose gallery has expired, and is still to be deleted."""
    key = request.session.get(SESSION_KEY, {}).get(str(event.pk))
    if key is None:
        return None
    return event.visitors.filter(key=UUID(key)).select_related("consent").first()


def remember(request: HttpRequest, visitor: Visitor) -> None:
    """Open the visitor's gallery in this session, in place of an earlier one of the event."""
    # As at a login: whoever knew the session before must not see what it opens from now on.
    request.session.cycle_key()
    known = request.session.get(SESSION_KEY, {})
    request.session[SESSION_KEY] = {**known, str(visitor.event_id): str(visitor.key)}


def leave(request: HttpRequest, event: Event) -> None:
    """Close the event's gallery in this session; a visitor without one gets no session by this.

    Whoever comes next has to agree anew, and is another visitor.
    """
    for part in (SESSION_KEY, CONSENTS_KEY):
        known = dict(request.session.get(part, {}))
        if known.pop(str(event.pk), None) is not None:
            request.session[part] = known
            # Photos in the browser's cache were sent for another cookie from now on.
            request.session.cycle_key()


def agree(request: HttpRequest, event: Event) -> Consent:
    """Return the record that this visitor agreed just now: one for all of their tries, unless it was taken back."""
    given = consent_at(request, event)
    if given is None or given.version != consent.VERSION:
        given = consent.record(event)
        known = request.session.get(CONSENTS_KEY, {})
        request.session[CONSENTS_KEY] = {**known, str(event.pk): given.pk}
    return given


def consent_at(request: HttpRequest, event: Event) -> Consent | None:
    """Return what this visitor agreed to at the event, unless it was taken back."""
    known = request.session.get(CONSENTS_KEY, {})
    return event.consents.filter(pk=known.get(str(event.pk)), withdrawn_at=None).first()


def grants(request: HttpRequest) -> list[Grant]:
    """Return what the visitor's selfies have opened in this session, has not expired, and asks for no other code."""
    keys = [UUID(key) for key in request.session.get(SESSION_KEY, {}).values()]
    if not keys:
        return []
    visitors = Visitor.objects.present().filter(key__in=keys).select_related("event")
    return [grant_of(visitor) for visitor in visitors if not needs_code(request, visitor.event)]


def open_photos(request: HttpRequest) -> QuerySet[Image]:
    """Return the photos that whoever asks may see."""
    return open_images(request.user, grants(request))
