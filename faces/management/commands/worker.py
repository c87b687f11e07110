"""`manage.py worker`: finds and groups the faces of new photos, in processes of its own, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from procrastinate.contrib.django import app, connector_params
from procrastinate.psycopg_connector import PsycopgConnector

from events.models import Event
from events.queue import DATABASE_AWAY
from faces import couriers, crew, pipeline, tasks
from faces.engine import EngineError, get_engine
from faces.management.options import positive
from faces.watchdog import watched

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable
    from types import FrameType

POLL = 0.5
"""Seconds between two looks at the processes, or for photos that another process has in hand."""


class Command(BaseCommand):
    help = (
        "Takes photos from the queue, finds the faces and groups them, until Ctrl-C or SIGTERM. Any number may run, on "
        "any number of machines, with the same DATABASE_URL and storage settings."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--processes",
            type=positive,
            default=os.cpu_count() or 1,
            metavar="N",
            help="default: one for each processor",
        )
        parser.add_argument("--supervised", action="store_true", help=argparse.SUPPRESS)
        parser.add_argument("--event", help=argparse.SUPPRESS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["supervised"]:
                _work(options["event"])
            else:
                self._supervise(options["processes"])
        except crew.CrewError as error:
            raise CommandError(str(error)) from error
        except EngineError as error:
            raise CommandError(str(error), returncode=crew.GAVE_UP) from error
        except DATABASE_AWAY as error:
            reason = f"The database does not answer: {error.__cause__ or error}"
            raise CommandError(reason, returncode=crew.TRY_LATER) from error

    def _supervise(self, processes: int) -> None:
        stopping = _stop_signals()
        _check_migrations()
        with crew.at_work(processes) as workers:
            self.stdout.write(f"Worker processes: {processes}. Ctrl-C stops them.")
            self.stdout.flush()
            while not stopping():
                workers.check()
                workers.keep_alive()
                time.sleep(POLL)
        self.stdout.write("Stopped.")


def _check_migrations() -> None:
    """Raise CommandError where each process would only stumble over missing tables."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise CommandError("The database is not migrated. Run `manage.py migrate` first.")
    connection.close()


def _work(event: str | None) -> None:
    """Be one process of a crew: on the queue, or on one event alone."""
    crew.end_with_parent()
    if event:
        _index(Event.objects.get(slug=event))
    else:
        get_engine(settings.FACE_ENGINE)
        _serve()


def _serve() -> None:
    """Work through the queue until SIGTERM, which ends it after the photo in hand."""
    # It needs two, to listen and to fetch; by itself, the pool would hold four at once.
    connector = PsycopgConnector(kwargs=connector_params(), min_size=1, max_size=4)
    with app.replace_connector(connector), suppress(asyncio.CancelledError):
        asyncio.run(_work_through_the_queue())
    couriers.stop()


async def _work_through_the_queue() -> None:
    async with app.open_async():
        worker = app.run_worker_async(
            concurrency=1,
            delete_jobs="successful",
            update_heartbeat_interval=tasks.HEARTBEAT,
            stalled_worker_timeout=tasks.STALLED,
            shutdown_graceful_timeout=0,
            install_signal_handlers=False,
        )
        work = asyncio.create_task(worker)

        def stop() -> None:
            # A service manager asks every process, and then the crew asks again: once is enough, since a second
            # request would cut short what the first one set going.
            if not work.cancelling():
                work.cancel()

        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        await work


def _index(event: Event) -> None:
    """Index the event's photos as they come, until SIGTERM."""
    stopping = _stop_signals()
    get_engine(event.engine)
    while not stopping():
        with watched(stopping) as stop:
            done = pipeline.index_batch(event, stop)
        if not done:
            time.sleep(POLL)


def _stop_signals() -> Callable[[], bool]:
    """Return a function that tells whether SIGTERM or SIGINT has come."""
    # No threading.Event: its wait would hold the lock that the handler needs.
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    signal.signal(signal.SIGTERM, note)
    signal.signal(signal.SIGINT, note)
    return lambda: bool(came)
