"""The review queues: one question after the other about the persons of an event, answered with one key each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import get_object_or_404
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from events.models import Event
from events.own import staff_user
from faces import audit_log, corrections
from faces.admin.queues import LATER, QUEUES, Answer
from faces.models import Decision

if TYPE_CHECKING:
    from django.http import HttpRequest

    from faces.admin.queues import Queue

KEY = re.compile(r"\d{1,18}(-\d{1,18})?")
NUMBER = re.compile(r"\d{1,18}")

MOST_CARDS = 12
"""So many questions are fetched ahead at a time."""


@dataclass(slots=True)
class Pile:
    """What is left of a queue in this session: the keys to come, those put off, and the last answer, for its undo."""

    keys: list[str]
    later: list[str]
    last: dict[str, Any] | None = None

    def take(self, key: str) -> None:
        """Let this question not come again until the queue is looked for anew."""
        self.keys = [other for other in self.keys if other != key]

    def put_off(self, key: str) -> None:
        self.later = [*(other for other in self.later if other != key), key]

    def bring_back(self, key: str) -> None:
        self.take(key)
        self.keys.insert(0, key)
        self.later = [other for other in self.later if other != key]


class Review:
    """One request to the page of a queue."""

    def __init__(self, request: HttpRequest, queue: Queue, event: Event) -> None:
        self.request, self.queue, self.event = request, queue, event
        self._place = f"review-{queue.name}-{event.pk}"
        self.pile = Pile(**request.session.get(self._place, {"keys": [], "later": []}))

    def keep(self) -> None:
        pile = self.pile
        self.request.session[self._place] = {"keys": pile.keys, "later": pile.later, "last": pile.last}

    def fill(self) -> None:
        """Look for questions anew; those that were put off come last."""
        places = {key: place for place, key in enumerate(self.pile.later)}
        self.pile.keys = sorted(self.queue.keys(self.event), key=lambda key: places.get(key, -1))
        self.pile.later = [key for key in self.pile.later if key in set(self.pile.keys)]
        self.keep()

    def first_card(self) -> dict[str, Any] | None:
        """Return the first question that still is one, and forget those before it."""
        while self.pile.keys:
            cards = self.queue.cards(self.event, self.pile.keys[:1])
            if cards:
                return cards[0]
            self.pile.keys.pop(0)
            self.keep()
        return None

    def answer(self, answer: Answer) -> dict[str, Any]:
        """Do what was answered, and return what became of it, for the script.

        Raises:
            CorrectionError: it cannot be done; the question is not asked again for now.
        """
        self.pile.take(answer.key)
        self.pile.last = None
        try:
            if answer.answer == LATER:
                self.pile.put_off(answer.key)
                said, decision = "Put off.", None
            else:
                decision = self.queue.decide(self.event, answer, staff_user(self.request))
                said = decision.summary
            self.pile.last = {"key": answer.key, "decision": decision.pk if decision else None, "said": said}
            return self.pile.last
        finally:
            self.keep()

    def undo(self, key: str, decision: Decision | None) -> dict[str, Any]:
        """Take the answer to this question back, and ask it next."""
        if decision:
            corrections.undo(decision, staff_user(self.request))
        self.pile.bring_back(key)
        self.pile.last = None
        self.keep()
        return {"key": key, "decision": None, "said": f"Undone: {decision.summary if decision else 'put off.'}"}


@require_http_methods(["GET", "HEAD", "POST"])
def review(request: HttpRequest, queue: Queue) -> HttpResponse:
    """Show the first question of an event (`event`: primary key or slug; without, a choice), or take an answer.

    `cards` (keys, with commas between them) gives these questions only; `go` goes on with those found before.
    """
    if not request.user.has_perm("faces.view_face"):
        raise PermissionDenied
    if not request.GET.get("event"):
        return _choice(request, queue)
    page = Review(request, queue, _event(request, request.GET["event"]))
    if request.method == "POST":
        return _take(page)
    return _cards(page) if "cards" in request.GET else _page(page)


def may_decide(request: HttpRequest) -> bool:
    """Tell whether this user may correct who is who."""
    return request.user.has_perm("faces.change_face")


def _event(request: HttpRequest, named: str) -> Event:
    own = Event.objects.managed_by(request.user)
    # A slug may be a number, too.
    by_slug = own.filter(slug=named.replace("\0", "")).first()
    return by_slug or get_object_or_404(own, pk=named if NUMBER.fullmatch(named) else None)


def _address(queue: Queue, event: Event | None = None, *, go: bool = False) -> str:
    query = urlencode(({"event": event.slug} if event else {}) | ({"go": 1} if go else {}))
    return f"{reverse(f'admin:faces_review_{queue.name}')}?{query}".rstrip("?")


def _context(request: HttpRequest, queue: Queue, event: Event | None) -> dict[str, Any]:
    title = f"{queue.title}: {event}" if event else queue.title
    queues = [{"title": other.title, "address": _address(other, event), "is_here": other is queue} for other in QUEUES]
    return {
        **admin.site.each_context(request),
        "title": title,
        "queue": queue,
        "queues": queues,
        "event": event,
        "may_decide": may_decide(request),
    }


def _choice(request: HttpRequest, queue: Queue) -> HttpResponse:
    """Ask which event is meant."""
    if request.method == "POST":
        raise BadRequest("No event was named.")
    events = [(event, _address(queue, event)) for event in Event.objects.managed_by(request.user)]
    context = {**_context(request, queue, None), "events": events}
    return TemplateResponse(request, "admin/faces/review_events.html", context)


def _page(page: Review) -> HttpResponse:
    audit_log.record(audit_log.Action.LOOKED, page.event, staff_user(page.request), detail=page.queue.title)
    if "go" not in page.request.GET:
        page.fill()
    card = page.first_card()
    context = {
        **_context(page.request, page.queue, page.event),
        "card": card,
        "keys": page.pile.keys,
        "last": page.pile.last,
        "action": _address(page.queue, page.event),
    }
    return TemplateResponse(page.request, "admin/faces/review.html", context)


def _cards(page: Review) -> HttpResponse:
    keys = [_key(key) for key in page.request.GET["cards"].split(",")[:MOST_CARDS]]
    shared = {"action": _address(page.queue, page.event), "may_decide": may_decide(page.request)}
    cards = page.queue.cards(page.event, keys)
    return HttpResponse(
        "".join(render_to_string(page.queue.card, {**shared, "card": card}, page.request) for card in cards)
    )


def _take(page: Review) -> HttpResponse:
    if not may_decide(page.request):
        raise PermissionDenied
    try:
        done = _undo(page) if "undo" in page.request.POST else page.answer(_answer(page))
    except corrections.CorrectionError as error:
        return _told(page, {"code": error.code, "detail": error.sentence}, HTTPStatus.CONFLICT)
    return _told(page, done, HTTPStatus.OK)


def _undo(page: Review) -> dict[str, Any]:
    decision = page.request.POST["undo"]
    if decision and not NUMBER.fullmatch(decision):
        raise Http404
    found = get_object_or_404(Decision, pk=decision, event=page.event) if decision else None
    return page.undo(_key(page.request.POST.get("key", "")), found)


def _answer(page: Review) -> Answer:
    data = page.request.POST
    answer, faces = data.get("answer", ""), data.getlist("faces")
    if answer not in {*page.queue.answers, LATER} or not all(NUMBER.fullmatch(face) for face in faces):
        raise BadRequest("This is no answer to the question.")
    return Answer(_key(data.get("key", "")), answer, tuple({int(face) for face in faces}))


def _key(text: str) -> str:
    if not KEY.fullmatch(text):
        raise BadRequest("This is not the key of a question.")
    return text


def _told(page: Review, done: dict[str, Any], status: HTTPStatus) -> HttpResponse:
    """Answer the script, or send the plain form's user to the next question."""
    if "application/json" in page.request.headers.get("Accept", ""):
        return JsonResponse(done, status=status)
    if status != HTTPStatus.OK:
        messages.error(page.request, done["detail"])
    return HttpResponseRedirect(_address(page.queue, page.event, go=True))
