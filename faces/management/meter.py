"""Progress on the command line: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from tqdm import tqdm

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self, TextIO

EVERY = 10.0
"""Seconds between two plain lines."""


class Meter:
    """Counts up to `total`, and shows how fast and how much longer."""

    def __init__(self, title: str, total: int, unit: str, out: TextIO = sys.stderr) -> None:
        self._plain, self._out, self._shown = not out.isatty(), out, time.monotonic()
        self._bar = tqdm(total=total, desc=title, unit=unit, file=out, disable=self._plain or None)
        self._title, self._unit, self._done, self._total = title, unit, 0, total
        self._started = self._shown

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()
        if self._plain and self._done:
            self._write_line()

    def update(self, done: int = 1) -> None:
        self._done += done
        # More may have come since the total was taken.
        self._bar.total = self._total = max(self._total, self._done)
        self._bar.update(done)
        if self._plain and time.monotonic() - self._shown >= EVERY:
            self._write_line()

    def _write_line(self) -> None:
        self._shown = time.monotonic()
        rate = self._done / max(0.001, self._shown - self._started)
        left = tqdm.format_interval(round((self._total - self._done) / rate)) if rate else "?"
        self._out.write(f"{self._title}: {self._done} of {self._total}, {rate:.1f} {self._unit}/s, {left} left\n")
        self._out.flush()
