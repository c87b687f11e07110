"""The shapes of events and photos in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field, inline_serializer
from rest_framework import serializers

from events.api.asking import StrictSerializer
from events.models import Event, Image


class EventSerializer(StrictSerializer, serializers.ModelSerializer[Event]):
    """An event; what can be said of one follows from the model."""

    access_code = serializers.CharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=Event._meta.get_field("access_code").max_length,
        help_text="What visitors type in before their selfie. Empty: one is made up. Null for whoever may only read.",
    )

    class Meta:
        model = Event
        fields = (
            "slug",
            "name",
            "date",
            "access",
            "access_code",
            "opens_at",
            "closes_at",
            "organiser",
            "contact",
            "originals",
            "watermark",
            "keep_faces_until",
            "created_at",
        )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        event = self.instance or Event()
        for name, value in attrs.items():
            setattr(event, name, value)
        event.access_code = event.access_code or ""
        # The slug's being unique has been looked at.
        event.full_clean(validate_unique=False)
        # It may have been made up.
        return attrs | {"access_code": event.access_code}

    def to_representation(self, event: Event) -> dict[str, Any]:
        """Keep the code from those who may only read."""
        shown = super().to_representation(event)
        return shown if self.context.get("shows_code") else shown | {"access_code": None}


PHOTOS = inline_serializer(
    "PhotosOfEvent", {state.value: serializers.IntegerField(help_text=state.label) for state in Image.State}
)


class EventDetailSerializer(EventSerializer):
    """An event with counts of what is in it."""

    photos = serializers.SerializerMethodField(help_text="How many, by their state.")
    persons = serializers.SerializerMethodField(help_text="How many the photos show.")

    class Meta(EventSerializer.Meta):
        fields = (*EventSerializer.Meta.fields, "photos", "persons")  # type: ignore[assignment]  # a longer tuple

    @extend_schema_field(PHOTOS)
    def get_photos(self, event: Event) -> dict[str, int]:
        return event.images.all().by_state()

    def get_persons(self, event: Event) -> int:
        # `faces` is known here by name only.
        return event.faces.count()


class ImageSerializer(serializers.ModelSerializer[Image]):
    """A photo."""

    event = serializers.CharField(source="event.slug", help_text="The event's slug.")
    file_path = serializers.CharField(source="storage_key", help_text="For `/api/v1/storage/{path}`.")
    preview_path = serializers.SerializerMethodField(help_text="Null until the photo was looked at.")
    thumbnail_path = serializers.SerializerMethodField(help_text="Null until the photo was looked at.")
    faces = serializers.IntegerField(source="face_count", help_text="How many were found.")

    class Meta:
        model = Image
        fields = read_only_fields = (
            "image_id",
            "event",
            "file_name",
            "state",
            "failure_code",
            "failure_reason",
            "width",
            "height",
            "taken_at",
            "created_at",
            "sha256",
            "file_path",
            "preview_path",
            "thumbnail_path",
            "faces",
        )

    def get_preview_path(self, image: Image) -> str | None:
        return image.key_of(Image.Rendition.PREVIEW) if image.is_looked_at else None

    def get_thumbnail_path(self, image: Image) -> str | None:
        return image.key_of(Image.Rendition.THUMBNAIL) if image.is_looked_at else None


SPRING_RUN: dict[str, Any] = {
    "slug": "spring-run",
    "name": "Spring Run",
    "date": "2026-05-01",
    "access": "code",
    "access_code": "7KQM-2XWT",
    "opens_at": "2026-05-01T16:00:00Z",
    "closes_at": None,
    "organiser": "Spring Run e.V.",
    "contact": "photos@spring-run.example",
    "originals": True,
    "watermark": "",
    "keep_faces_until": "2027-05-01",
    "created_at": "2026-04-12T09:30:00Z",
}
COUNTS = {"photos": {"pending": 120, "indexed": 4310, "no_face": 512, "failed": 2}, "persons": 498}
IMAGE = {
    "image_id": "0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10",
    "event": "spring-run",
    "file_name": "IMG_0042.JPG",
    "state": "indexed",
    "failure_code": "",
    "failure_reason": "",
    "width": 6000,
    "height": 4000,
    "taken_at": "2026-05-01T10:12:31Z",
    "created_at": "2026-05-01T12:30:00Z",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "file_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/0b7e3d3c_IMG_0042.jpg",
    "preview_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/preview.jpg",
    "thumbnail_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/thumbnail.jpg",
    "faces": 3,
}

EVENTS_EXAMPLE = OpenApiExample("One event", SPRING_RUN, response_only=True)
EVENT_EXAMPLE = OpenApiExample("An event", SPRING_RUN | COUNTS, response_only=True)
NEW_EVENT_EXAMPLE = OpenApiExample(
    "An event for those who have a code; which, the answer says",
    {"slug": "spring-run", "name": "Spring Run", "date": "2026-05-01", "access": "code"},
    request_only=True,
)
CHANGE_EXAMPLE = OpenApiExample("Publish it", {"access": "selfie"}, request_only=True)
IMAGE_EXAMPLE = OpenApiExample("A photo", IMAGE, response_only=True)
