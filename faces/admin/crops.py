"""Crops of faces, for the pages of people and photos."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from events.own import of_own_events
from events.pictures import PictureError
from faces import crops
from faces.models import ImageFace

if TYPE_CHECKING:
    from django.http import HttpRequest

logger = logging.getLogger(__name__)

PLACEHOLDER = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 160 160">'
    '<path fill="#888" opacity=".25" d="M0 0h160v160H0z"/>'
    '<g fill="#888"><circle cx="80" cy="62" r="26"/><path d="M28 140c4-26 24-38 52-38s48 12 52 38z"/></g></svg>'
)


@require_safe
def crop(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a face (primary key of `ImageFace`) as a JPEG; a drawing in its place, with 404 or 503, where that fails."""
    face = get_object_or_404(of_own_events(ImageFace.objects.select_related("image"), request, "image__event"), pk=pk)
    try:
        content = crops.crop(face)
    except (FileNotFoundError, PictureError) as error:
        return _placeholder(face, error, 404)
    except OSError as error:
        return _placeholder(face, error, 503)
    response = HttpResponse(content, content_type="image/jpeg")
    # As long as the photos themselves.
    response["Cache-Control"] = "private, max-age=3600"
    return response


def _placeholder(face: ImageFace, error: Exception, status: int) -> HttpResponse:
    # As many as a page has faces.
    logger.warning("No crop of face %s of photo %s: %s", face.pk, face.image.image_id, error)
    return HttpResponse(PLACEHOLDER, content_type="image/svg+xml", status=status, headers={"Cache-Control": "no-store"})
