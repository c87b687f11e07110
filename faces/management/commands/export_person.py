"""`manage.py export_person GRAB_ID`: all that is known of one person, as a ZIP file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from faces import audit_log
from faces.export import export, file_name
from faces.management.person import WHICH, person_with

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = "Writes all that is known of one person into a ZIP file: faces, vectors, and the photos. See docs/export.md."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("grab_id", help=WHICH)
        parser.add_argument("--to", type=Path, metavar="FILE", help="where to write it (person-….zip in this folder)")

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_with(options["grab_id"])
        path: Path = options["to"] or Path(file_name(person))
        unfinished = path.with_name(f"{path.name}.part")
        try:
            with unfinished.open("wb") as file:
                file.writelines(export(person, audit_log.COMMAND))
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise CommandError(f"{path} could not be written: {error}") from error
        self.stdout.write(f"{path}: {path.stat().st_size} bytes.")
