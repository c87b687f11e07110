"""`manage.py ingest EVENT [PATH …]`: photos from folders and files into an event, faces found and grouped."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from events import ingest
from events.models import Event, Image
from faces import pipeline
from faces.engine import EngineError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable, Iterator


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

    def handle(self, *args: Any, **options: Any) -> None:
        for path in options["paths"]:
            if not (path.is_file() or path.is_dir()):
                raise CommandError(f"There is no file or folder {path}.")
        event = self._event(options["event"], create=options["create"])
        try:
            self._ingest(event, list(_files(event, options["paths"])))
        except KeyboardInterrupt as error:
            raise CommandError("Stopped. Run it again to go on.", returncode=130) from error

    def _ingest(self, event: Event, paths: list[Path]) -> None:
        self._add(event, paths)
        with tqdm(total=event.images.pending().count(), desc="Faces", unit="photo", disable=None) as bar:
            try:
                counts = pipeline.ingest(event, on_image=lambda image: self._indexed(image, bar))
            except EngineError as error:
                raise CommandError(f"The photos are stored, and pending. {error}") from error
        self.stdout.write(json.dumps(counts.as_dict()))

    def _event(self, slug: str, *, create: bool) -> Event:
        if event := Event.objects.filter(slug=slug).first():
            return event
        if create:
            return _create(slug)
        known = ", ".join(Event.objects.values_list("slug", flat=True)) or "none yet"
        raise CommandError(f"There is no event {slug!r} (there are: {known}). Create it in admin, or add --create.")

    def _add(self, event: Event, paths: list[Path]) -> None:
        for path in tqdm(paths, desc="Photos", unit="file", disable=None):
            outcome = ingest.add_path(event, path)
            if isinstance(outcome, ingest.Refused):
                self._report(str(path), outcome.code, outcome.reason)

    def _indexed(self, image: Image, bar: tqdm[Any]) -> None:
        bar.update()
        if image.state == Image.State.FAILED:
            self._report(image.file_name, image.failure_code, image.failure_reason)

    def _report(self, name: str, code: str, reason: str) -> None:
        """Name a file that did not make it, above the progress bar where there is one."""
        with tqdm.external_write_mode():
            self.stderr.write(f"{name}: {code}: {reason}")


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
