"""From the album to photo files: composed, lit, turned, dated, written. The same bytes every time."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import PIL
from PIL import ExifTags, Image, ImageFilter

from demo.album import ALBUM, Photo
from demo.layouts import LAYOUTS
from demo.portraits import PORTRAITS
from demo.prints import relight

if TYPE_CHECKING:
    from collections.abc import Callable

RECIPE = ("album.py", "layouts.py", "portraits.py", "photos.py", "prints.py", "scenery.py")
"""The files that decide what the photos look like."""

STORED_AS = {
    # How the pixels of an upright photo are stored under an EXIF orientation.
    3: Image.Transpose.ROTATE_180,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
}


def compose(photo: Photo) -> Image.Image:
    """Return the photo upright, as one sees it."""
    shot = photo.shot
    picture = LAYOUTS[shot.layout](photo)
    if shot.blur:
        picture = picture.filter(ImageFilter.GaussianBlur(shot.blur))
    return relight(picture, shot.light)


def encode(photo: Photo) -> bytes:
    """Return the photo's file, with its EXIF data."""
    shot = photo.shot
    picture = compose(photo)
    if shot.orientation in STORED_AS:
        picture = picture.transpose(STORED_AS[shot.orientation])
    if shot.file_format == "PNG":
        picture = picture.convert("RGBA")
    buffer = io.BytesIO()
    picture.save(buffer, shot.file_format, quality=88, exif=_exif(photo))
    return buffer.getvalue()


def write_album(folder: Path, on_photo: Callable[[Photo], object] = lambda photo: None) -> int:
    """Write all photos of the event into a folder of their own; return how many had to be made.

    They are left alone when this very recipe wrote them before.

    Raises:
        PortraitError: a portrait is missing.
    """
    mark = folder / ".recipe"
    if mark.is_file() and mark.read_text() == _recipe():
        return 0
    folder.mkdir(parents=True, exist_ok=True)
    mark.unlink(missing_ok=True)
    for stale in folder.iterdir():
        stale.unlink()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for photo, content in zip(ALBUM, pool.map(encode, ALBUM), strict=True):
            (folder / photo.file_name).write_bytes(content)
            on_photo(photo)
    mark.write_text(_recipe())
    return len(ALBUM)


def _recipe() -> str:
    """Return a hash of everything that the photos are made by, but for the portraits, whose hashes are in it."""
    here = Path(__file__).parent
    sources = b"\0".join((here / name).read_bytes() for name in RECIPE)
    return hashlib.sha256(PIL.__version__.encode() + sources).hexdigest()


def _exif(photo: Photo) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Grabpic"
    exif[ExifTags.Base.Model] = "Demo"
    exif[ExifTags.Base.Orientation] = photo.shot.orientation
    exif[ExifTags.Base.Copyright] = _credits(photo)
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{photo.taken_at:%Y:%m:%d %H:%M:%S}"
    return exif


def _credits(photo: Photo) -> str:
    portraits = (PORTRAITS[name] for name in photo.shot.portraits)
    lines = [f"{portrait.person}: {portrait.author}, {portrait.licence}, {portrait.source}" for portrait in portraits]
    return "; ".join(lines) or "Painted by Grabpic"
