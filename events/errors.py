"""The one shape of the API's errors: {"detail": a sentence, "code": a stable word}; that of a bug has an "id", too."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.http import HttpResponse, HttpResponseServerError, JsonResponse, UnreadablePostError
from django.template import loader
from django.views import csrf, defaults
from rest_framework import status
from rest_framework.exceptions import APIException, ParseError, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from events import request_ids
from events.authentication import NOT_FROM_HERE

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase

    from events.schema import Problem


class Refusal(APIException):
    """A request that cannot be served as it is; the sentence says what to do."""

    def __init__(self, code: str, reason: str, status_code: int = status.HTTP_400_BAD_REQUEST) -> None:
        super().__init__(reason, code)
        self.status_code = status_code

    @classmethod
    def of(cls, problem: Problem) -> Self:
        """Return the refusal with the very words that the OpenAPI document has."""
        return cls(problem.code, problem.detail, problem.status)


def handle_api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer Django's and the framework's exceptions in our shape; others are bugs, and stay exceptions."""
    if isinstance(error, UnreadablePostError):
        # The client went away in the middle of it, and will not read this.
        error = ParseError("The request broke off.")
    response = exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, ValidationError):
        response.data = {"detail": first_problem(error.detail), "code": "bad_request"}
    else:
        detail = response.data["detail"]
        response.data = {"detail": str(detail), "code": CODES.get(detail.code, detail.code)}
    return response


CODES = {"throttled": "too_many_requests"}
"""Ours for the framework's."""


def first_problem(errors: Any, field: str = "") -> str:
    """Return the first message of the framework's nested errors, after the name of its field."""
    if isinstance(errors, Mapping):
        name, errors = next(iter(errors.items()))
        # What is wrong with the body as a whole, and the places in a list, have no name.
        return first_problem(errors, field if name == "non_field_errors" or isinstance(name, int) else str(name))
    return f"`{field}`: {errors[0]}" if field else str(errors[0])


def is_for_programs(request: HttpRequest) -> bool:
    """Tell whether an address is one of the API's, also where there is nothing."""
    return request.path == "/api" or request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django itself refused: too large, too many files, malformed, for another host."""
    status_code, code, detail = _refused(exception)
    if is_for_programs(request):
        return _as_json(status_code, code, detail)
    response = defaults.bad_request(request, exception)
    response.status_code = status_code
    return response


def _refused(exception: Exception) -> tuple[HTTPStatus, str, str]:
    """Return status, code and sentence of a request that Django refused."""
    match exception:
        case RequestDataTooBig():
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file_too_large", str(exception)
        case TooManyFilesSent():
            detail = f"Send at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files at once."
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_files", detail
        case TooManyFieldsSent():
            detail = f"Send at most {settings.DATA_UPLOAD_MAX_NUMBER_FIELDS} fields at once."
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_fields", detail
        case DisallowedHost():
            return HTTPStatus.BAD_REQUEST, "unknown_host", "This site is not reached by this name."
    return HTTPStatus.BAD_REQUEST, "bad_request", "The request is malformed."


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer who may not do this."""
    if is_for_programs(request):
        return _as_json(HTTPStatus.FORBIDDEN, "permission_denied", "You may not do this.")
    return defaults.permission_denied(request, exception)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Answer a form, or a script, that does not prove to come from a page of ours."""
    if is_for_programs(request):
        return _as_json(HTTPStatus.FORBIDDEN, "csrf_failed", NOT_FROM_HERE)
    return csrf.csrf_failure(request, reason)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that does not exist: in our shape under /api/, else with the site's page."""
    if is_for_programs(request):
        return _as_json(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address; see /docs.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer a bug with the number under which its traceback is in the log; asks the database nothing."""
    number = request_ids.current()
    if is_for_programs(request):
        reason = "Something went wrong here. Try again later; if it stays, tell us the id."
        content = {"detail": reason, "code": "server_error", "id": number}
        return JsonResponse(content, status=HTTPStatus.INTERNAL_SERVER_ERROR)
    # Without the request: who is logged in would have to be looked up.
    page = loader.render_to_string("500.html", {"number": number})
    return HttpResponseServerError(page)


def length_required(request: HttpRequest) -> HttpResponseBase:
    """Answer a body that comes in pieces: how large it will be must be known before it is read."""
    reason = "Say in the header Content-Length how long the body is; do not send it in chunks."
    if is_for_programs(request):
        return _as_json(HTTPStatus.LENGTH_REQUIRED, "length_required", reason)
    return HttpResponse(reason, "text/plain", HTTPStatus.LENGTH_REQUIRED)


def storage_unavailable() -> HttpResponseBase:
    """Answer that the storage failed; why is in the log."""
    reason = "The storage of the photos fails just now. Try again later."
    return _as_json(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", reason)


def _as_json(status_code: HTTPStatus, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status_code)
