"""The gallery that a selfie opened, and its photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from events.gate import manages
from events.models import Image
from events.serving import is_offered, rendition_for_download, serve
from events.views import for_visitors
from faces.questions import questions
from faces.views.session import leave, open_photos, visitor_at
from faces.visitors import granted, standing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

    from events.models import Event
    from faces.models import Visitor


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
@for_visitors
def gallery(request: HttpRequest, event: Event) -> HttpResponse:
    """Show the photos that the visitor's selfie has opened; a POST closes them on this device."""
    if request.method == "POST":
        leave(request, event)
        messages.info(request, _("Your photos are closed on this device."))
        closed = redirect("event", event.slug)
        # The photos that were shown are still in the browser's cache.
        closed["Clear-Site-Data"] = '"cache"'
        return closed
    visitor = visitor_at(request, event)
    if visitor is None:
        leave(request, event)
        words = ngettext(
            "A selfie opens your photos, for %(hours)s hour.",
            "A selfie opens your photos, for %(hours)s hours.",
            settings.GALLERY_TOKEN_HOURS,
        )
        messages.info(request, words % {"hours": settings.GALLERY_TOKEN_HOURS})
        return redirect("event", event.slug)
    return render(request, "faces/gallery.html", _context(request, event, visitor))


def _context(request: HttpRequest, event: Event, visitor: Visitor) -> dict[str, Any]:
    sorting = standing(visitor)
    grant = granted(visitor, sorting)
    images = list(grant.images())
    return {
        "event": event,
        "visitor": visitor,
        "images": images,
        "questions": questions(grant, images),
        "sorting": sorting,
        "personal_link": request.build_absolute_uri(reverse("personal", args=[event.slug, visitor.key])),
    }


@require_safe
def photo(request: HttpRequest, image_id: UUID, rendition: str) -> HttpResponseBase:
    """Send a photo that this visitor may see; `?download` makes of the original a file to keep, under its own name.

    Where the event offers no originals, that file is the preview.
    """
    image = get_object_or_404(open_photos(request).select_related("event"), image_id=image_id)
    to_visitor = not manages(request.user, image.event)
    keep = rendition == Image.Rendition.ORIGINAL and "download" in request.GET
    if to_visitor and not is_offered(image.event, rendition):
        if not keep:
            raise PermissionDenied
        rendition = rendition_for_download(image.event)
    return serve(request, image, rendition, to_visitor=to_visitor, as_attachment=keep)
