"""Pages: the selfie that opens a gallery, the gallery, its photos, and for staff another try for what failed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import BadRequest
from django.db.models import Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from events.access import is_staff
from events.models import Event, Image
from events.serving import serve
from events.views import render_event, staff_only, visible_event
from faces import search
from faces.engine import EngineError
from faces.gallery import Grant

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase


logger = logging.getLogger(__name__)

SESSION_KEY = "galleries"
"""In the session: the gallery token of each event, by the event's primary key."""

MISSING_FILE = search.NoMatch("missing_file", "There was no picture. Take a selfie or choose a photo first.")
ENGINE_UNAVAILABLE = search.NoMatch("engine_unavailable", "Selfies cannot be compared just now. Try again later.")


def grants(request: HttpRequest) -> list[Grant]:
    """Return what the visitor's selfies have opened in this session, and has not expired."""
    tokens = request.session.get(SESSION_KEY, {}).values()
    return [grant for token in tokens if (grant := Grant.from_token(token))]


@require_http_methods(["GET", "HEAD", "POST"])
def selfie(request: HttpRequest, slug: str) -> HttpResponse:
    """Compare the selfie (multipart `file`) with the event's faces; open the gallery, or say what is wrong."""
    event = visible_event(request, slug)
    if request.method != "POST":
        # The address stays in the browser's bar after a selfie that found nothing.
        return redirect("event", slug)
    file = request.FILES.get("file")
    try:
        found = search.find(event, file) if file else MISSING_FILE
    except EngineError:
        logger.exception("A selfie could not be compared")
        return render_event(request, event, ENGINE_UNAVAILABLE, status=503)
    if isinstance(found, search.NoMatch):
        return render_event(request, event, found, status=404 if found.code == "no_match" else 400)
    _remember(request, event, Grant.from_match(event, found).to_token())
    return HttpResponseRedirect(reverse("gallery", args=[slug]), status=303)


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    """Show the photos that the visitor's selfie has opened; a POST closes them on this device."""
    event = visible_event(request, slug)
    if request.method == "POST":
        _remember(request, event, None)
        messages.info(request, "Your photos are closed on this device.")
        closed = redirect("event", slug)
        # The photos that were shown are still in the browser's cache.
        closed["Clear-Site-Data"] = '"cache"'
        return closed
    grant = next((grant for grant in grants(request) if grant.event_id == event.pk), None)
    if grant is None:
        _remember(request, event, None)
        messages.info(request, f"A selfie opens your photos, for {settings.GALLERY_TOKEN_HOURS} hours.")
        return redirect("event", slug)
    images, maybe = grant.images(), grant.maybe_images() if grant.maybe else Image.objects.none()
    return render(request, "faces/gallery.html", {"event": event, "images": images, "maybe_images": maybe})


@require_safe
def photo(request: HttpRequest, image_id: UUID, rendition: str) -> HttpResponseBase:
    """Send a photo that this visitor may see; `?download` makes the original a file to keep, under the user's name."""
    image = get_object_or_404(_open_photos(request), image_id=image_id)
    keep = rendition == Image.Rendition.ORIGINAL and "download" in request.GET
    return serve(image, rendition, as_attachment=keep)


class RetryForm(forms.Form):
    """Which of the photos that failed: one, all of a reason, or without either all of them."""

    image_id = forms.UUIDField(required=False)
    code = forms.SlugField(required=False)
    next = forms.CharField(required=False)


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def retry(request: HttpRequest, slug: str) -> HttpResponse:
    """Make failed photos pending again (a plain form), and go back to the page that has the form, `next`."""
    event = get_object_or_404(Event, slug=slug)
    if request.method != "POST":
        # Logging in on the way leads here.
        return redirect("upload", slug)
    form = RetryForm(request.POST)
    if not form.is_valid():
        raise BadRequest(form.errors)
    count = event.images.all().retry(form.cleaned_data["image_id"], form.cleaned_data["code"])
    messages.success(request, f"{count} photo{pluralize(count)} will be looked at again.")
    page = form.cleaned_data["next"]
    return HttpResponseRedirect(page if url_has_allowed_host_and_scheme(page, None) else reverse("upload", args=[slug]))


def _remember(request: HttpRequest, event: Event, token: str | None) -> None:
    """Keep the event's gallery token in the session, in place of an earlier one; None forgets it."""
    tokens = dict(request.session.get(SESSION_KEY, {}))
    if token:
        tokens[str(event.pk)] = token
        # As at a login: whoever knew the session before must not see what it opens from now on.
        request.session.cycle_key()
    elif tokens.pop(str(event.pk), None) is None:
        # Nothing to forget: leave the session alone, so that a visitor without one gets none.
        return
    request.session[SESSION_KEY] = tokens


def _open_photos(request: HttpRequest) -> QuerySet[Image]:
    """Return the photos that this visitor may see: all of them for staff, else what selfies have opened."""
    if is_staff(request.user):
        return Image.objects.all()
    return Image.objects.filter(_any_of(grants(request)))


def _any_of(opened: list[Grant]) -> Q:
    granted = Q(pk__in=[])
    for grant in opened:
        granted |= Q(pk__in=grant.open_images().values("pk"))
    return granted
