"""An event's page, and the selfie that opens a gallery."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING

from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import HttpResponseRedirect, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from events import limits, tallies
from events.gate import manages
from events.views import for_visitors
from faces import audit_log, consent, search, telling
from faces.engine import EngineError
from faces.gallery import Grant
from faces.probe import POINT, Meant, NoMatch
from faces.reasons import REASONS
from faces.views.session import agree, remember
from faces.visitors import grant_of, welcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO, Any

    from django.http import HttpRequest, HttpResponse

    from events.models import Event
    from faces.models import Visitor
    from faces.search import Match

logger = logging.getLogger(__name__)

MISSING_FILE = NoMatch("missing_file", "There was no picture. Take a selfie or choose a photo first.")
NO_CONSENT = NoMatch("consent_required", "Tick the box first: without your consent the selfie is not looked at.")
TOO_MANY_FILES = NoMatch("too_many_files", f"Send at most {search.MOST_SELFIES} selfies of one person.")
TOO_MANY_REQUESTS = NoMatch("too_many_requests", "Too many selfies came from here. Wait a minute, and try again.")
TOO_LARGE = NoMatch("file_too_large", "The selfies are too large.")
TRUNCATED = NoMatch("truncated", "The selfie did not arrive as it was sent. Send it again.")
ENGINE_UNAVAILABLE = NoMatch("engine_unavailable", "Selfies cannot be compared just now. Try again later.")

STATUS = {"no_match": HTTPStatus.NOT_FOUND, "engine_unavailable": HTTPStatus.SERVICE_UNAVAILABLE}
"""Every other problem is a bad request."""


@require_safe
@for_visitors
def event_page(request: HttpRequest, event: Event) -> HttpResponse:
    """Show the event, and ask for a selfie."""
    return _page(request, event)


@csrf_exempt  # It is checked below, where a form that is too large to be read can be answered in words.
@sensitive_variables()
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
@for_visitors
def selfie(request: HttpRequest, event: Event) -> HttpResponse:
    """Compare up to three selfies (multipart `file`) with the event's faces; open the gallery, or say what is wrong.

    Answers JSON to who prefers that to a page. No error report shows what was sent, down to the engine's variables.
    """
    try:
        return _counted(request, event)
    except limits.TooManyRequests as error:
        response = _problem(request, event, TOO_MANY_REQUESTS, HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(error.wait)
        return response
    except RequestDataTooBig:
        return _problem(request, event, TOO_LARGE, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    except TooManyFilesSent:
        return _problem(request, event, TOO_MANY_FILES)
    except MultiPartParserError:
        return _problem(request, event, TRUNCATED)


def _counted(request: HttpRequest, event: Event) -> HttpResponse:
    if request.method == "POST":
        # Before what is sent is read.
        limits.spend("selfies", limits.who_visits(request))
    return _selfie(request, event)


@csrf_protect
def _selfie(request: HttpRequest, event: Event) -> HttpResponse:
    if request.method != "POST":
        # The address stays in the browser's bar after a selfie that found nothing.
        return redirect("event", event.slug)
    selfies = request.FILES.getlist("file")
    # Error reports list the files of a request by their names.
    request.FILES.clear()
    if problem := _refusal(request, selfies):
        return _problem(request, event, problem)
    agreed = agree(request, event)
    found = _found(request, event, selfies)
    if isinstance(found, NoMatch):
        return _problem(request, event, found)
    visitor = welcome(event, found, agreed)
    telling.matched(event, found, Grant.from_match(event, found))
    remember(request, visitor)
    return _gallery(request, visitor, found)


def _refusal(request: HttpRequest, selfies: Sequence[IO[bytes]]) -> NoMatch | None:
    """Return why the selfies are not even looked at."""
    if request.POST.get("consent") != consent.VERSION:
        return NO_CONSENT
    if not selfies:
        return MISSING_FILE
    return TOO_MANY_FILES if len(selfies) > search.MOST_SELFIES else None


def _found(request: HttpRequest, event: Event, selfies: Sequence[IO[bytes]]) -> Match | NoMatch:
    # A point that nobody can read is none: then the question which face is meant is asked again.
    points = [text for text in request.POST.getlist("meant") if re.match(POINT, text)]
    found: Match | NoMatch
    start = perf_counter()
    try:
        found = search.find(event, *selfies, meant=[Meant.parse(point) for point in points])
    except EngineError:
        logger.exception("A selfie could not be compared")
        found = ENGINE_UNAVAILABLE
    outcome = found.code if isinstance(found, NoMatch) else "matched"
    tallies.add("search", outcome, seconds=perf_counter() - start)
    audit_log.record(audit_log.Action.SEARCHED, event, request.user, detail=outcome)
    return found


def _gallery(request: HttpRequest, visitor: Visitor, found: Match) -> HttpResponse:
    """Lead to the gallery; tell a script how many photos are in it."""
    gallery = reverse("gallery", args=[visitor.event.slug])
    if not _wants_json(request):
        return HttpResponseRedirect(gallery, status=HTTPStatus.SEE_OTHER)
    grant = grant_of(visitor)
    counts = {"sure": grant.images().count(), "maybe": grant.maybe_images().count()}
    left_out = [_as_json(problem) for problem in found.left_out]
    return JsonResponse({"gallery": gallery, **counts, "left_out": left_out})


def _problem(request: HttpRequest, event: Event, problem: NoMatch, status: HTTPStatus | None = None) -> HttpResponse:
    status = status or STATUS.get(problem.code, HTTPStatus.BAD_REQUEST)
    if _wants_json(request):
        return JsonResponse(_as_json(problem), status=status)
    return _page(request, event, problem, status)


def _as_json(problem: NoMatch) -> dict[str, Any]:
    reason = REASONS[problem.code]
    return {
        "code": problem.code,
        "title": reason.title,
        "advice": reason.advice,
        "selfie": problem.selfie,
        "faces": problem.faces,
    }


def _wants_json(request: HttpRequest) -> bool:
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def _page(
    request: HttpRequest, event: Event, problem: NoMatch | None = None, status: HTTPStatus | None = None
) -> HttpResponse:
    """Answer with the event's page; `problem` says why a selfie found nothing."""
    context = {
        "event": event,
        "photo_count": event.images.count(),
        "problem": problem and _as_json(problem),
        "choices": sorted(face.middle(problem.selfie or 0) for face in problem.faces) if problem else [],
        "consent": consent,
        "manages": manages(request.user, event),
    }
    return render(request, "events/event.html", context, status=status)
