"""`manage.py ingest EVENT [PATH …]`: photos from folders and files into an event, faces found and grouped."""

from __future__ import annotations

import json
import signal
import time
from argparse import ArgumentTypeError
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone
from tqdm import tqdm

from events import ingest
from events.models import Event, Image
from events.queue import DATABASE_AWAY
from events.watching import Watch
from faces import grouping, pipeline
from faces.crew import CrewError
from faces.engine import EngineError
from faces.foreground import indexing, usual_processes
from faces.management.meter import Meter
from faces.management.options import positive

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    Done = Callable[[], Iterator[list[Image]]]

PATIENCE = 5.0
"""Seconds before a watch tries again to reach the database."""

PASSING = frozenset({"unreadable", ingest.STORAGE_UNAVAILABLE})
"""Codes of refusals that are not the photo's fault: a watch tries again."""

PARTIAL = frozenset({"empty", "truncated", "broken", "not_an_image"})
"""Codes of what may be the beginning of a photo: a watch gives it some more time before it says so."""


class Command(BaseCommand):
    help = (
        "Takes the new photos of folders and files into an event, finds the faces and groups them. Without a path: "
        "the event's drop folder, STORAGE_PATH/<slug>/ (for the default event STORAGE_PATH, too), and what is pending."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        # So that options may stand between the event and the paths.
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        parser.add_argument("event", help="the event's slug")
        parser.add_argument("paths", nargs="*", type=_path, metavar="path", help="a photo, or a folder with photos")
        parser.add_argument("--create", action="store_true", help="create the event, unpublished, if there is none")
        parser.add_argument("--add-only", action="store_true", help="leave the faces to the workers")
        parser.add_argument("--watch", action="store_true", help="stay, and take photos as they come, until Ctrl-C")
        parser.add_argument("--processes", type=positive, metavar="N", help="default: one for each processor")

    def run_from_argv(self, argv: list[str]) -> None:
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends as Ctrl-C does
        super().run_from_argv(argv)

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["paths"]:
            if not (path.is_file() or path.is_dir()):
                raise CommandError(f"There is no file or folder {path}.")
        event = self._event(options["event"], create=options["create"])
        self._verbose = options["verbosity"] > 1
        try:
            self._run(event, options)
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run it again to go on.", returncode=130) from error
        except (EngineError, CrewError) as error:
            raise CommandError(f"The photos are stored, and pending. {error}") from error
        except DATABASE_AWAY as error:
            reason = error.__cause__ or error
            raise CommandError(f"The database does not answer: {reason}\nRun it again to go on.") from error

    def _run(self, event: Event, options: dict[str, Any]) -> None:
        if options["watch"]:
            self._watch(event, options)
            return
        paths = list(_files(event, options["paths"]))
        if options["add_only"]:
            self._add(event, paths)
        else:
            self.stdout.write(json.dumps(self._ingest(event, paths, options["processes"]).as_dict()))

    def _ingest(self, event: Event, paths: list[Path], processes: int | None) -> pipeline.Counts:
        start = timezone.now()
        if paths or event.images.pending().exists():
            with indexing(event, processes or usual_processes()) as done:
                self._add(event, paths)
                self._report(event, done, start)
        grouping.settle(event)
        return pipeline.counts_since(event, start)

    def _watch(self, event: Event, options: dict[str, Any]) -> None:
        """Take in what has settled, again and again; the workers do the rest, or processes of our own."""
        watch = Watch(lambda: _files(event, options["paths"]))
        processes = options["processes"] or usual_processes()
        with nullcontext() if options["add_only"] else indexing(event, processes) as done:
            self.stdout.write("Watching. Ctrl-C stops.")
            self.stdout.flush()
            while True:
                try:
                    self._take_in(event, watch, done)
                    time.sleep(watch.pause)
                except DATABASE_AWAY:
                    self.stderr.write("The database does not answer; the watch goes on when it does.")
                    connection.close()
                    time.sleep(PATIENCE)

    def _take_in(self, event: Event, watch: Watch, done: Done | None) -> None:
        start, paths = timezone.now(), watch.complete()
        self._add(event, paths, lambda path, outcome: _is_final(watch, path, outcome))
        if done and (paths or event.images.pending().exists()):
            self._report(event, done, start)
            grouping.settle(event)

    def _event(self, slug: str, *, create: bool) -> Event:
        if event := Event.objects.filter(slug=slug).first():
            return event
        if create:
            return _create(slug)
        known = ", ".join(Event.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no event {slug!r} (there are: {known}). Create it in admin, or add --create.")

    def _add(
        self, event: Event, paths: list[Path], is_final: Callable[[Path, ingest.Outcome], bool] = lambda *_: True
    ) -> None:
        """Add the files, and tell the outcomes that are final."""
        if not paths:
            return
        with Meter("Photos", len(paths), "file") as meter:
            for path in paths:
                outcome = ingest.add_path(event, path)
                if is_final(path, outcome):
                    self._tell(path, outcome)
                meter.update()

    def _report(self, event: Event, done: Done, start: datetime) -> None:
        """Follow the photos until none is pending, and name those that failed."""
        # Photos are looked at while others are still being added.
        total = event.images.pending().count() + event.images.filter(processed_at__gte=start).count()
        head_start = (timezone.now() - start).total_seconds()
        with Meter("Faces", total, "photo", head_start=head_start) as meter:
            for images in done():
                meter.update(len(images))
                for image in images:
                    if image.state == Image.State.FAILED:
                        self._name(image.file_name, image.failure_code, image.failure_reason)

    def _tell(self, path: Path, outcome: ingest.Outcome) -> None:
        if isinstance(outcome, ingest.Refused):
            self._name(str(path), outcome.code, outcome.reason)
        elif self._verbose:
            what = "added" if isinstance(outcome, ingest.Added) else "known already"
            self.stdout.write(f"{ingest.printable(str(path))}: {what}")
            self.stdout.flush()

    def _name(self, name: str, code: str, reason: str) -> None:
        """Name a file that did not make it, above the progress bar where there is one."""
        with tqdm.external_write_mode():
            self.stderr.write(f"{ingest.printable(name)}: {code}: {reason}")


def _is_final(watch: Watch, path: Path, outcome: ingest.Outcome) -> bool:
    """Tell whether to speak of this outcome, and let the watch offer the file again where it may change."""
    code = outcome.code if isinstance(outcome, ingest.Refused) else ""
    if code in PARTIAL and watch.doubts(path):
        return False
    if code not in PASSING:
        watch.take(path)
    return True


def _files(event: Event, paths: Iterable[Path]) -> Iterator[Path]:
    if not paths:
        yield from ingest.drop_folder_photos(event)
    for path in paths:
        if path.is_dir():
            yield from ingest.photos_in(path)
        else:
            yield path


def _path(text: str) -> Path:
    if not text:
        # Path("") would be the current folder, and an unset variable of a script all that is in it.
        raise ArgumentTypeError("a path is empty")
    return Path(text)


def _create(slug: str) -> Event:
    event = Event(slug=slug, name=slug)
    try:
        event.full_clean()
    except ValidationError as error:
        raise CommandError(f"No event can be called {slug!r}: {' '.join(error.messages)}") from error
    event.save()
    return event
