"""API version 1: health and upload."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.core.validators import slug_re
from drf_spectacular.utils import OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status, viewsets
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from events import ingest
from events.authentication import IsStaffOrApiKey, acts_as_staff
from events.errors import Refusal
from events.models import Event

if TYPE_CHECKING:
    from rest_framework.request import Request

EVENT_PARAMETER = OpenApiParameter(
    "event", str, description="The event's slug. Default: the only event, or the newest published one."
)


def requested_event(request: Request) -> Event:
    """Return the event that the request names in `event` (query or form), or the default one.

    Raises:
        Refusal: 404 `unknown_event`, also for a draft unless staff asks.
    """
    events = Event.objects.all() if acts_as_staff(request) else Event.objects.published()
    form = _form(request)
    slug = str(request.query_params.get("event") or form.get("event") or "")
    # The database would choke on what can be no slug, such as a NUL.
    known = events.filter(slug=slug).first() if slug_re.match(slug) else None
    event = known if slug else events.default()
    if event is None:
        reason = f"There is no event {slug!r}." if slug else "No event is published: name one in `event`."
        raise Refusal("unknown_event", reason, status.HTTP_404_NOT_FOUND)
    return event


def _form(request: Request) -> Mapping[str, Any]:
    try:
        data = request.data
    except (RecursionError, UnicodeError) as error:
        # JSON nested a hundred thousand deep, names in an encoding that makes no sense.
        raise Refusal("malformed", "The body of the request cannot be read.") from error
    return data if isinstance(data, Mapping) else {}


class ErrorSerializer(serializers.Serializer[Any]):
    """What every error looks like."""

    detail = serializers.CharField(help_text="A sentence that says what to do.")
    code = serializers.CharField(help_text="Stable, for programs.")


class HealthViewSet(viewsets.ViewSet):
    """Is anybody there?"""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="health",
        responses={200: inline_serializer("Health", {"status": serializers.ChoiceField(["ok"])})},
    )
    def retrieve(self, request: Request) -> Response:
        """Answer as long as the web process does; asks nobody else."""
        return Response({"status": "ok"})


class UploadSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(child=serializers.FileField())


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


class UploadViewSet(viewsets.ViewSet):
    """Photos into an event; each file is added, known already, or refused with its reason."""

    permission_classes = (IsStaffOrApiKey,)
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="upload",
        parameters=[EVENT_PARAMETER],
        request={"multipart/form-data": UploadSerializer},
        responses={
            200: UploadedSerializer,
            **dict.fromkeys((400, 401, 403, 404), ErrorSerializer),
        },
    )
    def create(self, request: Request) -> Response:
        """Take photos (multipart `files`, repeated)."""
        event = requested_event(request)
        files = request.FILES.getlist("files")
        if not files:
            raise Refusal("missing_file", "Send the photos as multipart form field `files`.")
        outcomes = [(file.name, ingest.add(event, file, file.name)) for file in files]
        return Response(
            {
                "uploaded": sum(isinstance(outcome, ingest.Added) for _, outcome in outcomes),
                "files": [
                    _stored(name, outcome) for name, outcome in outcomes if not isinstance(outcome, ingest.Refused)
                ],
                "errors": [
                    {"file": outcome.file_name, "code": outcome.code, "detail": outcome.reason}
                    for _, outcome in outcomes
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
