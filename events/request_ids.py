"""The number of the request at hand: in its answer, in all that is logged meanwhile, and on the page of an error."""

from __future__ import annotations

import uuid
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")


def begin() -> str:
    """Give the request that begins here a number of our own, 32 hex digits; what the client sends is never taken.

    It stays until the next one begins in this thread: an answer is still being sent, and may fail, when the request
    is over for Django.
    """
    number = uuid.uuid4().hex
    _current.set(number)
    return number


def current() -> str:
    """Return the number of the request at hand; empty outside of requests, as in a worker."""
    return _current.get()
