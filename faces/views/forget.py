"""“Forget me”: what belongs to a visitor goes at once, and on choice their faces in the photos."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods

from events.views import visible_event
from faces import privacy
from faces.gallery import images_of
from faces.views.session import consent_at, leave, visitor_ever_at

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

    from events.models import Event
    from faces.models import Consent, Visitor


@cache_control(private=True, no_store=True)
@require_http_methods(["GET", "HEAD", "POST"])
def forget(request: HttpRequest, slug: str) -> HttpResponse:
    """Say what is deleted and what stays, and ask; a POST does it, with `person` the faces, too, and says so.

    `person` says whom the page was about. Where these are others by now, since somebody else has taken a selfie on this
    device, nothing is deleted, and the page asks anew (409).
    """
    event = visible_event(request, slug)
    visitor, agreed = visitor_ever_at(request, event), consent_at(request, event)
    if visitor is None and agreed is None:
        return render(request, "faces/forgotten.html", {"event": event})
    photos, person = _shown(visitor)
    may_erase = photos > 0 and _has_shown_face(visitor, agreed)
    chosen = request.POST.get("person")
    is_outdated = may_erase and chosen not in (None, person)
    if request.method != "POST" or is_outdated:
        context = {"event": event, "visitor": visitor, "photos": photos, "person": may_erase and person}
        status = HTTPStatus.CONFLICT if is_outdated else HTTPStatus.OK
        return render(request, "faces/forget.html", context | {"is_outdated": is_outdated}, status=status)
    forgotten = privacy.forget(event, visitor, agreed, person=may_erase and chosen is not None)
    return _forgotten(request, event, forgotten)


def _shown(visitor: Visitor | None) -> tuple[int, str]:
    """Return in how many photos the persons are whom the visitor may erase, and who they are."""
    if visitor is None or not visitor.is_present:
        return 0, ""
    persons = privacy.sure_persons(visitor)
    names = persons.order_by("pk").values_list("pk", flat=True)
    return images_of(persons).count(), "-".join(str(name) for name in names)


def _has_shown_face(visitor: Visitor | None, agreed: Consent | None) -> bool:
    """Tell whether the selfie was taken in this session: a personal link, which may have been passed on, is no face."""
    return visitor is not None and agreed is not None and visitor.consent_id == agreed.pk


def _forgotten(request: HttpRequest, event: Event, forgotten: privacy.Forgotten) -> HttpResponse:
    leave(request, event)
    context = {"event": event, "forgotten": forgotten, "at": timezone.now()}
    response = render(request, "faces/forgotten.html", context)
    # The photos that were shown are still in the browser's cache.
    response["Clear-Site-Data"] = '"cache"'
    return response
