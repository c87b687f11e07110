"""`manage.py erase_person GRAB_ID`: delete one person for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from faces import audit_log, privacy
from faces.gallery import images_with
from faces.ledger import CorrectionError, count
from faces.management.person import WHICH, person_with
from faces.models import Face

if TYPE_CHECKING:
    from argparse import ArgumentParser


class Command(BaseCommand):
    help = (
        "Deletes one person of an event with all their faces, for good; they are not found again in the same photos. "
        "The photos stay."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("grab_id", help=WHICH)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        person = person_with(options["grab_id"])
        if not options["yes"]:
            self._ask(person)
        try:
            erasure = privacy.erase(person.event, [person], audit_log.COMMAND)
        except CorrectionError as error:
            raise CommandError("The person has changed meanwhile. Run it again.") from error
        self.stdout.write(f"Erased: {erasure}; taken out of {count(erasure.decisions, 'decision')}.")

    def _ask(self, person: Face) -> None:
        photos = images_with(person).count()
        question = f"Erase {person} of {person.event}, in {count(photos, 'photo')}, for good? Type yes: "
        try:
            answer = input(question)
        except EOFError as error:
            raise CommandError("Nobody answers. Add --yes.") from error
        if answer.strip() != "yes":
            raise CommandError("Nothing was erased.")
