"""Ending on request: Ctrl-C, `kill` and a closed terminal all unwind the program, so that nothing is left running."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator


class Stopped(BaseException):
    """Somebody asked the program to end. Not an Exception: nobody may take it for an error and go on."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Raise Stopped in the main thread when the program is asked to end."""
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup wants it ignored
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, _stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(number: int, frame: object) -> NoReturn:
    # A second Ctrl-C must not cut short what the first one set going.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(signal.Signals(number).name)
