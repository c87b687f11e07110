"""The files of photos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import DefaultContentNegotiation

from events.api.asking import uuids
from events.authentication import managed_events
from events.errors import Refusal
from events.models import ApiKey, Image
from events.schema import STORAGE_UNAVAILABLE, Problem, errors
from events.serving import is_offered, serve
from faces.api.tokens import INVALID_TOKEN, ShownViewSet, grant_of
from faces.gallery import open_images

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpResponseBase
    from rest_framework.request import Request


NOT_OFFERED = Problem(403, "originals_not_offered", "This event offers previews only: ask for the `preview_path`.")


class WhateverIsAccepted(DefaultContentNegotiation):
    """Answers files, which no renderer makes, and errors as JSON, to any Accept header."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class StorageViewSet(ShownViewSet):
    """The files of photos."""

    content_negotiation_class = WhateverIsAccepted

    @extend_schema(
        operation_id="get_file",
        responses={
            (200, "image/*"): OpenApiTypes.BINARY,
            **errors(INVALID_TOKEN, NOT_OFFERED, STORAGE_UNAVAILABLE),
        },
    )
    def retrieve(self, request: Request, key: str) -> HttpResponseBase:
        """Return the file at a `file_path`, `preview_path` or `thumbnail_path`.

        403 `originals_not_offered`: the event keeps its originals; ask for the preview.
        """
        found = _image_at(key, _open_images(request).select_related("event"))
        if found is None:
            self.refuse_strangers(request)
            raise Http404
        image, rendition = found
        to_visitor = not managed_events(request).filter(pk=image.event_id).exists()
        if to_visitor and not is_offered(image.event, rendition):
            raise Refusal.of(NOT_OFFERED)
        return serve(request, image, rendition, to_visitor=to_visitor)


def _open_images(request: Request) -> QuerySet[Image]:
    """Return the photos that whoever asks may see."""
    if isinstance(request.auth, ApiKey):
        return Image.objects.filter(event__in=managed_events(request))
    grant = grant_of(request)
    return open_images(request.user, [grant] if grant else [])


def _image_at(key: str, images: QuerySet[Image]) -> tuple[Image, Image.Rendition] | None:
    """Return which of these photos, and which rendition, is kept under a storage key; never asks the storage itself."""
    match key.split("/"):
        case ["photos", image_id, _]:
            image = images.filter(image_id__in=uuids(image_id)).first()
        case _:
            image = None
    return next(((image, rendition) for rendition in Image.Rendition if image and image.key_of(rendition) == key), None)
