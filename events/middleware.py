"""What every page answers in the same words."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from django.conf import settings
from django.shortcuts import render

from events.errors import length_required
from events.limits import TooManyRequests

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse, HttpResponseBase

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")


class TooManyRequestsMiddleware:
    """Tells who asks too often when to try again; the API does so itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, TooManyRequests):
            return None
        minutes = -(-exception.wait // 60)
        response = render(request, "429.html", {"minutes": minutes}, status=HTTPStatus.TOO_MANY_REQUESTS)
        response["Retry-After"] = str(exception.wait)
        return response


class LengthRequiredMiddleware:
    """Refuses a body that comes in chunks, whose length nobody knows; Django would take it for an empty one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "Transfer-Encoding" in request.headers and not request.headers.get("Content-Length"):
            return length_required(request)
        return self._get_response(request)


class FormsInUtf8Middleware:
    """Reads every form as UTF-8, whatever its header says: with some encodings that Python has, none can be read."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.encoding and request.content_type in FORMS:
            request.encoding = settings.DEFAULT_CHARSET
        return self._get_response(request)
