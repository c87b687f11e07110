"""An event's page, and the selfie that opens a gallery."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.http import HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from events.views import visible_event
from faces import consent, search
from faces.engine import EngineError
from faces.views.session import remember
from faces.visitors import welcome

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from events.models import Event

logger = logging.getLogger(__name__)

MISSING_FILE = search.NoMatch("missing_file", "There was no picture. Take a selfie or choose a photo first.")
NO_CONSENT = search.NoMatch("consent_required", "Tick the box first: without your consent the selfie is not looked at.")
ENGINE_UNAVAILABLE = search.NoMatch("engine_unavailable", "Selfies cannot be compared just now. Try again later.")


@require_safe
def event_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the event, and ask for a selfie."""
    return _render(request, visible_event(request, slug))


@require_http_methods(["GET", "HEAD", "POST"])
def selfie(request: HttpRequest, slug: str) -> HttpResponse:
    """Compare the selfie (multipart `file`) with the event's faces; open the gallery, or say what is wrong."""
    event = visible_event(request, slug)
    if request.method != "POST":
        # The address stays in the browser's bar after a selfie that found nothing.
        return redirect("event", slug)
    file = request.FILES.get("file")
    if request.POST.get("consent") != consent.VERSION:
        return _render(request, event, NO_CONSENT, status=400)
    if file is None:
        return _render(request, event, MISSING_FILE, status=400)
    agreed = consent.record(event)
    try:
        found = search.find(event, file)
    except EngineError:
        logger.exception("A selfie could not be compared")
        return _render(request, event, ENGINE_UNAVAILABLE, status=503)
    if isinstance(found, search.NoMatch):
        return _render(request, event, found, status=404 if found.code == "no_match" else 400)
    remember(request, welcome(event, found, agreed))
    return HttpResponseRedirect(reverse("gallery", args=[slug]), status=303)


def _render(
    request: HttpRequest, event: Event, problem: search.NoMatch | None = None, status: int | None = None
) -> HttpResponse:
    """Answer with the event's page; `problem` says why a selfie found nothing."""
    context = {"event": event, "photo_count": event.images.count(), "problem": problem, "consent": consent}
    return render(request, "events/event.html", context, status=status)
