"""The shapes of what the API takes and answers about persons and their photos."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from events.models import Image
from events.schema import BinaryField, ErrorSerializer
from faces import flaws, search
from faces.gallery import Tier
from faces.probe import POINT


class WantedSerializer(serializers.Serializer[Any]):
    """What a selfie search answers beside the person; in the query or in the form."""

    maybe = serializers.BooleanField(default=False, help_text="As the query parameter.")
    boxes = serializers.BooleanField(default=False, help_text="As the query parameter.")


class MeantSerializer(serializers.Serializer[Any]):
    meant = serializers.ListField(
        child=serializers.RegexField(POINT),
        default=list,
        help_text="`<index>:<x>,<y>`: a point in the face that is meant, in the selfie of that index (the first is 0); "
        "in shares of the upright picture's width and height, from 0 to 1.",
    )


class SelfieSerializer(WantedSerializer, MeantSerializer):
    file = serializers.ListField(
        child=BinaryField(), max_length=search.MOST_SELFIES, help_text="Selfies of one person."
    )


def _boxes(**options: Any) -> serializers.ListField:
    """A field for boxes of faces."""
    box = serializers.ListField(child=serializers.FloatField(), min_length=4, max_length=4)
    return serializers.ListField(child=box, **options)


class UnusableSelfieSerializer(ErrorSerializer):
    """Why a selfie cannot be used."""

    selfie = serializers.IntegerField(required=False, help_text="The index of the selfie that it is about.")
    faces = _boxes(
        required=False,
        help_text="`several_faces` only, the likeliest first: x, y, width, height in shares of the upright picture.",
    )


class FoundSerializer(serializers.Serializer[Any]):
    """`search.Found`, as the API shows it."""

    grab_id = serializers.UUIDField(source="face.grab_id")
    confidence = serializers.SerializerMethodField(help_text="1 - cosine distance to the most similar face.")
    probability = serializers.SerializerMethodField(help_text="How likely this is the same person, from 0 to 1.")

    def get_confidence(self, found: search.Found) -> float:
        return round(found.confidence, 4)

    def get_probability(self, found: search.Found) -> float:
        return round(found.probability, 4)


class GalleryImageSerializer(serializers.Serializer[Image]):
    image_id = serializers.UUIDField()
    file_path = serializers.CharField(source="storage_key", help_text="For `/api/v1/storage/{path}`.")
    preview_path = serializers.SerializerMethodField()
    thumbnail_path = serializers.SerializerMethodField()
    file_name = serializers.CharField()
    tier = serializers.SerializerMethodField(help_text="`maybe`: the token's selfie only may show this person.")
    ingested_at = serializers.DateTimeField(source="created_at")

    def get_preview_path(self, image: Image) -> str:
        return image.key_of(Image.Rendition.PREVIEW)

    def get_thumbnail_path(self, image: Image) -> str:
        return image.key_of(Image.Rendition.THUMBNAIL)

    @extend_schema_field(serializers.ChoiceField(list(Tier)))
    def get_tier(self, image: Image) -> str:
        return Tier.MAYBE if image.pk in self.context.get("maybe", ()) else Tier.SURE


class SelfieFacesSerializer(serializers.Serializer[Any]):
    """Every face of a selfie."""

    faces = _boxes(help_text="x, y, width, height in shares of the upright picture; the face that was meant first.")


class FoundImageSerializer(GalleryImageSerializer):
    """A photo with the boxes of the persons that were found."""

    boxes = serializers.SerializerMethodField(
        help_text="Of the found persons' faces: x, y, width, height in shares of the upright photo."
    )

    @extend_schema_field(_boxes())
    def get_boxes(self, image: Image) -> list[list[float]]:
        boxes: list[list[float]] = self.context["boxes"].get(image.pk, [])
        return boxes


class MatchSerializer(FoundSerializer):
    tier = serializers.ChoiceField(list(Tier), help_text="`maybe`: nobody was surely found, this is the best guess.")
    total = serializers.IntegerField(help_text="How many photos surely show this person.")
    token = serializers.CharField(help_text="Opens the gallery: `Authorization: Bearer <token>`.")
    expires_in = serializers.IntegerField(help_text="Seconds.")
    maybe = FoundSerializer(many=True, required=False, help_text="Best first; only where `maybe` was asked for.")
    maybe_total = serializers.IntegerField(required=False, help_text="How many more photos may show this person.")
    selfies = serializers.ListField(
        child=SelfieFacesSerializer(), required=False, help_text="In the order they were sent; only with `boxes`."
    )
    images = serializers.ListField(
        child=FoundImageSerializer(), required=False, help_text="What the token opens; only with `boxes`."
    )


class GallerySerializer(serializers.Serializer[Any]):
    grab_id = serializers.UUIDField()
    total = serializers.IntegerField()
    images = GalleryImageSerializer(many=True)


GALLERY_EXAMPLE = OpenApiExample(
    "One photo",
    response_only=True,
    value={
        "grab_id": "0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11",
        "total": 1,
        "images": [
            {
                "image_id": "0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10",
                "file_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/0b7e3d3c_IMG_0042.jpg",
                "preview_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/preview.jpg",
                "thumbnail_path": "photos/0b7e3d3c-5f3e-4b8f-9a55-0d5a2c3a7f10/thumbnail.jpg",
                "file_name": "IMG_0042.JPG",
                "tier": "sure",
                "ingested_at": "2026-05-01T12:30:00Z",
            }
        ],
    },
)
MATCH = {
    "grab_id": "0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11",
    "confidence": 0.7312,
    "probability": 0.9998,
    "tier": "sure",
    "total": 14,
    "token": "WzEsWzQyXSxbXV0:1vMKzF:…",
    "expires_in": 259200,
}
GUESS = {"grab_id": "5c1e0a52-93f0-4b8e-8a53-7d5f0f5f3c77", "confidence": 0.4421, "probability": 0.4133}
SELFIE_EXAMPLES = [
    OpenApiExample("found", MATCH, response_only=True, status_codes=["200"]),
    OpenApiExample(
        "found, with maybe=true",
        MATCH | {"maybe": [GUESS], "maybe_total": 2},
        response_only=True,
        status_codes=["200"],
    ),
    OpenApiExample(
        "not sure, with maybe=true",
        MATCH | GUESS | {"tier": "maybe", "total": 0, "maybe": [GUESS], "maybe_total": 2},
        response_only=True,
        status_codes=["200"],
    ),
    OpenApiExample(
        "nobody found",
        {"detail": search.NO_MATCH.reason, "code": search.NO_MATCH.code},
        response_only=True,
        status_codes=["404"],
    ),
    OpenApiExample(
        "several faces",
        {
            "detail": "Several faces detected. Take a selfie with only you in it.",
            "code": "several_faces",
            "selfie": 0,
            "faces": [[0.41, 0.22, 0.2, 0.31], [0.12, 0.3, 0.18, 0.27]],
        },
        response_only=True,
        status_codes=["400"],
    ),
    OpenApiExample(
        "too dark",
        {"detail": flaws.REASONS["too_dark"], "code": "too_dark", "selfie": 0},
        response_only=True,
        status_codes=["400"],
    ),
]
