"""`manage.py storage_audit [--delete]`: rows without files, files without rows."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from events import audit

if TYPE_CHECKING:
    from argparse import ArgumentParser

UPLOAD_AGAIN = "Upload the photo again: its file is put back where it was."
REMAKE = "Delete the photo in admin and upload it again: it is made anew."


class Command(BaseCommand):
    help = (
        "Lists photos whose files are missing in the storage, and files in it that belong to no photo. "
        "Ends with 1 when something is wrong. Rows are never deleted."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--delete", action="store_true", help="remove files without rows, and empty folders")
        parser.add_argument(
            "--older-than",
            type=float,
            default=60,
            metavar="MINUTES",
            help="with --delete: leave younger files, an upload in progress stores its file before its row (60)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            wrong = self._audit(delete=options["delete"], older_than=timedelta(minutes=options["older_than"]))
        except OSError as error:
            raise CommandError(f"The storage fails: {error}") from error
        if wrong:
            raise SystemExit(1)

    def _audit(self, *, delete: bool, older_than: timedelta) -> int:
        """Report what does not fit; return how much of it is left."""
        before = timezone.now() - older_than
        findings = audit.audit()
        self._report(findings)
        removed = audit.clean_up(findings.orphans, before) if delete else 0
        if delete:
            self.stdout.write(f"Removed: {removed}. Left, since younger: {len(findings.orphans) - removed}.")
        return len(findings.missing) + len(findings.orphans) - removed

    def _report(self, findings: audit.Findings) -> None:
        for missing in findings.missing:
            hint = UPLOAD_AGAIN if missing.rendition == "original" else REMAKE
            self.stdout.write(f"missing {missing.key} ({missing.event}: {missing.file_name}). {hint}")
        for orphan in findings.orphans:
            self.stdout.write(f"no row  {orphan.key} ({orphan.modified:%Y-%m-%d %H:%M})")
        self.stdout.write(
            f"Photos: {findings.images}. Files: {findings.files}. "
            f"Rows without files: {len(findings.missing)}. Files without rows: {len(findings.orphans)}."
        )
