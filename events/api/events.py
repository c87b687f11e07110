"""Events: what there is, new ones, changes, and their end."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from django.db import IntegrityError, transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.response import Response

from events import ending
from events.api.asking import SLUG_PARAMETER, checked, event_at
from events.api.etags import CHANGED, ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, refuse_unseen
from events.api.pages import INVALID_CURSOR, PageQuery, Query, page
from events.api.rows import RowViewSet
from events.api.serializers import (
    CHANGE_EXAMPLE,
    EVENT_EXAMPLE,
    EVENTS_EXAMPLE,
    NEW_EVENT_EXAMPLE,
    EventDetailSerializer,
    EventSerializer,
)
from events.authentication import let_manage, managed_events
from events.bodies import body_of
from events.errors import Refusal
from events.idempotency import idempotent
from events.models import ApiKey, Event, Scope
from events.schema import UNKNOWN_EVENT, Problem, errors

if TYPE_CHECKING:
    from rest_framework.request import Request

logger = logging.getLogger(__name__)

UNCONFIRMED = Problem(
    400,
    "confirmation_required",
    "This deletes the event with all its photos and people, for good. Send the event's name as `confirm`.",
)
FILES_LEFT = Problem(
    503,
    "files_left",
    "It is deleted, but the storage failed: `manage.py storage_audit --delete` removes the files that are left.",
)


class DeletionQuery(Query):
    confirm = serializers.CharField(default="", allow_blank=True, max_length=120, help_text="The event's name.")


class EventViewSet(RowViewSet):
    """The events that whoever asks manages."""

    scopes: ClassVar = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "create": Scope.MANAGE,
        "partial_update": Scope.MANAGE,
        "destroy": Scope.MANAGE,
    }
    permissions: ClassVar = {
        "create": "events.add_event",
        "partial_update": "events.change_event",
        "destroy": "events.delete_event",
    }
    queries: ClassVar = {"list": PageQuery, "destroy": DeletionQuery}
    derived = ("photos", "persons")

    @extend_schema(
        operation_id="list_events",
        summary="List events",
        parameters=[PageQuery, IF_NONE_MATCH, ETAG],
        responses={200: EventSerializer(many=True), **NOT_MODIFIED, **errors(INVALID_CURSOR)},
        examples=[EVENTS_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """List the events that you manage, in the order in which they were made."""
        events = managed_events(request)
        return page(events, EventSerializer, self, self.query["limit"], shows_code=_shows_code(request))

    @extend_schema(
        operation_id="get_event",
        summary="Get an event",
        parameters=[SLUG_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={200: EventDetailSerializer, **NOT_MODIFIED, **errors(UNKNOWN_EVENT)},
        examples=[EVENT_EXAMPLE],
    )
    def retrieve(self, request: Request, slug: str) -> Response:
        """Return the event, and how much is in it."""
        return Response(_shown(request, event_at(slug, managed_events(request))))

    @extend_schema(
        operation_id="create_event",
        summary="Make an event",
        request=EventSerializer,
        responses={201: EventDetailSerializer},
        examples=[EVENT_EXAMPLE, NEW_EVENT_EXAMPLE],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Make an event, which the API key reaches from now on. Without `access` it is a draft, for staff alone."""
        with transaction.atomic():
            serializer = EventSerializer(data=body_of(request))
            checked(serializer)
            event = _saved(serializer)
            let_manage(request, event)
        return Response(_shown(request, event), status.HTTP_201_CREATED)

    @extend_schema(
        operation_id="change_event",
        summary="Change an event",
        parameters=[SLUG_PARAMETER, IF_MATCH, ETAG],
        request=EventSerializer(partial=True),
        responses={200: EventDetailSerializer, **errors(UNKNOWN_EVENT, CHANGED)},
        examples=[EVENT_EXAMPLE, CHANGE_EXAMPLE],
    )
    @idempotent
    def partial_update(self, request: Request, slug: str) -> Response:
        """Change what is sent, and leave the rest. Another `slug` is another address of every page of the event."""
        with transaction.atomic():
            event = _locked(request, slug)
            seen = _shown(request, event, EventSerializer)
            serializer = EventSerializer(event, body_of(request), partial=True)
            checked(serializer)
            refuse_unseen(request, seen, self.derived)
            return Response(_shown(request, _saved(serializer)))

    @extend_schema(
        operation_id="delete_event",
        summary="Delete an event",
        parameters=[SLUG_PARAMETER, DeletionQuery, IF_MATCH],
        responses={204: None, **errors(UNCONFIRMED, UNKNOWN_EVENT, CHANGED, FILES_LEFT)},
    )
    @idempotent
    def destroy(self, request: Request, slug: str) -> Response:
        """Delete the event with its photos, their files, its people, and all that was decided about them.

        From now on nobody finds it. Of a large event the workers delete photos and files, within some minutes.
        """
        try:
            with transaction.atomic():
                event = _locked(request, slug)
                if self.query["confirm"] != event.name.strip():
                    raise Refusal.of(UNCONFIRMED)
                refuse_unseen(request, _shown(request, event, EventSerializer), self.derived)
                ending.end(event)
        except OSError as error:
            raise files_left() from error
        return Response(status=status.HTTP_204_NO_CONTENT)


def files_left() -> Refusal:
    """Say that what was deleted has left files behind."""
    logger.exception("Files of what was deleted are left in the storage")
    return Refusal.of(FILES_LEFT)


def _locked(request: Request, slug: str) -> Event:
    """Return the event, which nobody else changes until the transaction ends."""
    return event_at(slug, managed_events(request).select_for_update(of=("self",), no_key=True))


def _shown(request: Request, event: Event, shape: type[EventSerializer] = EventDetailSerializer) -> Any:
    return shape(event, context={"shows_code": _shows_code(request)}).data


def _shows_code(request: Request) -> bool:
    return not isinstance(request.auth, ApiKey) or request.auth.allows(Scope.MANAGE)


def _saved(serializer: EventSerializer) -> Event:
    """Save what was checked.

    Raises:
        Refusal: 400 `bad_request`.
    """
    try:
        with transaction.atomic():
            return serializer.save()
    except IntegrityError:
        # Somebody has taken the slug since it was looked at; now that is seen.
        checked(EventSerializer(serializer.instance, serializer.initial_data, partial=serializer.partial))
        raise
