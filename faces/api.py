"""API version 1: selfie, a person's photos and their files."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import Http404
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status, viewsets
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed, NotFound, PermissionDenied
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework_api_key.models import APIKey

from events.api import CODE_PARAMETER, EVENT_PARAMETER, ErrorSerializer, body_of, checked, entered_event
from events.authentication import ApiKeyAuthentication, acts_as_staff, managed_events
from events.errors import Refusal
from events.models import Event, Image
from events.serving import is_offered, serve
from faces import audit_log, search
from faces.engine import EngineError
from faces.gallery import Grant, Tier, images_with, open_images
from faces.models import Face
from faces.probe import Meant
from faces.serializers import (
    SELFIE_EXAMPLES,
    FoundSerializer,
    GallerySerializer,
    MatchSerializer,
    MaybeSerializer,
    MeantSerializer,
    SelfieSerializer,
    UnusableSelfieSerializer,
)

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponseBase
    from rest_framework.request import Request

    from events.access import Actor


class GalleryTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, earned by a matching selfie; puts the Grant into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Grant] | None:
        keyword, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if keyword.lower() != "bearer":
            return None
        grant = Grant.from_token(token.strip())
        if grant is None:
            raise AuthenticationFailed("This token is not valid (any more). Take a new selfie.", "invalid_token")
        return AnonymousUser(), grant

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class GalleryTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes gallery tokens in the OpenAPI document."""

    target_class = GalleryTokenAuthentication
    name = "galleryToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "http", "scheme": "bearer", "description": "The `token` of a matching selfie."}


GALLERY_AUTHENTICATION = (GalleryTokenAuthentication, ApiKeyAuthentication, SessionAuthentication)


MAYBE_PARAMETER = OpenApiParameter(
    "maybe",
    OpenApiTypes.BOOL,
    OpenApiParameter.QUERY,
    description="Also answer with persons that the selfie only may show. Default: false.",
)


class SelfieViewSet(viewsets.ViewSet):
    """A selfie is the key. It is compared and not stored."""

    authentication_classes = (ApiKeyAuthentication, SessionAuthentication)
    permission_classes = (AllowAny,)
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
    by = f"API key {request.auth.name}" if isinstance(request.auth, APIKey) else request.user
    audit_log.record(audit_log.Action.SEARCHED, event, by, detail=outcome)


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


class ShownViewSet(viewsets.ViewSet):
    """What a matching selfie's token opens, or staff may see; and everybody, of an open event."""

    authentication_classes = GALLERY_AUTHENTICATION
    permission_classes = (AllowAny,)

    def refuse_strangers(self, request: Request) -> None:
        """Raise 401 or 403 where nobody knows who asks: what is not open is none of their business."""
        if not acts_as_staff(request) and _grant(request) is None:
            self.permission_denied(request)


class GalleryViewSet(ShownViewSet):
    """A person's photos."""

    @extend_schema(
        operation_id="list_images_of_person",
        parameters=[OpenApiParameter("grab_id", OpenApiTypes.UUID, OpenApiParameter.PATH)],
        responses={200: GallerySerializer, **dict.fromkeys((401, 403, 404), ErrorSerializer)},
    )
    def retrieve(self, request: Request, grab_id: str) -> Response:
        """List the photos of a person, in the order they were taken; a token lists all that its selfie matched.

        Those that only may show the person come last. The `grab_id` of a person who became part of another one leads
        to that one.
        """
        grant = _grant(request)
        known = _persons(grab_id)
        person = (known if grant else known.filter(_shown_to(request))).first()
        if person is None:
            self.refuse_strangers(request)
            raise NotFound("There is no person with this grab_id.")
        if grant is None:
            sure, maybe = list(images_with(person)), []
            audit_log.record(audit_log.Action.LOOKED, person.event, _actor(request), grab_id=person.grab_id)
        elif grant.persons().filter(pk=person.pk).exists():
            sure, maybe = list(grant.images()), list(grant.maybe_images()) if grant.maybe else []
        else:
            raise PermissionDenied("This token is for another person.", "not_yours")
        data = {"grab_id": person.grab_id, "total": len(sure) + len(maybe), "images": sure + maybe}
        return Response(GallerySerializer(data, context={"maybe": {image.pk for image in maybe}}).data)


class WhateverIsAccepted(DefaultContentNegotiation):
    """Answers files, which no renderer makes, and errors as JSON, to any Accept header."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class StorageViewSet(ShownViewSet):
    """The files of photos."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="get_file",
        responses={(200, "image/*"): OpenApiTypes.BINARY, **dict.fromkeys((401, 403, 404, 503), ErrorSerializer)},
    )
    def retrieve(self, request: Request, key: str) -> HttpResponseBase:
        """Return the file at a `file_path`, `preview_path` or `thumbnail_path`.

        403 `originals_not_offered`: the event keeps its originals; ask for the preview.
        """
        found = _image_at(key, _open_images(request).select_related("event"))
        if found is None:
            self.refuse_strangers(request)
            raise Http404
        image, rendition = found
        to_visitor = not managed_events(request).filter(pk=image.event_id).exists()
        if to_visitor and not is_offered(image.event, rendition):
            reason = "This event offers previews only: ask for the `preview_path`."
            raise Refusal("originals_not_offered", reason, status.HTTP_403_FORBIDDEN)
        return serve(image, rendition, to_visitor=to_visitor)


def _actor(request: Request) -> Actor | str:
    """Return who asks, for the audit log."""
    return f"API key {request.auth.name}" if isinstance(request.auth, APIKey) else request.user


def _grant(request: Request) -> Grant | None:
    """Return what the request's token grants; None for staff, who may see everything."""
    auth: object = request.auth
    return auth if isinstance(auth, Grant) else None


def _shown_to(request: Request) -> Q:
    """Return the condition that a person may be looked up by the grab_id alone."""
    in_open = Q(hidden=False, event__in=Event.objects.open())
    return in_open | Q(event__in=managed_events(request))


def _open_images(request: Request) -> QuerySet[Image]:
    """Return the photos that whoever asks may see."""
    if isinstance(request.auth, APIKey):
        return Image.objects.all()
    grant = _grant(request)
    return open_images(request.user, [grant] if grant else [])


def _image_at(key: str, images: QuerySet[Image]) -> tuple[Image, Image.Rendition] | None:
    """Return which of these photos, and which rendition, is kept under a storage key; never asks the storage itself."""
    match key.split("/"):
        case ["photos", image_id, _]:
            image = images.filter(image_id__in=_uuids(image_id)).first()
        case _:
            image = None
    return next(((image, rendition) for rendition in Image.Rendition if image and image.key_of(rendition) == key), None)


def _persons(grab_id: str) -> QuerySet[Face]:
    """Return the person that a `grab_id` leads to; none for what is not one."""
    return Face.objects.with_grab_id(UUID(grab_id)) if _uuids(grab_id) else Face.objects.none()


def _uuids(text: str) -> list[UUID]:
    try:
        return [UUID(text)]
    except ValueError:
        return []
