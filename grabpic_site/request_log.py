"""A number and a line in the log for every request."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from django.contrib.auth import SESSION_KEY as ACCOUNT

from events import request_ids
from events.access import is_staff
from events.models import ApiKey
from faces.gallery import Grant
from faces.views.session import SESSION_KEY as VISITORS
from grabpic_site.logs import route_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

logger = logging.getLogger("access")


class RequestLogMiddleware:
    """Numbers the request, and says what it was, without a word that leads to a person: no path, query, or address.

    The time is that until the answer begins.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        number = request_ids.begin()
        start = time.monotonic()
        response = self._get_response(request)
        response["X-Request-Id"] = number
        _write_line(request, response, round(1000 * (time.monotonic() - start)))
        return response


def _write_line(request: HttpRequest, response: HttpResponseBase, milliseconds: int) -> None:
    line = {
        "method": request.method if request.method in METHODS else "?",
        "route": route_of(request),
        "status": response.status_code,
        "ms": milliseconds,
        "actor": actor_of(request, response),
    }
    logger.info("%(method)s %(route)s %(status)s %(ms)s ms, %(actor)s", line, extra=line)


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
"""A method is a word of the client's, too: what is none of these is not written down."""


def actor_of(request: HttpRequest, response: HttpResponseBase) -> str:
    """Return what kind of actor asked, by what the request has found out already; asks the database nothing new."""
    auth = getattr(request, "auth", None)
    if isinstance(auth, ApiKey):
        return f"key {auth.prefix}"
    if isinstance(auth, Grant):
        return "visitor"
    if response.status_code >= 500:
        # What failed may have been the look at the session, and would fail again.
        return "unknown"
    return _actor_of_session(request)


def _actor_of_session(request: HttpRequest) -> str:
    session = getattr(request, "session", None)
    if session is None or not session.accessed:
        return "anonymous"
    if session.get(ACCOUNT):
        return "staff" if is_staff(request.user) else "member"
    return "visitor" if session.get(VISITORS) else "anonymous"
