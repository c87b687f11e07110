"""Photos: what there is, what became of each, and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django.db import transaction
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.response import Response

from events.api.asking import event_at, uuids
from events.api.etags import CHANGED, ETAG, IF_MATCH, IF_NONE_MATCH, NOT_MODIFIED, refuse_unseen
from events.api.events import FILES_LEFT, files_left
from events.api.pages import INVALID_CURSOR, PageQuery, event_query, page
from events.api.rows import RowViewSet
from events.api.serializers import IMAGE_EXAMPLE, ImageSerializer
from events.authentication import managed_events
from events.idempotency import idempotent
from events.models import Event, Image, Scope
from events.schema import UNKNOWN_EVENT, Problem, errors

if TYPE_CHECKING:
    from rest_framework.request import Request

    from events.models import ImageQuerySet

IMAGE_PARAMETER = OpenApiParameter("image_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The photo's.")
UNKNOWN_IMAGE = Problem(404, "not_found", "There is no photo with this image_id.")


class ImagesQuery(PageQuery):
    event = event_query("The slug of an event: its photos only.")
    state = serializers.ChoiceField(Image.State.choices, required=False, help_text="Those in this state only.")
    failure_code = serializers.SlugField(required=False, help_text="Those that failed for this reason only.")
    taken_from = serializers.DateTimeField(required=False, help_text="Those taken then or later only.")
    taken_until = serializers.DateTimeField(required=False, help_text="Those taken before then only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if {"taken_from", "taken_until"} <= attrs.keys() and attrs["taken_from"] >= attrs["taken_until"]:
            raise serializers.ValidationError({"taken_until": "Choose a time after `taken_from`."})
        return attrs


LOOKUPS = {
    "state": "state",
    "failure_code": "failure_code",
    "taken_from": "taken_at__gte",
    "taken_until": "taken_at__lt",
}
"""What each parameter asks of a photo."""


class ImageViewSet(RowViewSet):
    """The photos of events that whoever asks manages."""

    scopes: ClassVar = {"list": Scope.READ, "retrieve": Scope.READ, "destroy": Scope.MANAGE}
    permissions: ClassVar = {"destroy": "events.delete_image"}
    queries: ClassVar = {"list": ImagesQuery}

    @extend_schema(
        operation_id="list_images",
        summary="List photos",
        parameters=[ImagesQuery, IF_NONE_MATCH, ETAG],
        responses={200: ImageSerializer(many=True), **NOT_MODIFIED, **errors(INVALID_CURSOR, UNKNOWN_EVENT)},
        examples=[IMAGE_EXAMPLE],
    )
    def list(self, request: Request) -> Response:
        """List photos in the order in which they came in."""
        images = _images(request)
        if "event" in self.query:
            images = images.filter(event=event_at(self.query["event"], managed_events(request)))
        if "failure_code" in self.query:
            images = images.failed()
        images = images.filter(**{LOOKUPS[name]: value for name, value in self.query.items() if name in LOOKUPS})
        return page(images, ImageSerializer, self, self.query["limit"])

    @extend_schema(
        operation_id="get_image",
        summary="Get a photo",
        parameters=[IMAGE_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={200: ImageSerializer, **NOT_MODIFIED, **errors(UNKNOWN_IMAGE)},
        examples=[IMAGE_EXAMPLE],
    )
    def retrieve(self, request: Request, image_id: str) -> Response:
        """Return what is known of a photo."""
        return Response(ImageSerializer(image_at(image_id, _images(request))).data)

    @extend_schema(
        operation_id="delete_image",
        summary="Delete a photo",
        parameters=[IMAGE_PARAMETER, IF_MATCH],
        responses={204: None, **errors(UNKNOWN_IMAGE, CHANGED, FILES_LEFT)},
    )
    @idempotent
    def destroy(self, request: Request, image_id: str) -> Response:
        """Delete the photo with its files and the faces in it; whoever is in no other photo is gone, too."""
        try:
            with transaction.atomic():
                image = _locked(image_id, _images(request))
                refuse_unseen(request, ImageSerializer(image).data)
                image.delete()
        except OSError as error:
            raise files_left() from error
        return Response(status=status.HTTP_204_NO_CONTENT)


def image_at(image_id: str, images: ImageQuerySet) -> Image:
    """Return the photo of this id, one of `images`.

    Raises:
        NotFound: 404 `not_found`.
    """
    image = images.filter(image_id__in=uuids(image_id)).first()
    if image is None:
        raise NotFound(UNKNOWN_IMAGE.detail)
    return image


def _locked(image_id: str, images: ImageQuerySet) -> Image:
    """Return the photo, which nobody else changes until the transaction ends; the event first, as everybody does."""
    event = image_at(image_id, images).event_id
    Event.objects.select_for_update(no_key=True).filter(pk=event).first()
    return image_at(image_id, images.select_for_update(of=("self",), no_key=True))


def _images(request: Request) -> ImageQuerySet:
    managed = Image.objects.filter(event__in=managed_events(request))
    return managed.select_related("event").with_face_counts()
