"""`manage.py worker`: finds and groups the faces of new photos, in processes of its own, until it is stopped."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from procrastinate.contrib.django import app

from events.models import Event
from faces import crew, pipeline, tasks
from faces.engine import EngineError, get_engine

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import FrameType

POLL = 0.5
"""Seconds between two looks at the processes, or for photos that another process has in hand."""


class Command(BaseCommand):
    help = (
        "Takes photos from the queue, finds the faces and groups them, until Ctrl-C or SIGTERM. Any number may run, on "
        "any number of machines, with the same DATABASE_URL and storage settings."
    )
    requires_migrations_checks = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--processes", type=_positive, default=os.cpu_count() or 1, help="default: one for each processor"
        )
        parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument("--event", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["supervised"]:
            self._supervise(options["processes"])
            return
        crew.end_with_parent()
        try:
            get_engine(settings.FACE_ENGINE)
            _index(Event.objects.get(slug=options["event"])) if options["event"] else _serve()
        except EngineError as error:
            raise CommandError(str(error)) from error

    def _supervise(self, processes: int) -> None:
        stop = _stop_event()
        with crew.at_work(processes) as workers:
            self.stdout.write(f"{processes} worker processes. Ctrl-C stops them.")
            self.stdout.flush()
            while not stop.wait(POLL):
                workers.keep_alive()
        self.stdout.write("Stopped.")


def _serve() -> None:
    """Work through the queue until SIGTERM, which ends it after the photo in hand."""
    connector = app.connector.get_worker_connector()  # type: ignore[attr-defined]  # DjangoConnector's
    with app.replace_connector(connector):
        app.run_worker(
            concurrency=1,
            delete_jobs="successful",
            update_heartbeat_interval=tasks.HEARTBEAT,
            stalled_worker_timeout=tasks.STALLED,
            shutdown_graceful_timeout=0,
        )


def _index(event: Event) -> None:
    """Index the event's photos as they come, until SIGTERM."""
    stop = _stop_event()
    while not stop.is_set():
        if not pipeline.index_batch(event, stop.is_set):
            stop.wait(POLL)


def _stop_event() -> threading.Event:
    stop = threading.Event()

    def set_it(number: int, frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, set_it)
    signal.signal(signal.SIGINT, set_it)
    return stop


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number
