"""`manage.py reembed EVENT --engine NAME`: another engine for an event that has faces."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from events import ingest
from events.models import Event
from events.queue import DATABASE_AWAY
from faces.engine import EngineError
from faces.management.meter import Meter
from faces.reembedding import AlreadyInUseError, Reembedding

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterable

    from faces.redescribing import Missing

GO_ON = "Run it again to go on."


class Command(BaseCommand):
    help = (
        "Describes all faces of an event with another engine, while everything goes on with the present one; then "
        "switches, and groups the faces anew. Decisions stay, and so do the grab_ids. Stopped at any time, it goes on "
        "when it is run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("event", help="the event's slug")
        parser.add_argument("--engine", required=True, metavar="NAME", help="e.g. facenet+sface, sface, facenet")
        parser.add_argument(
            "--allow-missing",
            action="store_true",
            help="switch although the engine cannot describe some faces: these keep their person, and no selfie finds "
            "them",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        event = _event(options["event"])
        try:
            self._reembed(event, options["engine"], allow_missing=options["allow_missing"])
        except AlreadyInUseError as error:
            raise CommandError(f"{event.slug} uses the engine {event.engine} already.") from error
        except EngineError as error:
            raise CommandError(f"The engine cannot be used. {error}") from error
        except KeyboardInterrupt as error:
            raise CommandError(f"Stopped; nothing was switched. {GO_ON}", returncode=130) from error
        except DATABASE_AWAY as error:
            raise CommandError(f"The database does not answer: {error.__cause__ or error}\n{GO_ON}") from error
        except OSError as error:
            raise CommandError(f"The storage fails: {error}\n{GO_ON}") from error

    def _reembed(self, event: Event, engine: str, *, allow_missing: bool) -> None:
        work = Reembedding(event, engine)
        with Meter("Faces", work.left(), "face", out=cast("TextIO", self.stdout)) as meter:
            for looked_at in work.beside():
                meter.update(looked_at)
        self.stdout.write("Switching, and grouping the faces anew.")
        switched = work.switch(allow_missing=allow_missing)
        self._name(work.missing.values())
        if switched is None:
            raise CommandError(
                f"{len(work.missing)} faces have no vector of {engine}, so nothing was switched. Bring the files back "
                "and run it again, or add --allow-missing: these faces keep their person, and no selfie finds them."
            )
        self.stdout.write(
            f"{event.slug} uses {engine} now. Faces: {switched.faces}, without a vector: {len(work.missing)}. "
            f"People: {switched.people}, of whom {switched.kept} keep their grab_id."
        )
        for name, value in switched.forgotten.items():
            self.stdout.write(f"Its own {name} of {value} was for another engine, and is empty now.")

    def _name(self, missing: Iterable[Missing]) -> None:
        """Name each photo with faces that are missing, once for each reason."""
        counts: dict[tuple[str, str], int] = defaultdict(int)
        for each in missing:
            counts[each.face.image.file_name, each.reason] += 1
        for (file_name, reason), count in counts.items():
            self.stderr.write(f"{ingest.printable(file_name)}: {count} faces: {reason}")


def _event(slug: str) -> Event:
    if event := Event.objects.filter(slug=slug).first():
        return event
    known = ", ".join(Event.objects.values_list("slug", flat=True)) or "none yet"
    raise CommandError(f"There is no event {slug!r} (there are: {known}).")
