"""Open events: all photos for everybody, and a person's by the grab_id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.paginator import InvalidPage, Paginator
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from events import gate
from events.views import for_visitors
from faces import audit_log
from faces.gallery import images_with
from faces.models import Face

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse

    from events.models import Event

PAGE_SIZE = 100


@require_safe
@for_visitors
def browse(request: HttpRequest, event: Event) -> HttpResponse:
    """Show all photos of an open event that were looked at, page by page, in the order they were taken."""
    _refuse_unless_open(request, event)
    pages = Paginator(event.images.looked_at().order_by("taken_at", "pk"), PAGE_SIZE)
    try:
        page = pages.page(request.GET.get("page", 1))
    except InvalidPage as error:
        raise Http404 from error
    return render(request, "faces/browse.html", {"event": event, "page": page, "images": page.object_list})


@require_safe
@for_visitors
def person(request: HttpRequest, event: Event, grab_id: UUID) -> HttpResponse:
    """Show the photos of one person of an open event; a grab_id that became part of another leads there."""
    _refuse_unless_open(request, event)
    found = get_object_or_404(Face.objects.with_grab_id(grab_id).visible().filter(event=event))
    # Staff look at anybody here, and visitors of an open event at whose grab_id they were told, as in the API.
    audit_log.record(audit_log.Action.LOOKED, event, request.user, grab_id=found.grab_id)
    images = images_with(found)
    return render(request, "faces/person.html", {"event": event, "person": found, "images": images})


def _refuse_unless_open(request: HttpRequest, event: Event) -> None:
    if not event.is_open and not gate.manages(request.user, event):
        raise Http404
