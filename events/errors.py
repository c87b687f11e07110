"""The one shape of the API's errors: {"detail": a sentence, "code": a stable word}."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFilesSent
from django.http import JsonResponse
from django.views import defaults
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase


class Refusal(APIException):
    """A request that cannot be served as it is; the sentence says what to do."""

    def __init__(self, code: str, reason: str, status_code: int = status.HTTP_400_BAD_REQUEST) -> None:
        super().__init__(reason, code)
        self.status_code = status_code


def handle_api_exception(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer Django's and the framework's exceptions in our shape; others are bugs, and stay exceptions."""
    response = exception_handler(error, context)
    if response is not None:
        detail = response.data["detail"]
        response.data = {"detail": str(detail), "code": detail.code}
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer a request that Django itself refused: too large, too many files, malformed."""
    if isinstance(exception, RequestDataTooBig):
        status_code, code, detail = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "file_too_large", str(exception)
    elif isinstance(exception, TooManyFilesSent):
        detail = f"Send at most {settings.DATA_UPLOAD_MAX_NUMBER_FILES} files at once."
        status_code, code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_many_files"
    else:
        status_code, code, detail = HTTPStatus.BAD_REQUEST, "bad_request", "The request is malformed."
    if request.path.startswith("/api/"):
        return _as_json(status_code, code, detail)
    response = defaults.bad_request(request, exception)
    response.status_code = status_code
    return response


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Answer an address that does not exist: in our shape under /api/, else with the site's page."""
    if request.path.startswith("/api/"):
        return _as_json(HTTPStatus.NOT_FOUND, "not_found", "There is nothing at this address; see /docs.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponseBase:
    """Answer a bug; its traceback is in the log."""
    if request.path.startswith("/api/"):
        return _as_json(HTTPStatus.INTERNAL_SERVER_ERROR, "server_error", "Something went wrong here. Try again later.")
    return defaults.server_error(request)


def storage_unavailable() -> HttpResponseBase:
    """Answer that the storage failed; why is in the log."""
    reason = "The storage of the photos fails just now. Try again later."
    return _as_json(HTTPStatus.SERVICE_UNAVAILABLE, "storage_unavailable", reason)


def _as_json(status_code: HTTPStatus, code: str, detail: str) -> JsonResponse:
    return JsonResponse({"detail": detail, "code": code}, status=status_code)
