"""How API clients say who they are, and what they may do: the staff's session, or an API key made in admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, permissions
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework_api_key.permissions import KeyParser

from events import limits
from events.access import is_staff
from events.models import ApiKey, Event

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from rest_framework.request import Request

    from events.models import EventQuerySet

NOT_FROM_HERE = "Send the value of the cookie “csrftoken” in the header X-CSRFToken, from a page of this site."


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Api-Key <key>`; puts the ApiKey into `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, ApiKey] | None:
        secret = KeyParser().get(request)
        if not secret:
            return None
        key = _usable(secret)
        if key is None:
            limits.spend("credentials", limits.address_of(request))
            raise AuthenticationFailed("This API key is unknown, expired or revoked.", "invalid_api_key")
        key.note_use()
        return AnonymousUser(), key

    def authenticate_header(self, request: Request) -> str:
        return KeyParser.keyword


def _usable(secret: str) -> ApiKey | None:
    # The database would choke on a NUL.
    if "\0" in secret:
        return None
    try:
        key = cast(ApiKey, ApiKey.objects.get_from_key(secret))
    except ApiKey.DoesNotExist:
        return None
    return None if key.has_expired else key


class ApiKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes API keys in the OpenAPI document."""

    target_class = ApiKeyAuthentication
    name = "apiKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Api-Key <key>"}


class SessionAuthentication(authentication.SessionAuthentication):
    """Somebody logged in on the site.

    Raises:
        PermissionDenied: `csrf_failed`.
    """

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(NOT_FROM_HERE, "csrf_failed") from error


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the session in the OpenAPI document."""

    target_class = SessionAuthentication
    name = "cookieAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}


class Allowed(permissions.BasePermission):
    """API keys with the scope of the action, and staff with its permission.

    The view says which in `scopes` (by action) and, where managing the event is not enough, in `permissions`. Of which
    events, `managed_events` knows.

    Raises:
        PermissionDenied: `missing_scope`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if isinstance(request.auth, ApiKey):
            return ScopedKeys().has_permission(request, view)
        needed = getattr(view, "permissions", {}).get(view.action)
        return is_staff(request.user) and (needed is None or request.user.has_perm(needed))


class ScopedKeys(permissions.BasePermission):
    """Everybody; but an API key needs the scope of the action.

    Raises:
        PermissionDenied: `missing_scope`.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        # Without an action of ours (OPTIONS has the framework's) the method is not allowed, which is said next.
        if not isinstance(request.auth, ApiKey) or view.action in (None, "metadata"):
            return True
        needed = view.scopes[view.action]
        if not request.auth.allows(needed):
            reason = f"This API key lacks the scope “{needed}”. Use another, or change it in admin."
            raise PermissionDenied(reason, "missing_scope")
        return True


def acts_as_staff(request: Request) -> bool:
    """Tell whether the request comes from staff, logged in or represented by an API key."""
    return is_staff(request.user) or isinstance(request.auth, ApiKey)


def managed_events(request: Request) -> EventQuerySet:
    """Return the events that whoever asks manages: staff theirs, an API key those it reaches; nobody else any."""
    if isinstance(request.auth, ApiKey):
        return request.auth.reaches()
    return Event.objects.managed_by(request.user)


def let_manage(request: Request, event: Event) -> None:
    """Let whoever made an event manage it, also where they do not manage every one."""
    if isinstance(request.auth, ApiKey):
        request.auth.take_on(event)
    else:
        event.let_manage(cast("User", request.user))


def named(request: Request) -> str:
    """Return what the logs call who asks; for staff and API keys."""
    return request.auth.label if isinstance(request.auth, ApiKey) else request.user.get_username()
