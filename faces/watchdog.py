"""Ends a process that hangs on a photo, which then counts as one that kills its worker."""

from __future__ import annotations

import faulthandler
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE = 300
"""Seconds between two photos; the slowest of DeepFace's engines takes half a minute for a large one."""


@contextmanager
def watched(stop: Callable[[], bool]) -> Iterator[Callable[[], bool]]:
    """Yield `stop`, which is asked before each photo; if it is not asked again in time, say where, and exit."""

    def ask() -> bool:
        faulthandler.dump_traceback_later(PATIENCE, exit=True)
        return stop()

    try:
        yield ask
    finally:
        faulthandler.cancel_dump_traceback_later()
