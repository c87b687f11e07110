"""API version 1: health, upload, and what staff ask about an event's photos."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.core.validators import slug_re
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema, inline_serializer
from rest_framework import serializers, status, viewsets
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.response import Response

from events import ingest
from events.authentication import IsStaffOrApiKey, managed_events
from events.errors import Refusal, storage_unavailable
from events.models import Event

if TYPE_CHECKING:
    from django.http import HttpResponseBase
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
        Refusal: 404 `unknown_event`, also for a draft; 403 `event_not_open`, `code_required` or `wrong_code`.
    """
    managed = managed_events(request)
    event = _requested(request, Event.objects.announced() | managed)
    if managed.filter(pk=event.pk).exists():
        return event
    if not event.is_published:
        raise Refusal("event_not_open", "This event is not open now.", status.HTTP_403_FORBIDDEN)
    code = _parameter(request, "code")
    if event.access == Event.Access.CODE and not event.accepts_code(code):
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


def body_of(request: Request) -> Any:
    """Return the body as its parser reads it.

    Raises:
        Refusal: 400 `malformed`.
    """
    try:
        return request.data
    except (RecursionError, UnicodeError) as error:
        # JSON nested a hundred thousand deep, names in an encoding that makes no sense.
        raise Refusal("malformed", "The body of the request cannot be read.") from error


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
            **dict.fromkeys((400, 401, 403, 404, 503), ErrorSerializer),
        },
    )
    def create(self, request: Request) -> HttpResponseBase:
        """Take photos (multipart `files`, repeated).

        503 `storage_unavailable` says that the storage took none of them. When it fails later on, the rest is
        listed in `errors` with that code.
        """
        event = managed_event(request)
        files = request.FILES.getlist("files")
        if not files:
            raise Refusal("missing_file", "Send the photos as multipart form field `files`.")
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
                    for outcome in outcomes
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


def checked(serializer: serializers.BaseSerializer[Any]) -> Any:
    """Return what the serializer made of its data.

    Raises:
        Refusal: 400 `bad_request`, naming the first field that cannot be used.
    """
    if not serializer.is_valid():
        raise Refusal("bad_request", _first_problem(serializer.errors))
    return serializer.validated_data


def _first_problem(errors: Any, field: str = "") -> str:
    """Return the first message of the framework's nested errors, after the name of its field."""
    if isinstance(errors, Mapping):
        name, errors = next(iter(errors.items()))
        # What is wrong with the body as a whole, and the places in a list, have no name.
        return _first_problem(errors, field if name == "non_field_errors" or isinstance(name, int) else str(name))
    return f"`{field}`: {errors[0]}" if field else str(errors[0])


class WhichFailedSerializer(serializers.Serializer[Any]):
    image_id = serializers.UUIDField(required=False, help_text="This photo only.")
    code = serializers.SlugField(required=False, help_text="Those that failed for this reason only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        # A typing error would mean all of them.
        if unknown := sorted(set(self.initial_data) - set(self.fields)):
            raise serializers.ValidationError({unknown[0]: "There is no such field."})
        return attrs


class RetryViewSet(viewsets.ViewSet):
    """What failed, once more."""

    permission_classes = (IsStaffOrApiKey,)
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    @extend_schema(
        operation_id="retry",
        parameters=[SLUG_PARAMETER],
        request=WhichFailedSerializer,
        responses={
            200: inline_serializer("Retried", {"retried": serializers.IntegerField()}),
            **dict.fromkeys((400, 401, 403, 404), ErrorSerializer),
        },
        examples=[
            OpenApiExample("All of a reason", {"code": "storage_unavailable"}, request_only=True),
            OpenApiExample("All", {}, request_only=True),
        ],
    )
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

    permission_classes = (IsStaffOrApiKey,)
    parser_classes = (JSONParser,)

    @extend_schema(
        operation_id="known",
        parameters=[SLUG_PARAMETER],
        request=ContentsSerializer,
        responses={
            200: inline_serializer("Known", {"known": serializers.ListField(child=serializers.CharField())}),
            **dict.fromkeys((400, 401, 403, 404), ErrorSerializer),
        },
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
