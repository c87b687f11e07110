"""How API clients say who they are: the staff's session, or an API key made in admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import permissions
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework_api_key.models import APIKey
from rest_framework_api_key.permissions import KeyParser

from events.access import is_staff
from events.models import Event

if TYPE_CHECKING:
    from rest_framework.request import Request

    from events.models import EventQuerySet


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`; puts the key into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, APIKey] | None:
        key = KeyParser().get(request)
        if not key:
            return None
        if not APIKey.objects.is_valid(key):
            raise AuthenticationFailed("This API key is unknown, expired or revoked.", "invalid_api_key")
        return AnonymousUser(), cast(APIKey, APIKey.objects.get_from_key(key))

    def authenticate_header(self, request: Request) -> str:
        return KeyParser.keyword


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes API keys in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Api-Key <key>"}


class IsStaffOrApiKey(permissions.BasePermission):
    """Staff, logged in or represented by an API key."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return acts_as_staff(request)


def acts_as_staff(request: Request) -> bool:
    """Tell whether the request comes from staff, logged in or represented by an API key."""
    return is_staff(request.user) or isinstance(request.auth, APIKey)


def managed_events(request: Request) -> EventQuerySet:
    """Return the events that whoever asks manages: staff theirs, an API key all; nobody else any."""
    if isinstance(request.auth, APIKey):
        return Event.objects.all()
    return Event.objects.managed_by(request.user)
