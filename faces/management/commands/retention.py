"""`manage.py retention`: delete what must not be kept any longer, as the workers do every hour."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from faces import retention

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Deletes the faces of events whose day is over, galleries that have expired, old sessions and old entries of "
        "the audit log, and lists what went."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only list the events and what would go of each")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["dry_run"]:
            self._list([(event, retention.count(event)) for event in retention.overdue()])
            return
        self._list(list(retention.retire_overdue()))
        for name, count in retention.expire().items():
            self.stdout.write(f"{name}: {count}")
        call_command("clearsessions")
        if failed := retention.overdue():
            raise CommandError(f"{len(failed)} events failed; the log says why. Run it again.")

    def _list(self, retired: list[Any]) -> None:
        if not retired:
            self.stdout.write("No event has faces that it must not keep any more.")
        for event, gone in retired:
            figures = "  ".join(f"{name} {number:>7,}" for name, number in asdict(gone).items())
            self.stdout.write(f"{event.slug:<30} until {event.keep_faces_until}  {figures}")
