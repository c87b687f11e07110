"""Photo files on their way out; whoever calls this has checked that the visitor may see the photo."""

from __future__ import annotations

import logging
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404

from events.errors import storage_unavailable
from events.models import Image

if TYPE_CHECKING:
    from django.http import HttpResponseBase

logger = logging.getLogger(__name__)

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".tif": "image/tiff",
}


def serve(image: Image, rendition: str, *, as_attachment: bool = False) -> HttpResponseBase:
    """Stream a photo's original, preview or thumbnail; the original carries the photographer's file name.

    A storage that fails is answered with 503.

    Raises:
        Http404: there is no such rendition, or its file is not there (yet).
    """
    if rendition not in Image.Rendition.values:
        raise Http404
    key = PurePosixPath(image.key_of(rendition))
    try:
        file = default_storage.open(str(key))
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        logger.error("The storage does not give %s: %s", key, error)  # noqa: TRY400  # as many as a gallery has photos
        return storage_unavailable()
    name = image.file_name if rendition == Image.Rendition.ORIGINAL else key.name
    response = FileResponse(file, as_attachment=as_attachment, filename=name, content_type=CONTENT_TYPES[key.suffix])
    # Not for long, since others may use the device, too; closing a gallery clears the cache where browsers can.
    response["Cache-Control"] = "private, max-age=3600"
    return response
