"""How far an event has come: what a page asks for, again and again, that waits for more photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from events.models import Image
from events.views import for_visitors
from faces.views.session import visitor_at
from faces.visitors import grant_of

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from events.models import Event

State = Image.State


@cache_control(private=True, no_store=True)
@require_safe
@for_visitors
def news(request: HttpRequest, event: Event) -> HttpResponse:
    """Count the photos that were looked at (`photos`), that wait (`pending`), and that are surely `mine`, or null."""
    states = dict(event.images.order_by().values_list("state").annotate(count=Count("*")))
    return JsonResponse(
        {
            "photos": states.get(State.INDEXED, 0) + states.get(State.NO_FACE, 0),
            "pending": states.get(State.PENDING, 0),
            "mine": _mine(request, event),
        }
    )


def _mine(request: HttpRequest, event: Event) -> int | None:
    visitor = visitor_at(request, event)
    return None if visitor is None else grant_of(visitor).images().count()
