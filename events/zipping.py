"""Many photos as one ZIP that is made while it is sent: no temporary file, and a piece of one photo in memory."""

from __future__ import annotations

import io
import logging
from collections import Counter
from pathlib import PurePosixPath
from typing import IO, TYPE_CHECKING, Any
from zipfile import ZipFile, ZipInfo

from django.utils import timezone
from django.utils.translation import gettext

from events.naming import harmless
from events.pictures import PictureError
from events.serving import download_name, open_for_visitors

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator

    from events.models import Image

logger = logging.getLogger(__name__)

CHUNK = 1 << 18
"""Bytes that are read at once."""

NOTE = "NOT_INCLUDED.txt"

EARLIEST, LATEST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)
"""The times that a ZIP can hold."""


def stream(images: Iterable[Image], rendition: str) -> Generator[bytes]:
    """Return the pieces of a ZIP of what visitors get of these photos, stored as they are, under names of their own.

    A photo that cannot be read, or not to its end, is named in NOT_INCLUDED.txt in the ZIP instead.
    """
    # Now, since the language of the request is not in force any more when the last piece is asked for.
    sentence = gettext("These photos could not be read. Try again later, or ask the organiser:")
    return _pieces(images, rendition, sentence)


def _pieces(images: Iterable[Image], rendition: str, sentence: str) -> Generator[bytes]:
    archive, names = Archive(), _Names()
    missing: list[str] = []
    for image in images:
        name = names.claim(download_name(image, rendition))
        try:
            with open_for_visitors(image, rendition) as file:
                yield from archive.add(name, image, file)
        except (OSError, PictureError) as error:
            logger.error("The ZIP goes without %s: %s", image.image_id, error)  # noqa: TRY400  # as many as there are photos
            missing.append(name)
    if missing:
        archive.write(NOTE, "\r\n".join([sentence, "", *missing, ""]))
    yield archive.finish()


class Archive:
    """A ZIP file whose pieces are given as they come into being.

    The module of the standard library writes to what cannot be rewound, and dates its entries.
    """

    def __init__(self) -> None:
        self._pipe = _Pipe()
        self._zip = ZipFile(self._pipe, "w")

    def add(self, name: str, image: Image, file: IO[bytes]) -> Iterator[bytes]:
        """Add a file of this photo, dated as the photo, and yield the pieces.

        Raises:
            OSError: it cannot be read to its end; it is no entry of the ZIP then.
        """
        info = ZipInfo(name, _date(image))
        try:
            with self._zip.open(info, "w") as entry:
                while chunk := file.read(CHUNK):
                    entry.write(chunk)
                    yield self._pipe.take()
        except OSError:
            # What has gone is in the stream, but nobody is led to it: half a photo is none.
            self._zip.filelist.remove(info)
            raise
        yield self._pipe.take()

    def write(self, name: str, text: str) -> None:
        self._zip.writestr(name, text)

    def finish(self) -> bytes:
        """Return the last piece."""
        self._zip.close()
        return self._pipe.take()


class _Pipe(io.RawIOBase):
    """Keeps what is written until it is taken; cannot be rewound, which makes ZipFile write sizes after the files."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []

    def write(self, data: Any) -> int:
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


class _Names:
    """Gives each file a name of its own, also for systems to which capital letters are the same as small ones."""

    def __init__(self) -> None:
        self._taken = {NOTE.casefold()}
        self._count: Counter[str] = Counter()

    def claim(self, wanted: str) -> str:
        name = harmless(wanted)
        stem, suffix, key = PurePosixPath(name).stem, PurePosixPath(name).suffix, name.casefold()
        while name.casefold() in self._taken:
            self._count[key] += 1
            name = f"{stem} ({self._count[key] + 1}){suffix}"
        self._taken.add(name.casefold())
        return name


def _date(image: Image) -> tuple[int, int, int, int, int, int]:
    taken = timezone.localtime(image.taken_at or image.created_at)
    date = (taken.year, taken.month, taken.day, taken.hour, taken.minute, taken.second)
    return min(max(date, EARLIEST), LATEST)
