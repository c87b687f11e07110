"""Photo files on their way out; whoever calls this has checked that the visitor may see the photo."""

from __future__ import annotations

import io
import logging
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404

from events import lettering, pictures
from events.errors import storage_unavailable
from events.models import Image

if TYPE_CHECKING:
    from django.http import HttpResponseBase

    from events.models import Event

logger = logging.getLogger(__name__)

CONTENT_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".heic": "image/heic",
    ".avif": "image/avif",
    ".tif": "image/tiff",
}


def is_offered(event: Event, rendition: str) -> bool:
    """Tell whether visitors may have this rendition of the event's photos."""
    return event.originals or rendition != Image.Rendition.ORIGINAL


def rendition_for_download(event: Event) -> Image.Rendition:
    """Return what visitors keep of the event's photos."""
    return Image.Rendition.ORIGINAL if event.originals else Image.Rendition.PREVIEW


def open_for_visitors(image: Image, rendition: str) -> IO[bytes]:
    """Open what a visitor gets of a photo: previews carry the event's watermark.

    Raises:
        FileNotFoundError: the file is not there (yet).
        OSError: the storage fails.
    """
    file: IO[bytes] = default_storage.open(image.key_of(rendition))
    words = image.event.watermark
    if not words or rendition != Image.Rendition.PREVIEW:
        return file
    with file:
        pixels = pictures.load(file, max(image.width, image.height)).pixels
    return io.BytesIO(pictures.to_jpeg(lettering.write_across(pixels, words)))


def serve(image: Image, rendition: str, *, to_visitor: bool, as_attachment: bool = False) -> HttpResponseBase:
    """Stream a photo's original, preview or thumbnail; the original carries the photographer's file name.

    The caller has checked that a visitor may have this rendition (`is_offered`). A storage that fails is answered
    with 503.

    Raises:
        Http404: there is no such rendition, or its file is not there (yet).
    """
    if rendition not in Image.Rendition.values:
        raise Http404
    key = PurePosixPath(image.key_of(rendition))
    try:
        file = open_for_visitors(image, rendition) if to_visitor else default_storage.open(str(key))
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        logger.error("The storage does not give %s: %s", key, error)  # noqa: TRY400  # as many as a gallery has photos
        return storage_unavailable()
    name = download_name(image, rendition)
    response = FileResponse(file, as_attachment=as_attachment, filename=name, content_type=CONTENT_TYPES[key.suffix])
    # Not for long, since others may use the device, too; closing a gallery clears the cache where browsers can.
    response["Cache-Control"] = "private, max-age=3600"
    return response


def download_name(image: Image, rendition: str) -> str:
    """Return the photographer's name of the photo; of previews one by which they can be told apart in a folder."""
    key = PurePosixPath(image.key_of(rendition))
    if rendition == Image.Rendition.ORIGINAL:
        return image.file_name
    return f"{PurePosixPath(image.file_name).stem}{key.suffix}" if rendition == Image.Rendition.PREVIEW else key.name
