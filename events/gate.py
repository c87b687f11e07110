"""What a visitor needs before an event shows anything: the code, where the event asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events import limits
from events.access import is_staff
from events.models import Event

if TYPE_CHECKING:
    from django.http import HttpRequest
    from rest_framework.request import Request

    from events.access import Actor

SESSION_KEY = "codes"
"""In the session: the code that opened each event, by the event's primary key. Another code closes it again."""


def manages(user: Actor, event: Event) -> bool:
    """Tell whether this user is staff of the event."""
    return is_staff(user) and Event.objects.managed_by(user).filter(pk=event.pk).exists()


def needs_code(request: HttpRequest, event: Event) -> bool:
    """Tell whether the event asks for a code that has not been typed in in this session."""
    if event.access != Event.Access.CODE:
        return False
    return not event.accepts_code(request.session.get(SESSION_KEY, {}).get(str(event.pk), ""))


def may_enter(request: HttpRequest, event: Event) -> bool:
    """Tell whether whoever asks may use the event now: it is published, and the code is known; or they are staff."""
    if event.is_published and not needs_code(request, event):
        return True
    return manages(request.user, event)


def tries(request: HttpRequest | Request, event: Event, code: str) -> bool:
    """Tell whether the code is the right one. Wrong ones are counted, so that nobody can try them all.

    Raises:
        TooManyRequests: too many were wrong; this one is not even looked at.
    """
    if not code:
        return False
    who = f"{limits.address_of(request)} at {event.pk}"
    limits.spend("codes", who)
    if is_right := event.accepts_code(code):
        limits.give_back("codes", who)
    return is_right


def admit(request: HttpRequest, event: Event, code: str) -> bool:
    """Remember the code in the session if it is the right one; tell whether it is.

    Raises:
        TooManyRequests: as `tries`.
    """
    if event.access != Event.Access.CODE or not tries(request, event, code):
        return False
    known = request.session.get(SESSION_KEY, {})
    # Not as it was typed: with a megabyte of blanks in it, it would be as right.
    request.session[SESSION_KEY] = {**known, str(event.pk): event.access_code}
    return True
