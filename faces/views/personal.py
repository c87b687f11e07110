"""The personal link: opens a visitor's gallery on another of their devices."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from events.views import for_visitors
from faces import audit_log
from faces.models import Visitor
from faces.views.session import remember, visitor_at

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from events.models import Event


@cache_control(private=True, no_store=True)
@require_safe
def personal(request: HttpRequest, slug: str, key: UUID) -> HttpResponseBase:
    """Open the gallery of this key in this session, and lead to it; to the event where it is not open any more."""
    response = _open(request, slug, key=key)
    # Whoever has the address has the photos: it goes to no other site, and into no list of a search engine.
    # A page that asks for the event's code needs it for itself: without, its form is refused as another site's.
    response["Referrer-Policy"] = "no-referrer" if response.status_code == HTTPStatus.FOUND else "same-origin"
    response["X-Robots-Tag"] = "noindex"
    return response


@for_visitors
def _open(request: HttpRequest, event: Event, key: UUID) -> HttpResponse:
    visitor = Visitor.objects.present().filter(event=event, key=key).first()
    if visitor is None:
        messages.info(request, _("This link opens no photos any more. A selfie does."))
        return redirect("event", event.slug)
    if visitor_at(request, event) != visitor:
        remember(request, visitor)
        audit_log.record(audit_log.Action.OPENED, event, request.user, detail="by a personal link")
    return redirect("gallery", event.slug)
