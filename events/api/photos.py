"""Photos into an event: upload, what it has already, and what failed once more."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema, inline_serializer
from rest_framework import serializers, viewsets
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.response import Response

from events import ingest
from events.api.asking import (
    EVENT_PARAMETER,
    SLUG_PARAMETER,
    StrictSerializer,
    checked,
    event_at,
    managed_event,
)
from events.authentication import Allowed, managed_events
from events.bodies import body_of
from events.errors import Refusal, storage_unavailable
from events.idempotency import idempotent
from events.models import Scope
from events.schema import STORAGE_UNAVAILABLE, UNKNOWN_EVENT, BinaryField, Problem, errors
from events.uploads import FIELD, strays

if TYPE_CHECKING:
    from django.http import HttpResponseBase
    from rest_framework.request import Request


class UploadSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(child=BinaryField())


class UploadedFileSerializer(serializers.Serializer[Any]):
    file = serializers.CharField(help_text="As the client called it.")
    saved_as = serializers.CharField()
    image_id = serializers.UUIDField()
    duplicate = serializers.BooleanField(help_text="The event had this photo already.")


class RefusedFileSerializer(serializers.Serializer[Any]):
    file = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class UploadedSerializer(serializers.Serializer[Any]):
    uploaded = serializers.IntegerField(help_text="How many of the files are new.")
    files = UploadedFileSerializer(many=True)
    errors = RefusedFileSerializer(many=True)  # type: ignore[assignment]  # the classic name hides DRF's property


MISSING_FILE = Problem(400, "missing_file", "Send the photos as multipart form field `files`.")
TOO_MANY_FILES = Problem(413, "too_many_files", "Send at most 200 files at once.")
HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
UPLOADED = OpenApiExample(
    "One photo is new, one was there, one is none",
    response_only=True,
    value={
        "uploaded": 1,
        "files": [
            {
                "file": "IMG_0042.JPG",
                "saved_as": "0b7e3d3c_IMG_0042.jpg",
                "image_id": "0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10",
                "duplicate": False,
            },
            {
                "file": "IMG_0001.JPG",
                "saved_as": "5c1e0a52_IMG_0001.jpg",
                "image_id": "5c1e0a52-93f0-4b8e-8a53-7d5f0f5f3c77",
                "duplicate": True,
            },
        ],
        "errors": [{"file": "notes.txt", "code": "not_an_image", "detail": "This file is not an image."}],
    },
)


class UploadViewSet(viewsets.ViewSet):
    """Photos into an event; each file is added, known already, or refused with its reason."""

    permission_classes = (Allowed,)
    scopes: ClassVar = {"create": Scope.UPLOAD}
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="upload",
        parameters=[EVENT_PARAMETER],
        request={"multipart/form-data": UploadSerializer},
        responses={
            200: UploadedSerializer,
            **errors(MISSING_FILE, UNKNOWN_EVENT, TOO_MANY_FILES, STORAGE_UNAVAILABLE),
        },
        examples=[UPLOADED],
    )
    @idempotent
    def create(self, request: Request) -> HttpResponseBase:
        """Take photos (multipart `files`, repeated).

        503 `storage_unavailable` says that the storage took none of them. When it fails later on, the rest is
        listed in `errors` with that code.
        """
        event = managed_event(request)
        files = request.FILES.getlist(FIELD)
        if not files:
            raise Refusal.of(MISSING_FILE)
        outcomes = ingest.add_all(event, [(file, file.name) for file in files])
        if ingest.nothing_stored(outcomes):
            return storage_unavailable()
        return Response(
            {
                "uploaded": sum(isinstance(outcome, ingest.Added) for outcome in outcomes),
                "files": [
                    _stored(file.name, outcome)
                    for file, outcome in zip(files, outcomes, strict=True)
                    if not isinstance(outcome, ingest.Refused)
                ],
                "errors": [
                    {"file": outcome.file_name, "code": outcome.code, "detail": outcome.reason}
                    for outcome in (*outcomes, *strays(request.FILES))
                    if isinstance(outcome, ingest.Refused)
                ],
            }
        )


def _stored(file_name: str, outcome: ingest.Added | ingest.Duplicate) -> dict[str, Any]:
    return {
        "file": file_name,
        "saved_as": PurePosixPath(outcome.image.storage_key).name,
        "image_id": outcome.image.image_id,
        "duplicate": isinstance(outcome, ingest.Duplicate),
    }


class WhichFailedSerializer(StrictSerializer):
    image_id = serializers.UUIDField(required=False, help_text="This photo only.")
    code = serializers.SlugField(required=False, help_text="Those that failed for this reason only.")


class RetryViewSet(viewsets.ViewSet):
    """What failed, once more."""

    permission_classes = (Allowed,)
    scopes: ClassVar = {"create": Scope.UPLOAD}
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    @extend_schema(
        operation_id="retry",
        parameters=[SLUG_PARAMETER],
        request=WhichFailedSerializer,
        responses={
            200: inline_serializer("Retried", {"retried": serializers.IntegerField()}),
            **errors(UNKNOWN_EVENT),
        },
        examples=[
            OpenApiExample("Done", {"retried": 3}, response_only=True),
            OpenApiExample("All of a reason", {"code": "storage_unavailable"}, request_only=True),
            OpenApiExample("All", {}, request_only=True),
        ],
    )
    @idempotent
    def create(self, request: Request, slug: str) -> Response:
        """Make failed photos pending again: one (`image_id`), all of a reason (`code`), or with neither all.

        Answers how many they were; a photo that has not failed is none of them.
        """
        event = event_at(slug, managed_events(request))
        which = checked(WhichFailedSerializer(data=body_of(request)))
        return Response({"retried": event.images.all().retry(**which)})


class ContentsSerializer(serializers.Serializer[Any]):
    sha256 = serializers.ListField(
        child=serializers.RegexField(r"\A[0-9a-f]{64}\Z", error_messages={"invalid": "Send 64 lower-case hex digits."}),
        max_length=1000,
        help_text="Of whole files, in lower-case hex.",
    )


class KnownViewSet(viewsets.ViewSet):
    """Which files need not be sent."""

    permission_classes = (Allowed,)
    scopes: ClassVar = {"create": Scope.UPLOAD}
    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="known",
        parameters=[SLUG_PARAMETER],
        request=ContentsSerializer,
        responses={
            200: inline_serializer("Known", {"known": serializers.ListField(child=serializers.CharField())}),
            **errors(UNKNOWN_EVENT),
        },
        examples=[
            OpenApiExample("Two files", {"sha256": [HASH, HASH[::-1]]}, request_only=True),
            OpenApiExample("One is there", {"known": [HASH]}, response_only=True),
        ],
    )
    def create(self, request: Request, slug: str) -> Response:
        """Say which of these contents the event has, so that an upload can go on where it stopped.

        Goes by what is listed, and does not look whether the storage still has the file; but a photo whose file was
        found missing when it was processed counts as unknown, since sending it again repairs it.
        """
        event = event_at(slug, managed_events(request))
        hashes = checked(ContentsSerializer(data=body_of(request)))["sha256"]
        known = event.images.filter(sha256__in=hashes).exclude(failure_code="file_missing")
        return Response({"known": list(known.values_list("sha256", flat=True))})
