"""Pages: the events, the way into one, and for staff the upload of photos and the poster."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

import segno
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import mark_safe
from django.views.decorators.http import require_http_methods, require_safe

from events import gate, ingest
from events.access import is_staff
from events.models import Event, Image
from events.serving import serve
from events.uploads import FIELD, strays

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase

Arguments = ParamSpec("Arguments")

SAFE = {"GET", "HEAD"}


def staff_only(
    view: Callable[Concatenate[HttpRequest, Arguments], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Arguments], HttpResponse]:
    """Let staff in; send anonymous visitors to log in, and refuse everybody else (403)."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: Arguments.args, **kwargs: Arguments.kwargs) -> HttpResponse:
        if not is_staff(request.user):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return login_required(guarded)


def visible_event(request: HttpRequest, slug: str) -> Event:
    """Return the event, or 404 where this visitor may not know of it."""
    return get_object_or_404(Event.objects.visible_to(request.user), slug=slug)


def managed_event(request: HttpRequest, slug: str) -> Event:
    """Return the event, or 404 where this member of staff does not manage it."""
    return get_object_or_404(Event.objects.managed_by(request.user), slug=slug)


def for_visitors(
    view: Callable[Concatenate[HttpRequest, Event, ...], HttpResponseBase],
) -> Callable[..., HttpResponseBase]:
    """Give a page its event, once whoever asks may enter; before, show why not, and ask for the code.

    An address with the right `?code=…` opens the event and leads to the address without it. 404 where the visitor may
    not know of the event.
    """

    @wraps(view)
    def guarded(request: HttpRequest, slug: str, **arguments: Any) -> HttpResponseBase:
        event = visible_event(request, slug)
        if gate.admit(request, event, request.GET.get("code", "")):
            entered = redirect(request.path)
            add_never_cache_headers(entered)
            return entered
        if gate.may_enter(request, event):
            return view(request, event, **arguments)
        return _refused(request, event)

    return guarded


def _refused(request: HttpRequest, event: Event) -> HttpResponse:
    code, template = ("code_required", "code") if event.is_published else ("event_not_open", "closed")
    status = HTTPStatus.OK if request.method in SAFE else HTTPStatus.FORBIDDEN
    context = {"event": event, "wrong": "code" in request.GET, "next": request.path if request.method in SAFE else ""}
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        response: HttpResponse = JsonResponse({"code": code}, status=HTTPStatus.FORBIDDEN)
    else:
        response = render(request, f"events/{template}.html", context, status=status)
    # What is refused now is there once the code is known or the time has come, also where the page itself may be kept.
    add_never_cache_headers(response)
    return response


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the events that this visitor may know of, the newest first; what is over is for its staff alone."""
    counted = Image.objects.filter(event=OuterRef("pk")).order_by().values("event").annotate(count=Count("*"))
    # Not by a join: that would read every row of every photo.
    photo_count = Coalesce(Subquery(counted.values("count")), 0)
    events = Event.objects.listed_for(request.user).annotate(photo_count=photo_count)
    return render(request, "events/index.html", {"events": events})


@require_http_methods(["GET", "HEAD", "POST"])
def code_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Take the code of an event (form field `code`), and lead to the page that asked for it (`next`), or to its own."""
    event = visible_event(request, slug)
    wanted = request.POST.get("next", "")
    leads_on = redirect(wanted if _is_of(event, wanted) else reverse("event", args=[slug]))
    if request.method != "POST" or gate.may_enter(request, event):
        return leads_on
    if not event.is_published:
        return _refused(request, event)
    if gate.admit(request, event, request.POST.get("code", "")):
        return leads_on
    context = {"event": event, "wrong": True, "next": wanted}
    return render(request, "events/code.html", context, status=HTTPStatus.FORBIDDEN)


def _is_of(event: Event, address: str) -> bool:
    return address.startswith(reverse("event", args=[event.slug])) and url_has_allowed_host_and_scheme(address, None)


@require_safe
def cover(request: HttpRequest, slug: str) -> HttpResponseBase:
    """Send the photo that stands for the event; 404 outside its window. No code is needed."""
    event = visible_event(request, slug)
    to_visitor = not gate.manages(request.user, event)
    if event.cover is None or (to_visitor and not event.is_published):
        raise Http404
    return serve(request, event.cover, Image.Rendition.PREVIEW, to_visitor=to_visitor)


@staff_only
@require_safe
def poster(request: HttpRequest, slug: str) -> HttpResponse:
    """Show a sheet of A4 to print, with the way to the event's page as a QR code."""
    event = managed_event(request, slug)
    address = request.build_absolute_uri(reverse("event", args=[slug]))
    # Level M: a drop of rain does not hurt. Drawn without a size of its own, so that the sheet decides.
    code = segno.make(address, error="m", micro=False)
    drawn = mark_safe(code.svg_inline(border=0, omitsize=True, svgclass="qr", lineclass=None))  # noqa: S308  # no text in it
    return render(request, "events/poster.html", {"event": event, "address": address, "code": drawn})


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def upload_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what has arrived; take the files of a plain form (with scripts, they go to the API instead)."""
    event = managed_event(request, slug)
    files = request.FILES.getlist(FIELD)
    # Taking the same files twice changes nothing, so the answer may be reloaded, and needs no redirect.
    outcomes = ingest.add_all(event, [(file, file.name or "photo") for file in files])
    context = _uploaded([file.name for file in files], outcomes)
    context["refused"] += strays(request.FILES)
    context |= {
        "event": event,
        "max_mb": settings.MAX_UPLOAD_MB,
        "nothing_sent": request.method == "POST" and not request.FILES,
    }
    status = HTTPStatus.SERVICE_UNAVAILABLE if ingest.nothing_stored(outcomes) else HTTPStatus.OK
    return render(request, "events/upload.html", context, status=status)


def _uploaded(names: Sequence[str | None], outcomes: Sequence[ingest.Outcome]) -> dict[str, Any]:
    """Return what became of the files of this request; duplicates by the names that they came under."""
    known = [name for name, outcome in zip(names, outcomes, strict=True) if isinstance(outcome, ingest.Duplicate)]
    return {
        "added": [outcome for outcome in outcomes if isinstance(outcome, ingest.Added)],
        "duplicates": known,
        "refused": [outcome for outcome in outcomes if isinstance(outcome, ingest.Refused)],
    }
