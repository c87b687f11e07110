"""Photo files on their way out; whoever calls this has checked that the visitor may see the photo."""

from __future__ import annotations

import hashlib
import io
import logging
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpResponse, HttpResponseRedirect
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header

from events import lettering, pictures
from events.errors import storage_unavailable
from events.models import Image
from events.naming import as_picture, harmless

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponseBase
    from rest_framework.request import Request

    from events.models import Event
    from events.s3 import S3Storage

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
    words = image.event.watermark
    if words and rendition == Image.Rendition.PREVIEW:
        return _written_across(image, words)
    file: IO[bytes] = default_storage.open(image.key_of(rendition))
    return file


def _written_across(image: Image, words: str) -> IO[bytes]:
    with default_storage.open(image.key_of(Image.Rendition.PREVIEW)) as file:
        pixels = pictures.load(file, max(image.width, image.height)).pixels
    return io.BytesIO(pictures.to_jpeg(lettering.write_across(pixels, words)))


def serve(
    request: HttpRequest | Request, image: Image, rendition: str, *, to_visitor: bool, as_attachment: bool = False
) -> HttpResponseBase:
    """Answer with a photo's original, preview or thumbnail; the original carries the photographer's file name.

    The caller has checked that whoever asks may see the photo, and a visitor this rendition (`is_offered`). What they
    have already is answered with 304, a storage that fails with 503. Files as they are leave by the shorter way of the
    settings: ACCEL_REDIRECT names them to the proxy, S3_SIGNED_URLS leads to the bucket.

    Raises:
        Http404: there is no such rendition, or its file is not there (yet).
    """
    if rendition not in Image.Rendition.values:
        raise Http404
    words = image.event.watermark if to_visitor and rendition == Image.Rendition.PREVIEW else ""
    answer = HttpResponse(headers=_headers(request, image, rendition, words, as_attachment))
    conditional = get_conditional_response(request, answer["ETag"], response=answer)
    if conditional is not answer:
        return conditional  # type: ignore[return-value]
    try:
        return _filled(answer, request, image, rendition, words)
    except FileNotFoundError as error:
        raise Http404 from error
    except OSError as error:
        problem = error.strerror or type(error).__name__
        logger.error("The storage does not give the %s of %s: %s", rendition, image.image_id, problem)  # noqa: TRY400  # as many as a gallery has photos
        return storage_unavailable()


def _headers(
    request: HttpRequest | Request, image: Image, rendition: str, words: str, as_attachment: bool
) -> dict[str, str]:
    # A photo that fills a tab would come back with the “back” button, also for whoever has the device by then.
    alone = request.headers.get("Sec-Fetch-Dest") == "document"
    return {
        "Content-Type": CONTENT_TYPES[PurePosixPath(image.key_of(rendition)).suffix],
        "Content-Disposition": content_disposition_header(as_attachment, download_name(image, rendition)) or "",
        "ETag": etag(image, rendition, words),
        # Not for long, since others may use the device, too; closing a gallery clears the cache where browsers can.
        "Cache-Control": "private, no-store" if alone else "private, max-age=3600",
        "Vary": "Sec-Fetch-Dest",
    }


def etag(image: Image, rendition: str, words: str = "") -> str:
    """Return what changes with the bytes of a rendition; `words` are written across it while it is sent."""
    if rendition == Image.Rendition.ORIGINAL:
        return f'"{image.sha256}"'
    decisive = [rendition, image.sha256, str(image.turns), words, lettering.STYLE if words else ""]
    return f'"{hashlib.sha256(repr(decisive).encode()).hexdigest()}"'


def _filled(
    answer: HttpResponse, request: HttpRequest | Request, image: Image, rendition: str, words: str
) -> HttpResponseBase:
    """Return the answer with the file, or with where it is.

    Raises:
        OSError: as `open_for_visitors`.
    """
    key = image.key_of(rendition)
    if settings.ACCEL_REDIRECT and not words:
        if not default_storage.exists(key):
            raise FileNotFoundError(key)
        answer["X-Accel-Redirect"] = quote(f"{settings.ACCEL_REDIRECT}{key}")
        return answer
    if settings.S3_SIGNED_URLS and not words and _follows(request):
        address = _bucket().signed_url(key, answer["Content-Type"], answer["Content-Disposition"])
        return HttpResponseRedirect(address, headers={"Cache-Control": "no-store"})
    file = _written_across(image, words) if words else default_storage.open(key)
    response = FileResponse(file)
    for header, value in answer.items():
        response[header] = value
    return response


def _follows(request: HttpRequest | Request) -> bool:
    """Tell whether whoever asks can be sent to another site: scripts of our pages cannot, and HEAD needs no file."""
    return request.method == "GET" and request.headers.get("Sec-Fetch-Mode") != "cors"


def _bucket() -> S3Storage:
    return cast("S3Storage", default_storage)


def storage_origin() -> str:
    """Return where the bucket's files are, for a Content-Security-Policy: scheme, host and port."""
    return _bucket().origin


def download_name(image: Image, rendition: str) -> str:
    """Return the photographer's name of the photo; of previews one by which they can be told apart in a folder."""
    key = PurePosixPath(image.key_of(rendition))
    if rendition == Image.Rendition.THUMBNAIL:
        return key.name
    name = harmless(image.file_name)
    if rendition == Image.Rendition.PREVIEW:
        name = f"{PurePosixPath(name).stem}{key.suffix}"
    return as_picture(name, key.suffix)
