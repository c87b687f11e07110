"""Threads of a worker process that send webhooks their messages, beside the photos: whoever is slow holds up nobody."""

from __future__ import annotations

import logging
import threading
import time

from django.db import connections

from events import deliveries
from events.queue import DATABASE_AWAY

logger = logging.getLogger(__name__)

MOST = 8
"""Threads of one process. Where all are busy, the next sweep of any process comes back to what is due."""

GRACE = 3.0
"""Seconds for the messages in hand when the process ends; what was cut off is sent once more."""

_free = threading.BoundedSemaphore(MOST)
_stopping = threading.Event()


def send(webhook_id: int) -> None:
    """Begin to send a webhook what is due."""
    if _free.acquire(blocking=False):
        threading.Thread(target=_send, args=(webhook_id,), name=f"courier {webhook_id}", daemon=True).start()


def stop() -> None:
    """Have every thread end after the message in hand, and wait for that a little."""
    _stopping.set()
    deadline = time.monotonic() + GRACE
    for _ in range(MOST):
        _free.acquire(timeout=max(0.0, deadline - time.monotonic()))


def _send(webhook_id: int) -> None:
    try:
        deliveries.deliver(webhook_id, _stopping.is_set)
    except DATABASE_AWAY:
        logger.warning("The database does not answer; webhooks are sent later")
    finally:
        connections.close_all()
        _free.release()
