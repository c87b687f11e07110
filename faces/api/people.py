"""People: who was found, what they are called, who is hidden, who is one, and who is erased."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar
from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from events.api.asking import checked, event_at
from events.api.etags import CHANGED, ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, refuse_unseen
from events.api.pages import INVALID_CURSOR, PageQuery, event_query, page
from events.api.rows import RowViewSet
from events.authentication import managed_events
from events.bodies import body_of
from events.errors import Refusal
from events.idempotency import idempotent
from events.models import Scope
from events.schema import UNKNOWN_EVENT, Problem, errors
from faces import audit_log, corrections, privacy
from faces.api.asking import (
    GONE,
    GRAB_ID_PARAMETER,
    SAME_PERSON,
    UNKNOWN_PERSON,
    corrections_refused,
    managed_person,
)
from faces.api.face_serializers import (
    CHANGE_EXAMPLE,
    ERASURE_EXAMPLE,
    FACE_EXAMPLE,
    MERGE_EXAMPLE,
    ErasureSerializer,
    FaceChangeSerializer,
    FaceSerializer,
    MergeSerializer,
)
from faces.api.tokens import actor_of
from faces.ledger import CorrectionError, lock
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from rest_framework.request import Request


SUCCEEDED = Problem(409, "merged", "This person is part of another one now. Erase that one, if it is meant.")
OTHER_EVENT = Problem(409, "other_event", "All must be of the same event.")


class FacesQuery(PageQuery):
    event = event_query("The slug of an event: its people only.")
    hidden = serializers.BooleanField(required=False, help_text="Those that are hidden, or are not, only.")


class FaceViewSet(RowViewSet):
    """The people of events that whoever asks manages. A `grab_id` that became part of another one leads there."""

    scopes: ClassVar = {
        "list": Scope.READ,
        "retrieve": Scope.READ,
        "partial_update": Scope.MANAGE,
        "destroy": Scope.MANAGE,
        "merge": Scope.MANAGE,
    }
    permissions: ClassVar = {
        "list": "faces.view_face",
        "retrieve": "faces.view_face",
        "partial_update": "faces.change_face",
        "destroy": "faces.delete_face",
        "merge": "faces.change_face",
    }
    queries: ClassVar = {"list": FacesQuery}
    # They change with every photo.
    derived = ("cover", "images")

    @extend_schema(
        operation_id="list_faces",
        summary="List people",
        parameters=[FacesQuery, IF_NONE_MATCH, ETAG],
        responses={200: FaceSerializer(many=True), **NOT_MODIFIED, **errors(INVALID_CURSOR, UNKNOWN_EVENT)},
        examples=[FACE_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """List people, also hidden ones, in the order in which they were found. The audit log notes who looks."""
        persons = Face.objects.filter(event__in=managed_events(request))
        event = event_at(self.query["event"], managed_events(request)) if "event" in self.query else None
        if event:
            persons = persons.filter(event=event)
        if "hidden" in self.query:
            persons = persons.filter(hidden=self.query["hidden"])
        audit_log.record(audit_log.Action.LOOKED, event, actor_of(request), detail="People")
        shown = persons.with_counts().select_related("event").defer("embedding")
        return page(shown, FaceSerializer, self, self.query["limit"])

    @extend_schema(
        operation_id="get_face",
        summary="Get a person",
        parameters=[GRAB_ID_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={200: FaceSerializer, **NOT_MODIFIED, **errors(UNKNOWN_PERSON)},
        examples=[FACE_EXAMPLE],
    )
    def retrieve(self, request: Request, grab_id: str) -> Response:
        """Return what is known of a person. The audit log notes who looks."""
        person = managed_person(request, grab_id)
        audit_log.record(audit_log.Action.LOOKED, person.event, actor_of(request), grab_id=person.grab_id)
        return _answer(person)

    @extend_schema(
        operation_id="change_face",
        summary="Name, hide or show a person",
        parameters=[GRAB_ID_PARAMETER, IF_MATCH, ETAG],
        request=FaceChangeSerializer,
        responses={200: FaceSerializer, **errors(UNKNOWN_PERSON, CHANGED, GONE)},
        examples=[FACE_EXAMPLE, CHANGE_EXAMPLE],
    )
    @idempotent
    def partial_update(self, request: Request, grab_id: str) -> Response:
        """Name a person, or hide or show them. It is on record, and staff can undo it in admin."""
        wanted = checked(FaceChangeSerializer(data=body_of(request)))
        with corrections_refused(), transaction.atomic():
            person = self._locked(request, grab_id)
            by = actor_of(request)
            if "name" in wanted:
                _unless_so(partial(corrections.rename, person, wanted["name"], by))
            if "hidden" in wanted:
                _unless_so(partial(corrections.hide if wanted["hidden"] else corrections.show, [person], by))
            return _answer(person)

    @extend_schema(
        operation_id="erase_face",
        summary="Erase a person for good",
        parameters=[GRAB_ID_PARAMETER, IF_MATCH],
        responses={200: ErasureSerializer, **errors(UNKNOWN_PERSON, CHANGED, SUCCEEDED, GONE)},
        examples=[ERASURE_EXAMPLE],
    )
    @idempotent
    def destroy(self, request: Request, grab_id: str) -> Response:
        """Delete a person with all faces, vectors and names; nobody finds them again in the same photos, which stay.

        409 `merged`: only who is meant is erased, not somebody whom they became part of.
        """
        with corrections_refused(), transaction.atomic():
            person = self._locked(request, grab_id)
            if person.grab_id != UUID(grab_id):
                raise Refusal.of(SUCCEEDED)
            return Response(ErasureSerializer(privacy.erase(person.event, [person], actor_of(request))).data)

    @extend_schema(
        operation_id="merge_faces",
        summary="Make several people one",
        parameters=[GRAB_ID_PARAMETER],
        request=MergeSerializer,
        responses={200: FaceSerializer, **errors(UNKNOWN_PERSON, SAME_PERSON, OTHER_EVENT, GONE)},
        examples=[FACE_EXAMPLE, MERGE_EXAMPLE],
    )
    @idempotent
    def merge(self, request: Request, grab_id: str) -> Response:
        """Say that this person and others of the event are one; the one with most faces keeps the `grab_id`.

        The answer is that one; the other `grab_id`s lead there. It is on record, and staff can undo it in admin.
        """
        others = checked(MergeSerializer(data=body_of(request)))["grab_ids"]
        persons = [managed_person(request, str(each)) for each in (grab_id, *others)]
        with corrections_refused():
            corrections.merge(persons[0].event, persons, actor_of(request))
        return _answer(managed_person(request, grab_id))

    def _locked(self, request: Request, grab_id: str) -> Face:
        """Return the person, whom nobody else corrects until the transaction ends, as the client wants them to be."""
        lock(managed_person(request, grab_id).event_id)
        person = managed_person(request, grab_id)
        refuse_unseen(request, _shown(person), self.derived)
        return person


def _unless_so(correct: Callable[[], object]) -> None:
    """Make a correction; what is so already is no error for who says how it has to be."""
    try:
        correct()
    except CorrectionError as error:
        if error.code != "unchanged":
            raise


def _answer(person: Face) -> Response:
    return Response(_shown(person))


def _shown(person: Face) -> object:
    counted = Face.objects.with_counts().select_related("event").defer("embedding")
    return FaceSerializer(counted.get(pk=person.pk)).data
