"""What the endpoints read of a request: its event, its body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.core.validators import slug_re
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers, status

from events import gate
from events.authentication import managed_events
from events.bodies import body_of
from events.errors import Refusal, first_problem
from events.models import ApiKey, Event
from events.schema import EVENT_NOT_OPEN

if TYPE_CHECKING:
    from drf_spectacular.openapi import AutoSchema
    from drf_spectacular.utils import Direction
    from rest_framework.request import Request

    from events.models import EventQuerySet

EVENT_PARAMETER = OpenApiParameter(
    "event", str, description="The event's slug. Default: the only event, or the newest published one."
)
CODE_PARAMETER = OpenApiParameter("code", str, description="What an event with access “code” asks for.")
SLUG_PARAMETER = OpenApiParameter("slug", str, OpenApiParameter.PATH, description="The event's.")


def managed_event(request: Request) -> Event:
    """Return the event that the request names in `event` (query or form), or the default one, for who manages it.

    Raises:
        Refusal: 404 `unknown_event`, also for somebody else's.
    """
    return _requested(request, managed_events(request))


def entered_event(request: Request) -> Event:
    """Return the event that the request names in `event`, or the default one, for who may use it now.

    Raises:
        Refusal: 404 `unknown_event`, also for a draft, and for what an API key does not reach; 403 `event_not_open`,
            `code_required` or `wrong_code`.
        TooManyRequests: too many codes were wrong.
    """
    managed = managed_events(request)
    if isinstance(request.auth, ApiKey):
        return _requested(request, managed)
    event = _requested(request, Event.objects.announced() | managed)
    if managed.filter(pk=event.pk).exists():
        return event
    if not event.is_published:
        raise Refusal.of(EVENT_NOT_OPEN)
    code = _parameter(request, "code")
    if event.access == Event.Access.CODE and not gate.tries(request, event, code):
        reason = "This is not the code of the event." if code else "This event needs a code: send it as `code`."
        raise Refusal("wrong_code" if code else "code_required", reason, status.HTTP_403_FORBIDDEN)
    return event


def _requested(request: Request, events: EventQuerySet) -> Event:
    if slug := _parameter(request, "event"):
        return event_at(slug, events)
    event = events.default()
    if event is None:
        reason = "No event is published: name one in `event`."
        raise Refusal("unknown_event", reason, status.HTTP_404_NOT_FOUND)
    return event


def event_at(slug: str, events: EventQuerySet) -> Event:
    """Return the event of this slug, one of `events`.

    Raises:
        Refusal: 404 `unknown_event`.
    """
    # The database would choke on what can be no slug, such as a NUL.
    event = events.filter(slug=slug).first() if slug_re.match(slug) else None
    if event is None:
        raise Refusal("unknown_event", f"There is no event {slug!r}.", status.HTTP_404_NOT_FOUND)
    return event


def _parameter(request: Request, name: str) -> str:
    """Return a parameter of the query or of the form; empty where it is not there."""
    return str(request.query_params.get(name) or _form(request).get(name) or "")


def _form(request: Request) -> Mapping[str, Any]:
    data = body_of(request)
    return data if isinstance(data, Mapping) else {}


def checked(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return what the serializer made of its data.

    Raises:
        Refusal: 400 `bad_request`, naming the first field that cannot be used.
    """
    if not serializer.is_valid():
        raise Refusal("bad_request", first_problem(serializer.errors))
    return serializer.validated_data


class StrictSerializer(serializers.Serializer[Any]):
    """A body in which every field is known: a typing error would pass for a wish not said."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            fields = self.fields
            for name in data:
                if name not in fields:
                    raise serializers.ValidationError({name: ["There is no such field."]})
                if fields[name].read_only:
                    raise serializers.ValidationError({name: ["This cannot be set."]})
        return super().to_internal_value(data)


class StrictScheme(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """Says in the OpenAPI document that there are no other fields."""

    target_class = StrictSerializer
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Direction) -> dict[str, Any]:
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # type: ignore[no-untyped-call]
        return schema | {"additionalProperties": False}


def uuids(text: str) -> list[UUID]:
    """Return the UUID that this is, for a query of what has it; none where it is not one."""
    try:
        return [UUID(text)]
    except ValueError:
        return []
