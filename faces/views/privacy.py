"""What is kept of people, in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import render
from django.views.decorators.http import require_safe

from events import deliveries
from events.models import Delivery
from events.views import visible_event

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@require_safe
def privacy(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Say what is kept, where, how long and by whose responsibility; of an event, also when it is closed.

    The organiser answers for these words, and has to have them checked.
    """
    event = visible_event(request, slug) if slug else None
    context = {
        "event": event,
        "gallery_hours": settings.GALLERY_TOKEN_HOURS,
        "retention_days": settings.RETENTION_DAYS,
        "audit_days": settings.AUDIT_DAYS,
        "message_days": deliveries.KEPT[Delivery.State.DELIVERED].days,
        "failed_message_days": deliveries.KEPT[Delivery.State.FAILED].days,
    }
    return render(request, "faces/privacy.html", context)
