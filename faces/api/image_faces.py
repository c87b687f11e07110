"""The faces that photos show: where they are, and whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import transaction
from django.db.models import Max, Min
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from events.api.asking import checked, event_at
from events.api.etags import ETAG, IF_NONE_MATCH, NOT_MODIFIED
from events.api.images import UNKNOWN_IMAGE, image_at
from events.api.pages import INVALID_CURSOR, PageQuery, event_query, page
from events.api.rows import RowViewSet
from events.authentication import managed_events
from events.bodies import body_of
from events.idempotency import idempotent
from events.models import Image, Scope
from events.schema import UNKNOWN_EVENT, Problem, errors
from faces import audit_log, corrections
from faces.api.asking import GONE, SAME_PERSON, UNKNOWN_PERSON, corrections_refused, managed_person
from faces.api.face_serializers import (
    IMAGE_FACE_EXAMPLE,
    TARGET_EXAMPLE,
    UNGROUPED_EXAMPLE,
    ImageFaceSerializer,
    TargetSerializer,
)
from faces.api.people import OTHER_EVENT
from faces.api.tokens import actor_of
from faces.models import Embedding, ImageFace
from faces.tasks import request_grouping

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from rest_framework.request import Request

    from events.models import Event

ID_PARAMETER = OpenApiParameter("id", OpenApiTypes.INT64, OpenApiParameter.PATH, description="The face's.")

UNKNOWN_FACE = Problem(404, "not_found", "There is no face with this id.")
NOT_GROUPED = Problem(409, "not_grouped", "A chosen face has no person yet. Try again in a few seconds.")
NOTHING_LEFT = Problem(
    409, "nothing_left", "All faces of a person are chosen. Leave some, or move them to another person."
)


class ImageFacesQuery(PageQuery):
    event = event_query("The slug of an event: the faces in its photos.")
    image = serializers.UUIDField(required=False, help_text="The image_id of a photo: the faces in it.")
    face = serializers.UUIDField(required=False, help_text="The grab_id of a person: their faces.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"event", "image", "face"}:
            raise serializers.ValidationError({"event": "Say whose faces: of an `event`, an `image` or a `face`."})
        return attrs


class ImageFaceViewSet(RowViewSet):
    """The faces in photos of events that whoever asks manages."""

    scopes: ClassVar = {"list": Scope.READ, "retrieve": Scope.READ, "move": Scope.MANAGE, "remove": Scope.MANAGE}
    permissions: ClassVar = {
        "list": "faces.view_face",
        "retrieve": "faces.view_face",
        "move": "faces.change_face",
        "remove": "faces.change_face",
    }
    queries: ClassVar = {"list": ImageFacesQuery}

    @extend_schema(
        operation_id="list_image_faces",
        summary="List faces in photos",
        parameters=[ImageFacesQuery, IF_NONE_MATCH, ETAG],
        responses={
            200: ImageFaceSerializer(many=True),
            **NOT_MODIFIED,
            **errors(INVALID_CURSOR, UNKNOWN_EVENT, UNKNOWN_IMAGE, UNKNOWN_PERSON),
        },
        examples=[IMAGE_FACE_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """List the faces in an event's photos, in one photo, or of a person; with several of them, what is all of it.

        In the order in which they were found. The audit log notes who looks.
        """
        return page(self._chosen(request), ImageFaceSerializer, self, self.query["limit"])

    @extend_schema(
        operation_id="get_image_face",
        summary="Get a face in a photo",
        parameters=[ID_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={200: ImageFaceSerializer, **NOT_MODIFIED, **errors(UNKNOWN_FACE)},
        examples=[IMAGE_FACE_EXAMPLE],
    )
    def retrieve(self, request: Request, pk: int) -> Response:
        """Return where in which photo a face is, and whose it is. The audit log notes who looks."""
        face = _face_at(request, pk)
        _note(request, face.image)
        return Response(ImageFaceSerializer(face).data)

    @extend_schema(
        operation_id="move_image_face",
        summary="Give a face to another person",
        parameters=[ID_PARAMETER],
        request=TargetSerializer,
        responses={200: ImageFaceSerializer, **errors(UNKNOWN_FACE, SAME_PERSON, OTHER_EVENT, GONE)},
        examples=[IMAGE_FACE_EXAMPLE, TARGET_EXAMPLE],
    )
    @idempotent
    def move(self, request: Request, pk: int) -> Response:
        """Say whose face this is; a person who has none left becomes part of that one.

        It is on record, binds every later grouping, and staff can undo it in admin.
        """
        wanted = checked(TargetSerializer(data=body_of(request)))["grab_id"]
        face, person = _face_at(request, pk), managed_person(request, str(wanted))
        with corrections_refused():
            corrections.move([face], person, actor_of(request))
        return Response(ImageFaceSerializer(_face_at(request, pk)).data)

    @extend_schema(
        operation_id="remove_image_face",
        summary="Say that a face is not this person's",
        parameters=[ID_PARAMETER],
        request=None,
        responses={200: ImageFaceSerializer, **errors(UNKNOWN_FACE, NOT_GROUPED, NOTHING_LEFT, GONE)},
        examples=[UNGROUPED_EXAMPLE],
    )
    @idempotent
    def remove(self, request: Request, pk: int) -> Response:
        """Take a face from its person for ever; within seconds it gets another one, or a new one.

        It is on record, and staff can undo it in admin.
        """
        face = _face_at(request, pk)
        with corrections_refused(), transaction.atomic():
            corrections.remove([face], actor_of(request))
            request_grouping(face.image.event)
        return Response(ImageFaceSerializer(_face_at(request, pk)).data)

    def _chosen(self, request: Request) -> QuerySet[ImageFace]:
        """Return the faces that the query asks for, and note in the audit log what was looked at."""
        faces, events = _shown(), managed_events(request)
        if "event" in self.query:
            event = event_at(self.query["event"], events)
            faces = _in(event, faces)
            audit_log.record(audit_log.Action.LOOKED, event, actor_of(request), detail="Faces")
        if "image" in self.query:
            image = image_at(str(self.query["image"]), Image.objects.filter(event__in=events).select_related("event"))
            faces = faces.filter(image=image)
            _note(request, image)
        if "face" in self.query:
            person = managed_person(request, str(self.query["face"]))
            faces = faces.filter(face=person)
            audit_log.record(audit_log.Action.LOOKED, person.event, actor_of(request), grab_id=person.grab_id)
        return faces


def _shown() -> QuerySet[ImageFace]:
    return ImageFace.objects.select_related("image__event", "face").defer("face__embedding")


def _in(event: Event, faces: QuerySet[ImageFace]) -> QuerySet[ImageFace]:
    """Return those of the faces that are in the event's photos."""
    described = Embedding.objects.filter(event=event)
    ends = described.aggregate(first=Min("pk"), last=Max("pk"))
    # Else the faces of all events before would be read to find the first one; the photos' event has no index of faces.
    return faces.filter(embedding__event=event, pk__gte=ends["first"] or 0, pk__lte=ends["last"] or 0)


def _face_at(request: Request, pk: int) -> ImageFace:
    face = _shown().filter(image__event__in=managed_events(request), pk=pk).first()
    if face is None:
        raise NotFound(UNKNOWN_FACE.detail)
    return face


def _note(request: Request, image: Image) -> None:
    """Write down whose faces were looked at, as admin does."""
    audit_log.record(audit_log.Action.LOOKED, image.event, actor_of(request), detail=f"Faces of photo {image.pk}")
