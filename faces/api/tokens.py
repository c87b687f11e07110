"""How somebody shows that a selfie of theirs matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import viewsets
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed

from events import limits
from events.authentication import ApiKeyAuthentication, ScopedKeys, SessionAuthentication, acts_as_staff, named
from events.models import ApiKey, Scope
from events.schema import Problem
from faces.gallery import Grant

if TYPE_CHECKING:
    from rest_framework.request import Request

    from events.access import Actor


INVALID_TOKEN = Problem(401, "invalid_token", "This token is not valid (any more). Take a new selfie.")


class GalleryTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer <token>`, earned by a matching selfie; puts the Grant into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Grant] | None:
        keyword, _, token = get_authorization_header(request).decode("latin-1").partition(" ")
        if keyword.lower() != "bearer":
            return None
        grant = Grant.from_token(token.strip())
        if grant is None:
            limits.spend("credentials", limits.address_of(request))
            raise AuthenticationFailed(INVALID_TOKEN.detail, INVALID_TOKEN.code)
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


class ShownViewSet(viewsets.ViewSet):
    """What a matching selfie's token opens, or staff may see; and everybody, of an open event."""

    authentication_classes = GALLERY_AUTHENTICATION
    permission_classes = (ScopedKeys,)
    scopes: ClassVar = {"retrieve": Scope.READ}

    def refuse_strangers(self, request: Request) -> None:
        """Raise 401 or 403 where nobody knows who asks: what is not open is none of their business."""
        if not acts_as_staff(request) and grant_of(request) is None:
            self.permission_denied(request)


def grant_of(request: Request) -> Grant | None:
    """Return what the request's token grants; None for staff, who may see everything."""
    auth: object = request.auth
    return auth if isinstance(auth, Grant) else None


def actor_of(request: Request) -> Actor | str:
    """Return who asks, for the audit log."""
    return named(request) if isinstance(request.auth, ApiKey) else request.user
