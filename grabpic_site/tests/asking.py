"""Asks the site in an actor's name, and says in a few words what came of it; nothing of it stays."""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.http import SimpleCookie
from django.test import Client

from grabpic_site.tests.world import CODE, ELSEWHERE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from grabpic_site.tests.actors import Cast, Pass
    from grabpic_site.tests.world import Place

WRITES = re.compile(r'^\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)', re.IGNORECASE)
COUNT_JOBS = "SELECT count(*) FROM procrastinate_jobs"
NOTES = {"django_session", "faces_auditentry", "events_allowance", "events_tally"}
"""Tables that only say that somebody asked, also where it was refused."""

LAST_USE = re.compile(r'^UPDATE "(?:events_apikey" SET "last_used_at|auth_user" SET "last_login)')


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; texts may name what a place knows, in braces."""

    method: str
    address: str
    form: Mapping[str, Any] | None = None
    json: Any = None

    def fields(self, place: Place) -> dict[str, Any]:
        """Return what the test client needs to send it."""
        if self.json is not None:
            return {"data": filled(self.json, place), "content_type": "application/json"}
        return {"data": filled(self.form or {}, place)} if self.method == "POST" else {}


def filled(value: Any, place: Place) -> Any:
    """Put the numbers of a place into every text; bytes become a new file."""
    match value:
        case str():
            return place.fill(value)
        case bytes():
            return SimpleUploadedFile("photo.png", value, "image/png")
        case list():
            return [filled(each, place) for each in value]
        case dict():
            return {key: filled(each, place) for key, each in value.items()}
    return value


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `wrote` are the tables that were written to, but for notes."""

    status: int
    headers: Mapping[str, str]
    content: bytes
    asked: bytes
    wrote: frozenset[str]

    @property
    def is_text(self) -> bool:
        kind = self.headers.get("Content-Type", "")
        return not kind or kind.startswith("text/") or "json" in kind

    def shows(self, mark: bytes) -> bool:
        """Tell whether something is said that the request did not say itself."""
        return mark not in self.asked and mark in self.content


def outcome(answer: Answer, cast: Cast, mode: str) -> str:
    """Return the answer as the table writes it: the status, whom it shows, and what else there is to say."""
    return " ".join([str(answer.status), *_words(answer, cast, mode)])


def _words(answer: Answer, cast: Cast, mode: str) -> Iterator[str]:
    for other, place in cast.places.items():
        shown = list(place.shown_by(answer))
        yield from shown if other in {mode, ELSEWHERE} else ["others"] * bool(shown)
    named = answer.shows(cast.places["draft"].event.name.encode())
    if named and (mode != "draft" or answer.status >= 300):
        yield "draft"
    if answer.wrote:
        yield "changed"
    place = cast.places[mode]
    gate, link = f'action="/events/{place.event.slug}/code/"', str(place.names["visitor"].key)
    marks = {"code": CODE.encode(), "gate": gate.encode(), "link": link.encode()}
    yield from (word for word, mark in marks.items() if answer.shows(mark))
    if answer.headers.get("Location", "").startswith("/admin/login/"):
        yield "login"


class QuickClient(Client):
    """Gives the answer alone: without the templates and their variables, which are costly to remember."""

    def request(self, **request: Any) -> Any:
        return self.handler(self._base_environ(**request))  # type: ignore[attr-defined]


class Stage:
    """Where the cast asks."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self._clients = {csrf: QuickClient(enforce_csrf_checks=csrf) for csrf in (False, True)}
        self._jobs = _count_jobs()

    def ask(self, request: Request, shown: Pass, mode: str, *, csrf: bool = False) -> Answer:
        """Ask in the event of this mode, and undo what it changed."""
        place, client = self.cast.places[mode], self._clients[csrf]
        client.cookies = SimpleCookie(dict(shown.cookies))
        headers = {"Authorization": shown.headers[mode]} if mode in shown.headers else {}
        fields, wrote = request.fields(place), set[str]()
        with undone():
            with connection.execute_wrapper(_noting(wrote)):
                send = getattr(client, request.method.lower())
                response = send(place.fill(request.address), headers=headers, **fields)
                content = b"".join(response.streaming_content) if response.streaming else response.content
            # The queue does not write by Django.
            if request.method != "GET" and _count_jobs() != self._jobs:
                wrote.add("procrastinate_jobs")
        asked = f"{place.fill(request.address)} {filled(request.json, place)} {filled(request.form, place)}"
        return Answer(response.status_code, response.headers, content, asked.encode(), frozenset(wrote))


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever is written inside."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _noting(tables: set[str]) -> Callable[..., Any]:
    """Return a wrapper of all SQL that adds the names of the tables that are written to."""

    def note(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        found = WRITES.match(sql)
        if found and context["cursor"].rowcount and not LAST_USE.match(sql):
            tables.update({found[1]} - NOTES)
        return result

    return note


def _count_jobs() -> int:
    with connection.cursor() as cursor:
        cursor.execute(COUNT_JOBS)
        count: int = cursor.fetchone()[0]
    return count
