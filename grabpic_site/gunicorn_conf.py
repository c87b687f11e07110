"""How gunicorn serves Grabpic: one process, because each loads the engine (some 400 MB), and threads for the rest."""

from __future__ import annotations

import logging
import os
import socket
import struct
from threading import Thread
from typing import Any

import numpy as np

from grabpic_site import settings as site

# Each search on one processor, and several beside each other: together they need a tenth less than when each one uses
# all processors, and a single one takes hardly longer.
os.environ.setdefault("GRABPIC_ENGINE_THREADS", "1")

wsgi_app = "grabpic_site.wsgi"
worker_class = "gthread"
workers = 1
threads = 8
timeout = 120
# Lines as the site's own; it writes one for each request, and leaves out what gunicorn's would tell of visitors.
logconfig_dict = site.LOGGING
# It would make a folder in the home of whoever starts it.
control_socket_disable = True

STALLED = 30
"""Seconds without a byte of a request that has begun; then its thread is needed for others."""


def when_ready(server: Any) -> None:
    """Have connections end that stall: eight telephones that lost their network would occupy all threads for good."""
    for listener in server.LISTENERS:
        # What is accepted inherits it.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", STALLED, 0))


def post_worker_init(worker: object) -> None:
    """Load the engine beside the first requests, so that the first selfie does not wait for it."""
    Thread(target=warm_up, daemon=True).start()


def warm_up() -> None:
    """Load the engine of new events, and use it once; a selfie will say what is wrong where it cannot be used."""
    # Not before the worker has set up Django.
    from django.conf import settings

    from faces.engine import EngineError, get_engine

    try:
        get_engine(settings.FACE_ENGINE).detect(np.zeros((480, 640, 3), np.uint8))
    except EngineError as error:
        logging.getLogger(__name__).warning("The engine cannot be used: %s", error)
