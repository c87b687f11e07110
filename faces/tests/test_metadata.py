"""What the files of a photo tell beside the picture: the original all that is in it, the others nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import ExifTags
from PIL import Image as Picture

from conftest import RED, paint_photo
from events import ingest
from faces import pipeline
from faces.models import ImageFace
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from django.test import Client

    from events.models import Event

ARTIST, PLACE = "Jane Photographer", "(51.0, 30.0, 26.0)"


def taken_somewhere() -> io.BytesIO:
    """Paint a JPEG that says who took it, and where."""
    exif = Picture.Exif()
    exif[ExifTags.Base.Artist] = ARTIST
    exif[ExifTags.IFD.GPSInfo] = {ExifTags.GPS.GPSLatitudeRef: "N", ExifTags.GPS.GPSLatitude: (51.0, 30.0, 26.0)}
    file = io.BytesIO()
    Picture.open(paint_photo(RED)).convert("RGB").save(file, "JPEG", exif=exif, comment=ARTIST.encode(), quality=95)
    file.seek(0)
    return file


def told_by(content: bytes) -> str:
    picture = Picture.open(io.BytesIO(content))
    exif = picture.getexif()
    return str([dict(exif), dict(exif.get_ifd(ExifTags.IFD.GPSInfo)), picture.info.get("comment")])


def test_no_preview_tells_where_and_by_whom_it_was_taken(event: Event, client: Client) -> None:
    outcome = ingest.add(event, taken_somewhere(), "me.jpg")
    assert isinstance(outcome, ingest.Added)
    pipeline.ingest(event)
    face = ImageFace.objects.get()
    photo = f"/photos/{outcome.image.image_id}"
    open_gallery(client, event, [face.pk])
    told = {
        rendition: told_by(client.get(f"{photo}/{rendition}/").getvalue()) for rendition in ("preview", "thumbnail")
    }
    open_gallery(client, event, maybe=[face.pk])
    told["asked"] = told_by(client.get(f"/events/{event.slug}/gallery/asked/{face.pk}/").getvalue())
    assert set(told.values()) == {"[{}, {}, None]"}
    original = told_by(client.get(f"{photo}/original/").getvalue())
    assert ARTIST in original
    assert PLACE in original
