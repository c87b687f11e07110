"""Versions of what the API answers: who has the newest is not sent it again, and nobody overwrites what they never saw.

The ETag of something that can be changed has two parts: the version of what clients change, and that of the whole
answer. `If-Match` compares the first one alone; else counts, which move while photos come in, would have every change
refused. So does it with a weak ETag, which a proxy makes of ours when it compresses the answer.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from django.utils.cache import get_conditional_response, patch_cache_control
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework import status, views
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from events.errors import Refusal
from events.schema import Problem

if TYPE_CHECKING:
    from rest_framework.request import Request

IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match", str, OpenApiParameter.HEADER, description="The ETag of an answer that you have: 304 if it holds."
)
IF_MATCH = OpenApiParameter(
    "If-Match", str, OpenApiParameter.HEADER, description="The ETag that you read: 412 if it was changed since."
)
ETAG = OpenApiParameter(
    "ETag", str, OpenApiParameter.HEADER, response=[200], description="For `If-None-Match` and `If-Match`."
)
NOT_MODIFIED = {304: OpenApiResponse(description="What you have still holds.")}
CHANGED = Problem(412, "precondition_failed", "This has changed since you read it. Read it again.")

TAGGED = ("GET", "HEAD", "PATCH")


def etag_of(answer: Any, derived: Collection[str] = ()) -> str:
    """Return the ETag of an answer; `derived` names what of it no client can change."""
    return f'"{_version(answer, derived)}-{_digest(answer)}"' if derived else f'"{_digest(answer)}"'


def refuse_unseen(request: Request, answer: Any, derived: Collection[str] = ()) -> None:
    """Refuse to change what is not any more what the request says in `If-Match`; to be called where it is locked.

    `answer` is what a GET would answer now, with or without what is derived.

    Raises:
        Refusal: 412 `precondition_failed`.
    """
    wanted = request.headers.get("If-Match", "*").strip()
    versions = {tag.strip().removeprefix("W/").strip('"').partition("-")[0] for tag in wanted.split(",")}
    if wanted != "*" and _version(answer, derived) not in versions:
        raise Refusal.of(CHANGED)


def _version(answer: Any, derived: Collection[str]) -> str:
    stated = {name: value for name, value in answer.items() if name not in derived} if derived else answer
    return _digest(stated)


def _digest(answer: Any) -> str:
    return sha256(json.dumps(answer, cls=JSONEncoder, sort_keys=True).encode()).hexdigest()[:32]


class Tagged(views.APIView):
    """A view whose answers carry an ETag: 304 for who has this one already. `derived`: see `etag_of`."""

    derived: ClassVar[Collection[str]] = ()

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        # A view may also answer with what is no answer of the framework's, such as an error of the storage.
        if isinstance(response, Response) and response.status_code == status.HTTP_200_OK and request.method in TAGGED:
            response["ETag"] = etag_of(response.data, self.derived)
            patch_cache_control(response, private=True, no_cache=True)
            response = _unless_known(request, response)
        return super().finalize_response(request, response, *args, **kwargs)


def _unless_known(request: Request, response: Response) -> Any:
    """Return the answer, or 304 for who has it already."""
    if request.method == "PATCH":
        return response
    found: Any = get_conditional_response(request, response["ETag"], response=response)
    if found.status_code == CHANGED.status:
        return Response({"detail": CHANGED.detail, "code": CHANGED.code}, CHANGED.status)
    return found
