"""A folder that a camera drops photos into while the event runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SETTLED = 2.0
"""Seconds that a file must not have changed for: then whoever writes it is done."""

UNFINISHED = frozenset({".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp"})
"""What programs call a file that they are still writing."""


class Watch:
    """Tells new, complete files from those that are still being written, and from those it told of before."""

    def __init__(self, list_files: Callable[[], Iterable[Path]], now: Callable[[], float] = time.monotonic) -> None:
        self._list_files, self._now = list_files, now
        self._since: dict[Path, tuple[object, float]] = {}
        self._told: dict[Path, object] = {}

    def complete(self) -> Iterator[Path]:
        """Yield the files that have come, or changed, and have settled; each version of a file once."""
        for path in self._list_files():
            if path.suffix.lower() not in UNFINISHED and self._has_settled(path):
                yield path

    def _has_settled(self, path: Path) -> bool:
        look = _fingerprint(path)
        if look == self._told.get(path):
            return False
        before, since = self._since.get(path, (None, 0.0))
        if look != before:
            self._since[path] = (look, self._now())
            return False
        if self._now() - since < SETTLED:
            return False
        del self._since[path]
        self._told[path] = look
        return True


def _fingerprint(path: Path) -> object:
    try:
        info = path.stat()
    except OSError as error:
        return error.errno  # settled as well: whoever takes the file will say what is wrong with it
    return info.st_size, info.st_mtime_ns
