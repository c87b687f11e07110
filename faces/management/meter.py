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
    """Counts up to `total`, and shows how fast and how much longer.

    `head_start`: seconds for which the work has been going on already.
    """

    def __init__(
        self, title: str, total: int, unit: str, *, head_start: float = 0.0, out: TextIO | None = None
    ) -> None:
        self._out = out or sys.stderr
        self._plain = not self._out.isatty()
        # Without smoothing: the rate is that of the whole time, as in the plain lines.
        self._bar = tqdm(total=total, desc=title, unit=unit, file=self._out, disable=self._plain or None, smoothing=0)
        if not self._plain:
            self._bar.start_t -= head_start
        self._title, self._unit, self._done, self._total = title, unit, 0, total
        self._shown = time.monotonic()
        self._started = self._shown - head_start

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.close()
        self._write_line()

    def update(self, done: int = 1) -> None:
        self._done += done
        # More may have come since the total was taken.
        self._bar.total = self._total = max(self._total, self._done)
        self._bar.update(done)
        if time.monotonic() - self._shown >= EVERY:
            self._write_line()

    def _write_line(self) -> None:
        if not self._plain or not self._done:
            return
        self._shown = time.monotonic()
        rate = self._done / max(0.001, self._shown - self._started)
        left = tqdm.format_interval(round((self._total - self._done) / rate))
        self._out.write(
            f"{self._title}: {self._done} of {self._total}, {rate:.1f} {self._unit}s a second, {left} left\n"
        )
        self._out.flush()
