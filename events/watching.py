"""A folder that a camera drops photos into while the event runs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

SETTLED = 2.0
"""Seconds that a file must not have changed for: then whoever writes it is done."""

AGAIN = 60.0
"""Seconds after which a file that was offered, and not taken, is offered again."""

LOOK_EVERY = 1.0
"""Seconds between two looks at a small folder; a look takes no more than a fifth of the time."""

STALLED = 30.0
"""Seconds for a writer that has come to a halt in the middle of a photo."""

UNFINISHED = frozenset({".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp"})
"""What programs call a file that they are still writing."""


class Watch:
    """Tells new, complete files from those that are still being written, and from those that were taken before.

    The folder may go away, and come back: what was taken is known by its path, size and time.
    """

    def __init__(self, list_files: Callable[[], Iterable[Path]], now: Callable[[], float] = time.monotonic) -> None:
        self._list_files, self._now = list_files, now
        self._since: dict[Path, tuple[object, float]] = {}
        self._taken: dict[Path, object] = {}
        self._doubted: dict[Path, object] = {}
        self.pause = LOOK_EVERY

    def complete(self) -> list[Path]:
        """Return the files that have come, or changed, and have settled since; `pause` is the time until the next look.

        Each is offered until it is taken, every minute.
        """
        start = self._now()
        files = [path for path in self._files() if path.suffix.lower() not in UNFINISHED and self._has_settled(path)]
        self.pause = max(LOOK_EVERY, 4 * (self._now() - start))
        return files

    def take(self, path: Path) -> None:
        """Leave this version of an offered file out from now on."""
        self._taken[path], _ = self._since.pop(path)

    def doubts(self, path: Path) -> bool:
        """Tell whether an offered file may still be growing; if so, it is offered once more when it has not."""
        look, _ = self._since[path]
        if look == self._doubted.get(path):
            return False
        self._doubted[path] = look
        self._since[path] = (look, self._now() + STALLED - SETTLED)
        return True

    def _files(self) -> Iterator[Path]:
        try:
            yield from self._list_files()
        except OSError:
            return  # it went away between two steps of the look; the next look finds what is there

    def _has_settled(self, path: Path) -> bool:
        look, now = _fingerprint(path), self._now()
        if look == self._taken.get(path):
            return False
        before, since = self._since.get(path, (None, 0.0))
        if look != before:
            self._since[path] = (look, now)
            return False
        if now - since < SETTLED:
            return False
        self._since[path] = (look, now + AGAIN)
        return True


def _fingerprint(path: Path) -> object:
    try:
        info = path.stat()
    except OSError as error:
        return error.errno  # settled as well: whoever takes the file will say what is wrong with it
    return info.st_size, info.st_mtime_ns
