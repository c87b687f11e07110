"""The OpenAPI document: every operation with every error it may answer, each with the code that says why."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema_field
from rest_framework import serializers

from events.authentication import NOT_FROM_HERE

if TYPE_CHECKING:
    from collections.abc import Iterator


class ErrorSerializer(serializers.Serializer[Any]):
    """What every error looks like."""

    detail = serializers.CharField(help_text="A sentence that says what to do.")
    code = serializers.CharField(help_text="Stable, for programs.")


@extend_schema_field(OpenApiTypes.BINARY)
class BinaryField(serializers.FileField):
    """A file that is sent; the framework's own field stands for an address in the document."""


class Problem(NamedTuple):
    """An error that an operation may answer: `detail` is an example, `code` is stable."""

    status: int
    code: str
    detail: str

    def example(self) -> OpenApiExample:
        value = {"detail": self.detail, "code": self.code}
        return OpenApiExample(self.code, value, response_only=True, status_codes=[str(self.status)])


UNKNOWN_EVENT = Problem(404, "unknown_event", "There is no event 'spring-run'.")
EVENT_NOT_OPEN = Problem(403, "event_not_open", "This event is not open now.")
STORAGE_UNAVAILABLE = Problem(503, "storage_unavailable", "The storage of the photos fails just now. Try again later.")

ALWAYS = (
    Problem(400, "bad_request", "`limit`: A valid integer is required."),
    Problem(405, "method_not_allowed", 'Method "PUT" not allowed.'),
    Problem(406, "not_acceptable", "Could not satisfy the request Accept header."),
    Problem(429, "too_many_requests", "Too many requests. Try again in 20 seconds."),
)
KNOWN_CLIENTS = (
    Problem(401, "not_authenticated", "Authentication credentials were not provided."),
    Problem(401, "invalid_api_key", "This API key is unknown, expired or revoked."),
    Problem(403, "permission_denied", "You do not have permission to perform this action."),
    Problem(403, "missing_scope", "This API key lacks the scope “manage”. Use another, or change it in admin."),
    Problem(403, "csrf_failed", NOT_FROM_HERE),
)
PLACES = (Problem(404, "not_found", "There is nothing at this address; see /docs."),)
BODIES = (
    Problem(400, "parse_error", "JSON parse error - Expecting value: line 1 column 1 (char 0)"),
    Problem(411, "length_required", "Say in the header Content-Length how long the body is; do not send it in chunks."),
    Problem(413, "file_too_large", "Send at most 20 MB."),
    Problem(415, "unsupported_media_type", 'Unsupported media type "text/plain" in request.'),
)

IDEMPOTENT = (
    Problem(400, "bad_idempotency_key", "`Idempotency-Key` takes 1 to 255 printable ASCII characters."),
    Problem(409, "request_in_progress", "The first request with this key is under way. Try again in a moment."),
    Problem(422, "idempotency_key_reused", "This `Idempotency-Key` was used for another request. Take a new one."),
)
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "pattern": "^[ -~]{1,255}$"},
    OpenApiParameter.HEADER,
    description="The same request with the same key is done once: within a day it gets the first one's answer.",
)

_DESCRIPTIONS = {
    400: "The request cannot be used as it is.",
    401: "Nobody knows who asks.",
    403: "Whoever asks may not do this.",
    404: "There is no such thing, or not for whoever asks.",
    405: "The method is not there; `Allow` lists those that are.",
    406: "There is only JSON.",
    409: "Something else is in the way.",
    412: "It has changed since it was read.",
    411: "Nobody knows how long the body is.",
    413: "The body is too large.",
    415: "The body is of another kind than is taken here.",
    422: "The request contradicts an earlier one.",
    429: "Too many requests; `Retry-After` says in how many seconds to try again.",
    500: "A bug of ours. The log has its traceback under the `id`.",
    503: "Something that is needed does not work just now.",
}
_ERROR = {"$ref": "#/components/schemas/Error"}
_SERVER_ERROR = {
    "type": "object",
    "properties": {"detail": {"type": "string"}, "code": {"type": "string"}, "id": {"type": "string"}},
    "required": ["detail", "code", "id"],
}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer", "minimum": 1}, "description": "Seconds."}}


class Schema(AutoSchema):
    """Describes an operation; knows what its action was decorated with."""

    def get_override_parameters(self) -> list[Any]:
        action = getattr(self.view, getattr(self.view, "action", ""), None)
        return [IDEMPOTENCY_KEY] if getattr(action, "idempotent", False) else []


def errors(*problems: Problem, like: type[serializers.Serializer[Any]] = ErrorSerializer) -> dict[int, OpenApiResponse]:
    """Return the responses of an operation's own problems; those that every operation has are added to the document."""
    by_status: defaultdict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        by_status[problem.status].append(problem)
    return {
        status: OpenApiResponse(like, _DESCRIPTIONS[status], examples=[problem.example() for problem in found])
        for status, found in by_status.items()
    }


def add_errors(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add to each operation of a document what it may answer like all its kind (a hook of drf-spectacular)."""
    for path, operations in result["paths"].items():
        for operation in operations.values():
            for problem in _of_its_kind(path, operation):
                _add(operation["responses"], problem)
            operation["responses"]["500"] = _server_error()
    return result


def _of_its_kind(path: str, operation: dict[str, Any]) -> Iterator[Problem]:
    yield from ALWAYS
    if "security" in operation:
        yield from KNOWN_CLIENTS
    if "{" in path:
        yield from PLACES
    if "requestBody" in operation:
        yield from BODIES
    if any(parameter["name"] == IDEMPOTENCY_KEY.name for parameter in operation.get("parameters", ())):
        yield from IDEMPOTENT


def _add(responses: dict[str, Any], problem: Problem) -> None:
    response = responses.setdefault(str(problem.status), {"description": _DESCRIPTIONS[problem.status]})
    content = response.setdefault("content", {}).setdefault("application/json", {"schema": _ERROR})
    value = {"detail": problem.detail, "code": problem.code}
    content.setdefault("examples", {}).setdefault(problem.code, {"value": value})
    if problem.status == 429:
        response["headers"] = _RETRY_AFTER


def _server_error() -> dict[str, Any]:
    value = {
        "detail": "Something went wrong here. Try again later.",
        "code": "server_error",
        "id": "4b1f0c9d2a6e4f5f8a7d3b2c1e0f9a8b",
    }
    content = {"schema": _SERVER_ERROR, "examples": {"server_error": {"value": value}}}
    return {"description": _DESCRIPTIONS[500], "content": {"application/json": content}}
