"""The one shape of the API's errors: {"detail": a sentence, "code": a stable word}."""

from __future__ import annotations

from typing import Any

from rest_framework import status
from rest_framework.exceptions import APIException, ValidationError
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
    if response is None:
        return None
    detail = getattr(error, "detail", None)
    if isinstance(error, ValidationError):
        response.data = _first_problem(error)
    else:
        response.data = {
            "detail": str(detail or response.data["detail"]),
            "code": getattr(
                detail, "code", "not_found" if response.status_code == status.HTTP_404_NOT_FOUND else "error"
            ),
        }
    return response


def _first_problem(error: ValidationError) -> dict[str, Any]:
    """Return the first field's first problem; forms here are small, and one sentence at a time is enough."""
    field, problems = next(iter(error.detail.items()))
    problem = problems[0]
    return {"detail": f"{field}: {problem}", "code": problem.code}
