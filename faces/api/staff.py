"""For staff: ingest, and where an event stands."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response

from events import ingest
from events.api.asking import EVENT_PARAMETER, SLUG_PARAMETER, event_at, managed_event
from events.api.etags import ETAG, IF_NONE_MATCH, NOT_MODIFIED, Tagged
from events.authentication import Allowed, managed_events
from events.errors import Refusal
from events.idempotency import idempotent
from events.models import Image, Scope
from events.schema import UNKNOWN_EVENT, Problem, errors
from faces.progress import DECODED, Failure, Progress, progress
from faces.waiting import NO_WORKER, Done, NoWorker, Unfinished, wait_for_workers

if TYPE_CHECKING:
    from rest_framework.request import Request

logger = logging.getLogger(__name__)


class CountsSerializer(serializers.Serializer[Any]):
    images_processed = serializers.IntegerField()
    faces_detected = serializers.IntegerField()
    new_faces_found = serializers.IntegerField(help_text="New persons.")
    total_faces_known = serializers.IntegerField(help_text="Persons of the event.")


class UnfinishedSerializer(CountsSerializer):
    pending = serializers.IntegerField(help_text="Photos that wait. 0: only the grouping of the faces is left.")


NOBODY_WORKS = Problem(503, "no_worker", f"{NO_WORKER} The photos are stored, and 700 are pending.")
COUNTS = {"images_processed": 300, "faces_detected": 512, "new_faces_found": 41, "total_faces_known": 41}


class IngestViewSet(viewsets.ViewSet):
    """Hear what became of what was uploaded."""

    permission_classes = (Allowed,)
    scopes: ClassVar = {"create": Scope.UPLOAD}
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    @extend_schema(
        operation_id="ingest",
        parameters=[EVENT_PARAMETER],
        request=None,
        responses={
            200: CountsSerializer,
            202: UnfinishedSerializer,
            **errors(UNKNOWN_EVENT, NOBODY_WORKS),
        },
        examples=[
            OpenApiExample("Done", COUNTS, response_only=True, status_codes=["200"]),
            OpenApiExample("Not done", COUNTS | {"pending": 700}, response_only=True, status_codes=["202"]),
        ],
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Take in what lies in the event's drop folder, and wait until the workers are done.

        They begin while photos are being uploaded, without this call. 200: nothing is pending; the counts are of all
        that was processed since the last 200 (in the first one: ever), so those of all such answers add up. 202: not
        done after `INGEST_WAIT_SECONDS`; the counts so far will be in the next 200 again: repeat the call. 503
        `no_worker`: nobody works.
        """
        event = managed_event(request)
        for refused in ingest.add_dropped(event):
            logger.warning("Not taken from the drop folder: %s (%s)", refused.file_name, refused.code)
        match wait_for_workers(event, settings.INGEST_WAIT_SECONDS):
            case NoWorker(pending):
                reason = f"{NO_WORKER} The photos are stored, and {pending} are pending."
                raise Refusal("no_worker", reason, status.HTTP_503_SERVICE_UNAVAILABLE)
            case Unfinished(counts, pending):
                return Response(counts.as_dict() | {"pending": pending}, status.HTTP_202_ACCEPTED)
            case Done(counts):
                return Response(counts.as_dict())


class FailureSerializer(serializers.Serializer[Failure]):
    code = serializers.CharField()
    reason = serializers.CharField(help_text="The sentence of one of them.")
    count = serializers.IntegerField()


class FailedImageSerializer(serializers.Serializer[Image]):
    image_id = serializers.UUIDField()
    file_name = serializers.CharField()
    code = serializers.CharField(source="failure_code")
    reason = serializers.CharField(source="failure_reason")
    thumbnail = serializers.SerializerMethodField(help_text="Its address; null where the photo could not be decoded.")

    def get_thumbnail(self, image: Image) -> str | None:
        if image.failure_code not in DECODED:
            return None
        return reverse("api-storage", args=[image.key_of(Image.Rendition.THUMBNAIL)])


class ProgressSerializer(serializers.Serializer[Progress]):
    images = serializers.IntegerField(help_text="pending + indexed + no_face + failed")
    pending = serializers.IntegerField()
    indexed = serializers.IntegerField()
    no_face = serializers.IntegerField()
    failed = serializers.IntegerField()
    faces = serializers.IntegerField()
    persons = serializers.IntegerField()
    photos_per_second = serializers.FloatField(help_text="In the last minute.")
    seconds_left = serializers.IntegerField(allow_null=True, help_text="Null: nothing is pending, or none can tell.")
    workers = serializers.IntegerField(help_text="Worker processes alive; 0: start one with `manage.py worker`.")
    failures = FailureSerializer(many=True, help_text="The most frequent reason first.")
    failed_images = FailedImageSerializer(many=True, help_text="The first 100.")


EXAMPLE = OpenApiExample(
    "Half way",
    response_only=True,
    value={
        "images": 50000,
        "pending": 24000,
        "indexed": 23210,
        "no_face": 2788,
        "failed": 2,
        "faces": 70114,
        "persons": 498,
        "photos_per_second": 9.6,
        "seconds_left": 2500,
        "workers": 2,
        "failures": [{"code": "truncated", "reason": "The file is cut off. Copy it again.", "count": 2}],
        "failed_images": [
            {
                "image_id": "0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10",
                "file_name": "IMG_0042.JPG",
                "code": "truncated",
                "reason": "The file is cut off. Copy it again.",
                "thumbnail": None,
            }
        ],
    },
)


class ProgressViewSet(Tagged, viewsets.ViewSet):
    """Where an event stands."""

    permission_classes = (Allowed,)
    scopes: ClassVar = {"retrieve": Scope.READ}

    @extend_schema(
        operation_id="progress",
        parameters=[SLUG_PARAMETER, IF_NONE_MATCH, ETAG],
        responses={200: ProgressSerializer, **NOT_MODIFIED, **errors(UNKNOWN_EVENT)},
        examples=[EXAMPLE],
    )
    def retrieve(self, request: Request, slug: str) -> Response:
        """Count the event's photos by state, tell rate and time left, and list what failed. Cheap enough to poll."""
        return Response(ProgressSerializer(progress(event_at(slug, managed_events(request)))).data)
