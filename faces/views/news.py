"""How far an event has come: what a page asks for, again and again, that waits for more photos."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count
from django.http import JsonResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from events.models import Image
from events.views import for_visitors
from faces.models import ImageFace
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
    """Count the photos in which people can be found (`photos`), that wait (`pending`), and that are `mine`, or null.

    A photo waits until its faces are grouped, too: before, no selfie finds them.
    """
    states = dict(event.images.order_by().values_list("state").annotate(count=Count("*")))
    ungrouped = _ungrouped(event)
    return JsonResponse(
        {
            "photos": states.get(State.INDEXED, 0) + states.get(State.NO_FACE, 0) - ungrouped,
            "pending": states.get(State.PENDING, 0) + ungrouped,
            "mine": _mine(request, event),
        }
    )


def _ungrouped(event: Event) -> int:
    """Return how many photos are indexed, and wait for their faces to be grouped."""
    faces = ImageFace.objects.filter(face=None, image__event=event, embedding__engine=event.engine)
    return faces.values("image").distinct().count()


def _mine(request: HttpRequest, event: Event) -> int | None:
    visitor = visitor_at(request, event)
    return None if visitor is None else grant_of(visitor).images().count()
