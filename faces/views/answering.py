"""“Is this you?”: a visitor's answers about the persons whom their selfie only may show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_POST, require_safe

from events.errors import storage_unavailable
from events.pictures import PictureError
from events.views import for_visitors
from faces import visitors
from faces.crops import crop
from faces.models import ImageFace
from faces.views.session import visitor_at

if TYPE_CHECKING:
    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

    from events.models import Event
    from faces.models import Visitor

ANSWERS = {"yes": True, "no": False}


@cache_control(private=True, no_store=True)
@require_POST
@for_visitors
def answer(request: HttpRequest, event: Event) -> HttpResponse:
    """Remember `is_me` (`yes` or `no`) of the person `asked`, or with `again` take all answers of a kind back.

    Leads back to the gallery. 404 where the visitor was not asked about this person.
    """
    visitor = visitor_at(request, event)
    if visitor is None:
        return redirect("gallery", event.slug)
    if "again" in request.POST:
        visitors.ask_again(visitor, is_me=_yes_or_no(request, "again"))
        messages.info(request, _("You are asked once more."))
    else:
        _answer(request, visitor)
    return redirect(reverse("gallery", args=[event.slug]) + "#maybe")


def _answer(request: HttpRequest, visitor: Visitor) -> None:
    is_me, asked = _yes_or_no(request, "is_me"), _witness(request)
    # Kept no answer: whoever was asked about has been hidden, forgotten or found to be the visitor meanwhile.
    if not visitors.answer(visitor, asked, is_me=is_me):
        raise Http404
    messages.info(request, _("These photos are yours now.") if is_me else _("Taken away: that is not you."))


def _witness(request: HttpRequest) -> int:
    try:
        # Fails for nonsense, and for more digits than Python makes a number of.
        return int(request.POST.get("asked", ""))
    except ValueError as error:
        raise Http404 from error


def _yes_or_no(request: HttpRequest, field: str) -> bool:
    said = ANSWERS.get(request.POST.get(field, ""))
    if said is None:
        raise Http404
    return said


@cache_control(private=True, max_age=3600)
@require_safe
@for_visitors
def asked_face(request: HttpRequest, event: Event, witness: int) -> HttpResponseBase:
    """Send the face that the visitor is asked about, cut out of its photo."""
    visitor = visitor_at(request, event)
    if visitor is None or witness not in visitors.standing(visitor).undecided:
        raise Http404
    face = get_object_or_404(ImageFace.objects.select_related("image"), pk=witness, face__hidden=False)
    try:
        return HttpResponse(crop(face), content_type="image/jpeg")
    except (FileNotFoundError, PictureError) as error:
        raise Http404 from error
    except OSError:
        return storage_unavailable()
