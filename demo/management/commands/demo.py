"""`manage.py demo`: an event of real portraits, searched with selfies over HTTP, then served."""

from __future__ import annotations

import io
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.urls import reverse
from tqdm import tqdm

from demo import server, stage, visitor
from demo.album import ALBUM, LATE_PHOTO, SLUG, TRUTH
from demo.photos import encode, write_album
from demo.portraits import SELFIES, PortraitError, write_selfies
from demo.signals import Stopped, stoppable
from faces.models import ImageFace

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Iterator
    from pathlib import Path

INTERRUPTED = 130
"""The exit code of a program that Ctrl-C ended."""


class Command(BaseCommand):
    help = (
        "Builds a demo event from real portraits, finds the photos of two people with selfies that are not in the "
        "event, and serves the site until Ctrl-C."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port",
            type=int,
            default=8000,
            choices=range(1, 65536),
            metavar="PORT",
            help="where to serve, on 127.0.0.1 (default: 8000)",
        )
        parser.add_argument(
            "--check", action="store_true", help="do not stay up; fail unless each selfie found exactly its photos"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._serving = False
        with stoppable():
            try:
                self._run(options["port"], check=options["check"])
            except Stopped as error:
                self.stdout.write("Stopped.")
                if not self._serving:
                    raise CommandError("The demo was interrupted.", returncode=INTERRUPTED) from error
            except (PortraitError, server.ServerError, visitor.VisitError) as error:
                raise CommandError(str(error)) from error

    def _run(self, port: int, *, check: bool) -> None:
        if check:
            port = server.free_port()
        else:
            server.check_port_is_free(port)
        self._build()
        logs = settings.VAR_DIR / "demo" / ("check" if check else "")
        with ExitStack() as stack:
            with self._step("Starting the web server and a worker"):
                worker = stack.enter_context(server.working(logs / "worker.log"))
                web = stack.enter_context(server.running(port, logs / "server.log"))
            verdicts = self._search(web.site)
            if check:
                self._conclude(web.site, verdicts)
                worker.wait_until_ready()
                self._check_late_photo(web.site, verdicts[0].visit)
            else:
                self._serve(web, worker)

    def _build(self) -> None:
        """Make the event with its photos, or find that all is there."""
        folder = settings.VAR_DIR / "demo" / "photos"
        with self._step("Preparing the database"):
            # With the checks, which say what an external database lacks.
            call_command("migrate", verbosity=0, skip_checks=False)
            event = stage.prepare_event()
        with self._step(f"Composing {len(ALBUM)} photos from real portraits"):
            self._compose(folder)
            write_selfies(settings.VAR_DIR / "demo" / "selfies")
        with self._step("Finding and grouping the faces"):
            stage.remove_outdated_photos(event, folder)
            stage.remove_late_photo()
            call_command("ingest", SLUG, str(folder), stdout=io.StringIO(), stderr=self.stderr)
            stage.choose_cover(event)
        faces = ImageFace.objects.filter(image__event=event).count()
        self._say(f"{event.name}: {event.images.count()} photos, {faces} faces of {event.faces.count()} people.")

    def _compose(self, folder: Path) -> None:
        with tqdm(total=len(ALBUM), desc="Photos", unit="photo", disable=None) as bar:
            write_album(folder, lambda photo: bar.update())

    def _search(self, site: visitor.Site) -> list[visitor.Verdict]:
        """Visit the site once with each selfie that was held back."""
        self._say("Showing selfies that are not among the photos:")
        verdicts = []
        for selfie in SELFIES:
            verdicts.append(visitor.visit_as(site, SLUG, selfie, TRUTH))
            self._say(f"  {verdicts[-1]}")
        return verdicts

    def _conclude(self, site: visitor.Site, verdicts: list[visitor.Verdict]) -> None:
        problems = [str(verdict) for verdict in verdicts if not verdict.is_right]
        for verdict in verdicts:
            problems += visitor.file_problems(site, verdict.visit) if verdict.visit.paths else []
        if problems:
            raise CommandError("\n".join(["The demo does not do what it should:", *problems]))
        self._say("Each selfie found all photos of its person and none of anybody else.")

    def _check_late_photo(self, site: visitor.Site, visit: visitor.Visit) -> None:
        """Upload one more photo of the first selfie's person, wait until it is theirs, and remove it again."""
        try:
            with stage.temporary_api_key() as api_key:
                site.upload(SLUG, encode(LATE_PHOTO), LATE_PHOTO.file_name, api_key)
            seconds = visitor.seconds_until_seen(site, visit, LATE_PHOTO.file_name)
        finally:
            stage.remove_late_photo()
        self._say(f"A photo that came later was in its person's gallery {seconds:.1f} s after its upload.")

    def _serve(self, web: server.Server, worker: server.Worker) -> None:
        """Print all that a visitor of the demo needs, and stay until Ctrl-C."""
        login, api_key = stage.issue_login(), stage.issue_api_key()
        connection.close()
        self._serving = True
        for name, value in (
            ("Site", web.site.url()),
            ("Event", web.site.url(reverse("event", args=[SLUG]))),
            ("Admin", web.site.url(reverse("admin:index"))),
            ("API docs", web.site.url(reverse("docs"))),
            ("Credits", web.site.url(reverse("credits"))),
            ("Staff login", f"{stage.STAFF} / {login}"),
            ("API key", api_key),
            ("Selfies", "var/demo/selfies/"),
            ("Log", str(web.log.relative_to(settings.BASE_DIR))),
            ("Worker log", str(worker.log.relative_to(settings.BASE_DIR))),
        ):
            self._say(f"  {name + ':':13}{value}")
        self._say("Press Ctrl-C to stop.")
        web.wait()

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        """Announce a step, and say how long it took."""
        self._say(f"{title} …")
        start = time.monotonic()
        yield
        self._say(f"  {time.monotonic() - start:.1f} s")

    def _say(self, line: str) -> None:
        """Write a line at once, also where the output is a pipe."""
        self.stdout.write(line)
        self.stdout.flush()
