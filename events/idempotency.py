"""A write that is sent twice is done once: `Idempotency-Key`.

The first request with a key is done, and its answer kept for a day; the same request with the same key gets that
answer. Only answers of success are kept: what was refused has changed nothing, and is looked at anew.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

from django.utils import timezone
from rest_framework import status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from events.bodies import body_of
from events.errors import Refusal
from events.limits import who_asks
from events.locks import held
from events.models import IdempotentAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpResponseBase
    from rest_framework.request import Request

Action = TypeVar("Action", bound="Callable[..., HttpResponseBase]")

HEADER = "Idempotency-Key"

KEPT = timedelta(days=1)


def idempotent(action: Action) -> Action:
    """Let an action of a viewset that writes take an `Idempotency-Key`.

    Raises:
        Refusal: 400 `bad_idempotency_key`; 422 `idempotency_key_reused`, for another request; 409
            `request_in_progress`, while the first is under way.
    """

    @wraps(action)
    def once(self: Any, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
        key = request.headers.get(HEADER)
        if key is None:
            return action(self, request, *args, **kwargs)
        if not re.fullmatch(r"[ -~]{1,255}", key):
            raise Refusal("bad_idempotency_key", f"`{HEADER}` takes 1 to 255 printable ASCII characters.")
        who, fingerprint = who_asks(request), _fingerprint(request)
        with held(f"{who} {key}") as ours:
            if not ours:
                reason = "The first request with this key is under way. Try again in a moment."
                raise Refusal("request_in_progress", reason, status.HTTP_409_CONFLICT)
            if kept := IdempotentAnswer.objects.filter(who=who, key=key).first():
                return _again(kept, fingerprint)
            response = action(self, request, *args, **kwargs)
            if isinstance(response, Response) and status.is_success(response.status_code):
                _keep(who, key, fingerprint, response)
            return response

    once.idempotent = True  # type: ignore[attr-defined]  # the OpenAPI document asks for it
    return cast("Action", once)


def expire() -> int:
    """Forget the answers of yesterday; return how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEPT).delete()[0]


def forget_people() -> None:
    """Forget the answers that tell of people, as when one is erased; what is asked again then is looked at anew."""
    IdempotentAnswer.objects.all().about_people().delete()


def _again(kept: IdempotentAnswer, fingerprint: str) -> Response:
    if kept.fingerprint != fingerprint:
        reason = f"This `{HEADER}` was used for another request. Take a new one."
        raise Refusal("idempotency_key_reused", reason, status.HTTP_422_UNPROCESSABLE_ENTITY)
    return Response(kept.body, kept.status, headers={"Idempotent-Replayed": "true"})


def _keep(who: str, key: str, fingerprint: str, response: Response) -> None:
    # As it goes out, since a field of JSON takes no dates or UUIDs.
    body = json.loads(JSONRenderer().render(response.data) or b"null")
    IdempotentAnswer.objects.create(who=who, key=key, fingerprint=fingerprint, status=response.status_code, body=body)


def _fingerprint(request: Request) -> str:
    """Return a hash of what is asked: not of its bytes, which differ from one sending of a form to the next."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    digest.update(json.dumps(_fields(request), sort_keys=True).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            digest.update(f"\n{name} {file.name} {file.size}\n".encode())
            for chunk in file.chunks():
                digest.update(chunk)
            file.seek(0)
    return digest.hexdigest()


def _fields(request: Request) -> Any:
    body = body_of(request)
    if not hasattr(body, "lists"):
        return body
    return {name: values for name, values in body.lists() if name not in request.FILES}
