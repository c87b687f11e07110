"""Many photos at once, as a ZIP that is made while it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import Http404, StreamingHttpResponse
from django.shortcuts import redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST

from events import downloads, zipping
from events.gate import manages
from events.models import Image
from events.serving import rendition_for_download
from events.views import for_visitors
from faces import audit_log
from faces.ledger import count
from faces.views.session import open_photos, visitor_at
from faces.visitors import grant_of

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from events.models import Event


@cache_control(private=True, no_store=True)
@require_POST
@for_visitors
def download(request: HttpRequest, event: Event) -> HttpResponseBase:
    """Send the photos of `image_id` (repeated), or without any those of this session's gallery: sure and confirmed.

    A form that lets its visitor choose says so with `chosen`, and nothing chosen is not all. 404 where one of the
    photos is not open to this visitor.
    """
    chosen = request.POST.getlist("image_id")
    images = _chosen(request, event, chosen) if chosen or "chosen" in request.POST else _own(request, event)
    if not images:
        if "chosen" in request.POST:
            messages.info(request, _("Choose photos first."))
        return redirect("gallery", event.slug)
    rendition = Image.Rendition.ORIGINAL if manages(request.user, event) else rendition_for_download(event)
    pieces = downloads.begin(zipping.stream(images, rendition))
    if pieces is None:
        messages.info(request, _("Many people are downloading just now. Try again in a minute."))
        return redirect("gallery", event.slug)
    audit_log.record(audit_log.Action.DOWNLOADED, event, request.user, detail=count(len(images), "photo"))
    response = StreamingHttpResponse(pieces, content_type="application/zip")
    response["Content-Disposition"] = content_disposition_header(True, f"{event.slug}.zip")
    return response


def _chosen(request: HttpRequest, event: Event, chosen: list[str]) -> list[Image]:
    try:
        keys = {UUID(key) for key in chosen}
    except ValueError as error:
        raise Http404 from error
    images = open_photos(request).filter(event=event, image_id__in=keys).order_by("taken_at", "pk")
    return _of(event, list(images), expected=len(keys))


def _own(request: HttpRequest, event: Event) -> list[Image]:
    visitor = visitor_at(request, event)
    return [] if visitor is None else _of(event, list(grant_of(visitor).images()))


def _of(event: Event, images: list[Image], expected: int | None = None) -> list[Image]:
    if expected is not None and len(images) != expected:
        raise Http404
    for image in images:
        image.event = event
    return images
