"""JPEG pictures of many scans."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from events import pictures
from events.pictures import PictureError

SCAN = b"\xff\xda"


def progressive(**options: object) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").save(file, "JPEG", progressive=True, **options)
    return file.getvalue()


def test_a_bomb_of_scans_is_refused_before_decoding() -> None:
    photo = progressive()
    bomb = photo[:-2] + photo[photo.rindex(SCAN) : -2] * 100 + photo[-2:]
    with pytest.raises(PictureError) as refusal:
        pictures.load(io.BytesIO(bomb), 256)
    assert refusal.value.code == "unsupported"


def test_what_looks_like_scans_behind_a_photo_does_no_harm() -> None:
    # A small picture among the tags has an end of its own.
    photo = progressive(exif=b"Exif\0\0" + progressive())
    with_film = pictures.load(io.BytesIO(photo + SCAN * 200), 256).pixels
    assert (with_film == pictures.load(io.BytesIO(photo), 256).pixels).all()
