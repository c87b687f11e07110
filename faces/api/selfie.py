"""A selfie is the key."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from events.api.asking import CODE_PARAMETER, EVENT_PARAMETER, ErrorSerializer, body_of, checked, entered_event
from events.authentication import ApiKeyAuthentication, ScopedKeys
from events.errors import Refusal
from events.models import Event, Scope
from faces import audit_log, search
from faces.api.serializers import (
    SELFIE_EXAMPLES,
    FoundSerializer,
    MatchSerializer,
    MaybeSerializer,
    MeantSerializer,
    SelfieSerializer,
    UnusableSelfieSerializer,
)
from faces.api.tokens import actor_of
from faces.engine import EngineError
from faces.gallery import Grant, Tier
from faces.probe import Meant

if TYPE_CHECKING:
    from rest_framework.request import Request


MAYBE_PARAMETER = OpenApiParameter(
    "maybe",
    OpenApiTypes.BOOL,
    OpenApiParameter.QUERY,
    description="Also answer with persons that the selfie only may show. Default: false.",
)


class SelfieViewSet(viewsets.ViewSet):
    """A selfie is the key. It is compared and not stored."""

    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (ScopedKeys,)
    scopes: ClassVar = {"create": Scope.SEARCH}
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="match_selfie",
        parameters=[EVENT_PARAMETER, CODE_PARAMETER, MAYBE_PARAMETER],
        request={"multipart/form-data": SelfieSerializer},
        responses={
            200: MatchSerializer,
            400: UnusableSelfieSerializer,
            **dict.fromkeys((403, 404, 503), ErrorSerializer),
        },
        examples=SELFIE_EXAMPLES,
    )
    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Return who this is (multipart `file`, up to three times), with a token that opens their photos.

        Several selfies of one person are compared together; those without a usable face are left out. `meant` says
        which face it is, where several are in a selfie: one of the `faces` that the answer `several_faces` lists.
        """
        event, maybe, meant = entered_event(request), _wants_maybe(request), _meant(request)
        selfies = _selfies(request)
        try:
            found = search.find(event, *selfies, meant=meant)
        except EngineError as error:
            _note(request, event, "engine_unavailable")
            raise Refusal("engine_unavailable", str(error), status.HTTP_503_SERVICE_UNAVAILABLE) from error
        if isinstance(found, search.Match) and not found.sure and not maybe:
            found = found.flaw or search.NO_MATCH
        _note(request, event, found.code if isinstance(found, search.NoMatch) else "matched")
        if isinstance(found, search.NoMatch):
            return _not_found(found)
        return Response(_answer(found, Grant.from_match(event, found, maybe=maybe), maybe=maybe))


def _selfies(request: Request) -> list[IO[bytes]]:
    """Take the selfies out of the request, since error reports list its files by their names.

    Raises:
        Refusal: 400 `missing_file` or `too_many_files`.
    """
    selfies: list[IO[bytes]] = request.FILES.getlist("file")
    request.FILES.clear()
    if not selfies:
        raise Refusal("missing_file", "Send the selfie as multipart form field `file`.")
    if len(selfies) > search.MOST_SELFIES:
        raise Refusal("too_many_files", f"Send at most {search.MOST_SELFIES} selfies of one person.")
    return selfies


def _note(request: Request, event: Event, outcome: str) -> None:
    audit_log.record(audit_log.Action.SEARCHED, event, actor_of(request), detail=outcome)


def _not_found(problem: search.NoMatch) -> Response:
    """Answer 404 for nobody, 400 for a selfie that cannot be used, with which one it is and what is known of it."""
    data: dict[str, Any] = {"detail": problem.reason, "code": problem.code}
    if problem.selfie is not None:
        data["selfie"] = problem.selfie
    if problem.faces:
        data["faces"] = problem.faces
    code = status.HTTP_404_NOT_FOUND if problem.code == "no_match" else status.HTTP_400_BAD_REQUEST
    return Response(data, code)


def _wants_maybe(request: Request) -> bool:
    return any(checked(MaybeSerializer(data=fields))["maybe"] for fields in (request.query_params, body_of(request)))


def _meant(request: Request) -> list[Meant]:
    return [Meant.parse(text) for text in checked(MeantSerializer(data=body_of(request)))["meant"]]


def _answer(found: search.Match, grant: Grant, *, maybe: bool) -> dict[str, Any]:
    best = FoundSerializer((found.sure or found.maybe)[0]).data
    answer = {
        **best,
        "tier": Tier.SURE if found.sure else Tier.MAYBE,
        "total": grant.images().count(),
        "token": grant.to_token(),
        "expires_in": settings.GALLERY_TOKEN_HOURS * 3600,
    }
    if maybe:
        guesses = FoundSerializer(found.maybe, many=True).data
        answer |= {"maybe": guesses, "maybe_total": grant.maybe_images().count()}
    return answer
