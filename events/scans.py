"""JPEG pictures that come in scans, each of them work on every pixel: a small file may have a hundred thousand."""

from __future__ import annotations

from events.formats import PictureError

MOST_SCANS = 100
"""Progressive photos have some ten; the decoder would go on for hours, a tenth of a second for each in a large one."""

_START, _SCAN, _END = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"


def limited(content: bytes) -> bytes:
    """Return the file, if it is no JPEG or has no more scans; without what lies behind its picture, if that looks so.

    Raises:
        PictureError: `unsupported`.
    """
    if not content.startswith(_START) or content.count(_SCAN) <= MOST_SCANS:
        return content
    # A film behind the picture has these bytes by chance; inside the pixels, its end cannot occur.
    end = content.find(_END, _header_end(content))
    alone = content[: end + len(_END)] if end >= 0 else content
    if alone.count(_SCAN) > MOST_SCANS:
        raise PictureError("unsupported", "The photo is packed in a way that takes too long to read. Save it anew.")
    return alone


def _header_end(content: bytes) -> int:
    """Return where the first scan begins, or the parts before it are not in order."""
    place = 2
    while content[place : place + 1] == b"\xff" and content[place : place + 2] != _SCAN:
        place += 2 + int.from_bytes(content[place + 2 : place + 4], "big")
    return place
