"""A selfie is the key."""

from __future__ import annotations

from time import perf_counter
from typing import IO, TYPE_CHECKING, Any, ClassVar, NamedTuple

from django.conf import settings
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from events import tallies
from events.api.asking import CODE_PARAMETER, EVENT_PARAMETER, checked, entered_event
from events.authentication import ApiKeyAuthentication, ScopedKeys, SessionAuthentication
from events.bodies import body_of
from events.errors import Refusal
from events.models import Event, Scope
from events.schema import EVENT_NOT_OPEN, UNKNOWN_EVENT, Problem, errors
from faces import audit_log, flaws, search, telling
from faces.api.serializers import (
    SELFIE_EXAMPLES,
    FoundImageSerializer,
    FoundSerializer,
    MatchSerializer,
    MeantSerializer,
    SelfieSerializer,
    UnusableSelfieSerializer,
    WantedSerializer,
)
from faces.api.tokens import actor_of
from faces.engine import EngineError
from faces.gallery import Grant, Tier
from faces.probe import DIFFERENT_PEOPLE, Meant

if TYPE_CHECKING:
    from rest_framework.request import Request


MAYBE_PARAMETER = OpenApiParameter(
    "maybe", bool, description="Also answer with persons that the selfie only may show. Default: false."
)
BOXES_PARAMETER = OpenApiParameter(
    "boxes",
    bool,
    description="Also answer with every face of the selfies, and with the photos, their tiers and where in them the "
    "found persons are. Default: false.",
)


PROBLEMS = (
    UNKNOWN_EVENT,
    EVENT_NOT_OPEN,
    Problem(403, "code_required", "This event needs a code: send it as `code`."),
    Problem(403, "wrong_code", "This is not the code of the event."),
    Problem(404, search.NO_MATCH.code, search.NO_MATCH.reason),
    Problem(413, "too_many_files", "Send at most 200 files at once."),
    Problem(503, "engine_unavailable", "The engine 'facenet+sface' cannot be used."),
)
UNUSABLE = (
    Problem(400, "missing_file", "Send the selfie as multipart form field `file`."),
    Problem(400, "too_many_files", "Send at most 3 selfies of one person."),
    Problem(400, "no_face", "No face detected in the selfie. Face the camera, closer and in good light."),
    Problem(400, "too_small", flaws.REASONS["too_small"]),
    Problem(400, "too_blurred", flaws.REASONS["too_blurred"]),
    Problem(400, DIFFERENT_PEOPLE.code, DIFFERENT_PEOPLE.reason),
    Problem(400, search.FACES_DELETED.code, search.FACES_DELETED.reason),
    Problem(400, "not_an_image", "This file is not an image."),
    Problem(400, "image_too_large", "The image has more than 64 megapixels."),
)


class SelfieViewSet(viewsets.ViewSet):
    """A selfie is the key. It is compared and not stored."""

    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (ScopedKeys,)
    scopes: ClassVar = {"create": Scope.SEARCH}
    parser_classes = (MultiPartParser,)
    limit = "selfies"

    @extend_schema(
        operation_id="match_selfie",
        parameters=[EVENT_PARAMETER, CODE_PARAMETER, MAYBE_PARAMETER, BOXES_PARAMETER],
        request={"multipart/form-data": SelfieSerializer},
        responses={200: MatchSerializer, **errors(*PROBLEMS), **errors(*UNUSABLE, like=UnusableSelfieSerializer)},
        examples=SELFIE_EXAMPLES,
    )
    @sensitive_variables()
    def create(self, request: Request) -> Response:
        """Return who this is (multipart `file`, up to three times), with a token that opens their photos.

        Several selfies of one person are compared together; those without a usable face are left out. `meant` says
        which face it is, where several are in a selfie: one of the `faces` that the answer `several_faces` lists.
        """
        event, wanted, meant = entered_event(request), _wanted(request), _meant(request)
        selfies, start = _selfies(request), perf_counter()
        try:
            found = search.find(event, *selfies, meant=meant)
        except EngineError as error:
            _note(request, event, "engine_unavailable", perf_counter() - start)
            raise Refusal("engine_unavailable", str(error), status.HTTP_503_SERVICE_UNAVAILABLE) from error
        if isinstance(found, search.Match) and not found.sure and not wanted.maybe:
            found = found.flaw or search.NO_MATCH
        outcome = found.code if isinstance(found, search.NoMatch) else "matched"
        _note(request, event, outcome, perf_counter() - start)
        if isinstance(found, search.NoMatch):
            return _not_found(found)
        grant = Grant.from_match(event, found, maybe=wanted.maybe)
        telling.matched(event, found, grant)
        return Response(_answer(found, grant, wanted))


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


def _note(request: Request, event: Event, outcome: str, seconds: float) -> None:
    tallies.add("search", outcome, seconds=seconds)
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


class Wanted(NamedTuple):
    """What the answer holds beside the person."""

    maybe: bool
    boxes: bool


def _wanted(request: Request) -> Wanted:
    """Return what is asked for in the query or in the form."""
    asked = [checked(WantedSerializer(data=fields)) for fields in (request.query_params, body_of(request))]
    return Wanted(*(any(fields[name] for fields in asked) for name in Wanted._fields))


def _meant(request: Request) -> list[Meant]:
    return [Meant.parse(text) for text in checked(MeantSerializer(data=body_of(request)))["meant"]]


def _answer(found: search.Match, grant: Grant, wanted: Wanted) -> dict[str, Any]:
    best = FoundSerializer((found.sure or found.maybe)[0]).data
    answer = {
        **best,
        "tier": Tier.SURE if found.sure else Tier.MAYBE,
        "total": grant.images().count(),
        "token": grant.to_token(),
        "expires_in": settings.GALLERY_TOKEN_HOURS * 3600,
    }
    if wanted.maybe:
        guesses = FoundSerializer(found.maybe, many=True).data
        answer |= {"maybe": guesses, "maybe_total": grant.maybe_images().count()}
    if wanted.boxes:
        answer |= {"selfies": [{"faces": faces} for faces in found.faces], "images": _images(grant)}
    return answer


def _images(grant: Grant) -> Any:
    """Return the photos that the grant opens, those that only may show the person last."""
    sure, maybe = list(grant.images()), list(grant.maybe_images())
    context = {"boxes": grant.boxes(), "maybe": {image.pk for image in maybe}}
    images: Any = sure + maybe
    return FoundImageSerializer(images, many=True, context=context).data
