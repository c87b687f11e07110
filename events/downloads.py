"""How many long downloads a process sends at once, so that slow ones leave threads to everybody else."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING
from weakref import WeakSet

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


class Download:
    """The pieces of a file, as a response streams them; under way until it is closed."""

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        self._pieces.close()
        _under_way.discard(self)


# Weak, since a response that fails before it is sent is closed by nobody.
_under_way: WeakSet[Download] = WeakSet()
_lock = Lock()


def begin(pieces: Generator[bytes]) -> Download | None:
    """Return a download of these pieces, or None where DOWNLOADS_AT_ONCE are under way in this process."""
    with _lock:
        if len(_under_way) >= settings.DOWNLOADS_AT_ONCE:
            return None
        download = Download(pieces)
        _under_way.add(download)
        return download
