"""The one shape of the API's errors: {"detail": a sentence, "code": a stable word}."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.response import Response
from rest_framework.views import exception_handler


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
