"""What a file is, by its content, whatever its name says; decodes nothing."""

from __future__ import annotations

import re
from typing import IO

from PIL import TiffImagePlugin

EXTENSIONS = {
    "JPEG": ".jpg",
    "MPO": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "HEIF": ".heic",
    "AVIF": ".avif",
    "TIFF": ".tif",
}
"""The formats we take, by Pillow's name, and the extension each is stored under."""

_TAKEN = (
    ("JPEG", rb"\xff\xd8\xff"),
    ("PNG", rb"\x89PNG\r\n\x1a\n"),
    ("WEBP", rb"RIFF.{4}WEBP"),
    ("AVIF", rb".{4}ftyp(avif|avis|(mif1|msf1).{4}(.{4}){0,9}?avi[fs])"),
    ("HEIF", rb".{4}ftyp(he[iv][cxms]|mif1|msf1)"),
    ("TIFF", rb"(II[*+]\0|MM\0[*+])(?!.{4}CR)"),
)
"""Pillow's name of each opener that a stranger's file may reach, and how its files begin."""

_SAVE, _EXPORT, _NO_PHOTO = "Save it as JPEG.", "Export it as JPEG.", "Only photos can be added."

_REFUSED = (
    (rb"GIF8[79]a", "a GIF picture", _SAVE),
    (rb"BM.{4}\0{4}", "a BMP picture", _SAVE),
    (rb"8BPS\0[\x01\x02]", "a Photoshop file", _SAVE),
    (rb"\xff\x0a|\0{3}\x0cJXL \r\n\x87\n", "a JPEG XL picture", _SAVE),
    (rb"\xff\x4f\xff\x51|\0{3}\x0cjP  \r\n\x87\n", "a JPEG 2000 picture", _SAVE),
    (rb"(\xef\xbb\xbf)?\s*(<[?!].*)?<svg\b", "a drawing (SVG)", _SAVE),
    (rb".{4}ftypcrx |(II\*\0|MM\0\*).{4}CR|II\x1a\0{3}HEAPCCDR", "a Canon raw file", _EXPORT),
    (rb"FUJIFILMCCD-RAW ", "a Fujifilm raw file (RAF)", _EXPORT),
    (rb"IIR[OS]|MMOR", "an Olympus raw file (ORF)", _EXPORT),
    (rb"IIU\0", "a Panasonic raw file (RW2)", _EXPORT),
    (rb"%PDF-", "a PDF document", _NO_PHOTO),
    (rb"PK\x03\x04", "a ZIP archive", "Unpack it, and add the photos in it."),
    (rb".{4}(ftyp|moov|mdat|wide|skip|pnot)|RIFF.{4}AVI |\x1a\x45\xdf\xa3", "a video", _NO_PHOTO),
)
"""How files begin that people add by mistake, what they are, and what to do instead."""

_BEGINNING = 1024
"""Bytes that tell what a file is; a drawing may begin with a long comment."""

# Tags of TIFF and their values, as its specification (and that of DNG) calls them.
_NEW_SUBFILE_TYPE, _WIDTH, _COMPRESSION, _PHOTOMETRIC, _SUB_IFDS, _DNG_VERSION = 254, 256, 259, 262, 330, 50706
_REDUCED_RESOLUTION = 1
_SENSOR_DATA = {32803, 34892}
# None, LZW, JPEG, deflate (both its numbers), PackBits, zstd; and what scanners make of black and white.
_COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32946, 32773, 50000}


class PictureError(Exception):
    """This file cannot be used as a photo: `code` is stable, the message is a sentence for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def recognise(file: IO[bytes]) -> str:
    """Return the name of the one Pillow opener that the file is for.

    Raises:
        PictureError: `empty`, `unsupported`, `not_an_image` or `broken`.
    """
    file.seek(0)
    beginning = file.read(_BEGINNING)
    if not beginning:
        raise PictureError("empty", "The file is empty.")
    for opener, pattern in _TAKEN:
        if re.match(pattern, beginning, re.DOTALL):
            if opener == "TIFF":
                _check_tiff(file, beginning)
            return opener
    for pattern, what, advice in _REFUSED:
        if re.match(pattern, beginning, re.DOTALL):
            raise PictureError("unsupported", f"This is {what}, which Grabpic does not take. {advice}")
    message = "This is not a photo that Grabpic can read. Use JPEG, PNG, WebP, HEIC, AVIF or TIFF."
    raise PictureError("not_an_image", message)


def _check_tiff(file: IO[bytes], beginning: bytes) -> None:
    """Refuse what is TIFF only on the outside: raw files, whose first picture is a small preview.

    Raises:
        PictureError: `unsupported`, or `broken`.
    """
    is_big = beginning[2:3] == b"+" or beginning[3:4] == b"+"
    header = beginning[: 16 if is_big else 8]
    first = _directory(file, header, None)
    if _WIDTH not in first:
        raise PictureError("broken", "The file is damaged. Copy it again from the camera.")
    inner = [_directory(file, header, offset) for offset in _numbers(first, _SUB_IFDS)[:8]]
    is_preview = bool(first.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED_RESOLUTION)
    has_sensor_data = any(_SENSOR_DATA.intersection(_numbers(part, _PHOTOMETRIC)) for part in [first, *inner])
    if _DNG_VERSION in first or is_preview or has_sensor_data:
        raise PictureError("unsupported", f"This is a camera's raw file, which Grabpic does not take. {_EXPORT}")
    if not _COMPRESSIONS.issuperset(_numbers(first, _COMPRESSION)):
        raise PictureError("unsupported", f"This TIFF file is packed in a way that Grabpic cannot read. {_SAVE}")


def _directory(file: IO[bytes], header: bytes, offset: int | None) -> TiffImagePlugin.ImageFileDirectory_v2:
    """Return the tags of the directory at this place of the file; without one, of the first."""
    directory = TiffImagePlugin.ImageFileDirectory_v2(header)
    file.seek(directory.next if offset is None else offset)
    directory.load(file)
    return directory


def _numbers(directory: TiffImagePlugin.ImageFileDirectory_v2, tag: int) -> tuple[int, ...]:
    value = directory.get(tag, ())
    return value if isinstance(value, tuple) else (value,)
