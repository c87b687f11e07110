"""Pages: the events, and for staff the upload of photos."""

from __future__ import annotations

from functools import wraps
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from events import ingest
from events.access import is_staff
from events.models import Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from django.http import HttpRequest, HttpResponse

Arguments = ParamSpec("Arguments")


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


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """List the events that this visitor may know of, the newest first."""
    events = Event.objects.visible_to(request.user).annotate(photo_count=Count("images"))
    # Django drops the model's own ordering where it groups.
    events = events.order_by("-date", "-pk")
    return render(request, "events/index.html", {"events": events})


@staff_only
@require_http_methods(["GET", "HEAD", "POST"])
def upload_page(request: HttpRequest, slug: str) -> HttpResponse:
    """Show what has arrived; take the files of a plain form (with scripts, they go to the API instead)."""
    event = managed_event(request, slug)
    files = request.FILES.getlist("files")
    # Taking the same files twice changes nothing, so the answer may be reloaded, and needs no redirect.
    outcomes = ingest.add_all(event, [(file, file.name or "photo") for file in files])
    context = _uploaded([file.name for file in files], outcomes)
    context |= {
        "event": event,
        "max_mb": settings.MAX_UPLOAD_MB,
        "nothing_sent": request.method == "POST" and not files,
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
