"""Where an event stands, as a part of any staff page; `static/progress.js` keeps it up to date."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from django import template

from faces.progress import DECODED, progress

if TYPE_CHECKING:
    from django.template.context import Context

    from events.models import Event

register = template.Library()


@register.inclusion_tag("faces/progress.html", takes_context=True)
def progress_panel(context: Context, event: Event) -> dict[str, Any]:
    """Show how far the event's photos have come; its forms lead back to this page."""
    found = progress(event)
    return {
        "event": event,
        "progress": found,
        "processed": found.images - found.pending,
        "failed_unshown": found.failed - len(found.failed_images),
        "decoded": DECODED,
        "page": context["request"].path,
    }


@register.filter
def time_left(seconds: int) -> str:
    """Say a number of seconds as people do; `timeLeft` in words.js uses the same words."""
    minutes = math.ceil(seconds / 60)
    if minutes <= 1:
        return "less than a minute left"
    hours, rest = divmod(minutes, 60)
    return f"about {hours:,} h {rest} min left" if hours else f"about {minutes} min left"
