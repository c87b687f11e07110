"""The shapes of people, and of the faces that photos show, in the API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from events.api.asking import StrictSerializer
from faces.corrections import NAME_LENGTH
from faces.models import Face, ImageFace
from faces.privacy import Erasure

MOST_MERGED = 50


class FaceSerializer(serializers.ModelSerializer[Face]):
    """A person."""

    event = serializers.CharField(source="event.slug", help_text="The event's slug.")
    cover = serializers.IntegerField(source="cover_id", allow_null=True, help_text="Of the image faces, the clearest.")
    images = serializers.IntegerField(source="image_count", help_text="How many photos show the person.")

    class Meta:
        model = Face
        fields = read_only_fields = ("grab_id", "event", "name", "hidden", "cover", "images", "created_at")


class FaceChangeSerializer(StrictSerializer):
    """What of a person can be changed; the rest follows from the photos."""

    name = serializers.CharField(
        required=False, allow_blank=True, max_length=NAME_LENGTH, help_text="Empty: takes the name away."
    )
    hidden = serializers.BooleanField(required=False, help_text="No visitor finds a hidden person.")


class MergeSerializer(StrictSerializer):
    grab_ids = serializers.ListField(
        child=serializers.UUIDField(), min_length=1, max_length=MOST_MERGED, help_text="Of the others."
    )


class ErasureSerializer(serializers.Serializer[Erasure]):
    """How much was deleted."""

    faces = serializers.IntegerField()
    photos = serializers.IntegerField(help_text="That showed the person; they stay.")
    galleries = serializers.IntegerField(help_text="Of visitors who had been recognised as this person.")


def quadruple() -> serializers.ListField:
    return serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)


class ImageFaceSerializer(serializers.ModelSerializer[ImageFace]):
    """A face in a photo."""

    image_id = serializers.UUIDField(source="image.image_id")
    grab_id = serializers.UUIDField(
        source="face.grab_id", default=None, allow_null=True, help_text="Null until it was grouped: for some seconds."
    )
    box = serializers.SerializerMethodField(help_text="x, y, width, height in shares of the upright photo.")
    pixels = serializers.SerializerMethodField(help_text="The same in pixels of the upright photo.")
    landmarks = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2),
        help_text="x, y in pixels: right eye, left eye, nose, corners of the mouth; empty where they were not kept.",
    )
    score = serializers.FloatField(help_text="How sure the detector is, from 0 to 1.")
    quality = serializers.FloatField(help_text="How much there is to recognise, from 0 to 1.")

    class Meta:
        model = ImageFace
        fields = read_only_fields = (
            "id",
            "image_id",
            "grab_id",
            "box",
            "pixels",
            "landmarks",
            "score",
            "quality",
        )

    @extend_schema_field(quadruple())
    def get_box(self, face: ImageFace) -> list[float]:
        width, height = face.image.width, face.image.height
        shares = (face.x / width, face.y / height, face.width / width, face.height / height)
        return [round(share, 6) for share in shares]

    @extend_schema_field(quadruple())
    def get_pixels(self, face: ImageFace) -> list[float]:
        return [face.x, face.y, face.width, face.height]


class TargetSerializer(StrictSerializer):
    grab_id = serializers.UUIDField(help_text="Of the person whose face this is.")


ADA: dict[str, Any] = {
    "grab_id": "0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11",
    "event": "spring-run",
    "name": "Ada",
    "hidden": False,
    "cover": 90217,
    "images": 14,
    "created_at": "2026-05-01T12:31:07Z",
}
SEEN: dict[str, Any] = {
    "id": 90217,
    "image_id": "0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10",
    "grab_id": ADA["grab_id"],
    "box": [0.41, 0.22, 0.03, 0.06],
    "pixels": [2460.0, 880.0, 180.0, 240.0],
    "landmarks": [[2510.0, 970.0], [2590.0, 968.0], [2551.0, 1020.0], [2518.0, 1062.0], [2586.0, 1060.0]],
    "score": 0.93,
    "quality": 0.81,
}
OTHER = "5c1e0a52-93f0-4b8e-8a53-7d5f0f5f3c77"

FACE_EXAMPLE = OpenApiExample("A person", ADA, response_only=True)
CHANGE_EXAMPLE = OpenApiExample("A name", {"name": "Ada"}, request_only=True)
MERGE_EXAMPLE = OpenApiExample("One other", {"grab_ids": [OTHER]}, request_only=True)
ERASURE_EXAMPLE = OpenApiExample("Erased", {"faces": 17, "photos": 14, "galleries": 1}, response_only=True)
IMAGE_FACE_EXAMPLE = OpenApiExample("A face", SEEN, response_only=True)
TARGET_EXAMPLE = OpenApiExample("Somebody else's", {"grab_id": OTHER}, request_only=True)
UNGROUPED_EXAMPLE = OpenApiExample("Nobody's for some seconds", SEEN | {"grab_id": None}, response_only=True)
