"""`manage.py benchmark QUESTION …`: measures Grabpic, side by side with what it began with."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from benchmarks import accuracy, calibration, datasets, faults, fuzz, grouping, ingest, report, web
from benchmarks.population import MEASURED
from benchmarks.runs import FaultsError
from benchmarks.throwaway import private_server_site, throwaway_site
from demo.portraits import PortraitError
from demo.server import ServerError
from events.ingest import photos_in
from events.pictures import PictureError
from faces.crew import CrewError
from faces.engine import EngineError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Iterator

    from benchmarks.report import Figure

EXPECTED = (
    *(datasets.DatasetError, EngineError, CrewError, FaultsError, PictureError, PortraitError),
    *(ServerError, OSError),
)
"""What goes wrong without anybody having made a mistake in the code."""

MUST_BE_ZERO = {"lost", "doubled", "differences", "answers_500", "unanswered", "workers_lost", "unfinished"}


class Command(BaseCommand):
    help = (
        "Measures Grabpic and prints a table, then one JSON object per figure. Works on a database and a media folder "
        "of its own, which are removed at the end; the site's data is neither read nor changed."
    )

    requires_system_checks = ()  # it needs no pages

    def add_arguments(self, parser: ArgumentParser) -> None:
        questions = parser.add_subparsers(dest="question", required=True)
        speed = questions.add_parser("ingest", help="how fast photos get in")
        _add_photos(speed)
        speed.add_argument(
            "--repeat-to", type=int, default=0, metavar="N", help="go on with the same photos, made new, up to N"
        )
        speed.add_argument("--classic-photos", type=int, default=3, metavar="N", help="0 leaves the classic way out")
        losses = questions.add_parser("faults", help="whether anything is lost when processes die")
        _add_photos(losses)
        losses.add_argument("--kills", type=int, default=20, metavar="N", help="of worker processes; default: 20")
        losses.add_argument("--seed", type=int, default=1, help="what chance begins with; default: 1")
        people = questions.add_parser("accuracy", help="how well people are found and told apart")
        _add_dataset(people)
        people.add_argument("--classic-engine", default="facenet", help="whose embeddings the classic algorithm gets")
        people.add_argument(
            "--orders", type=int, default=0, metavar="N", help="how much depends on the order: try N further ones"
        )
        meaning = questions.add_parser("calibration", help="what an engine's similarities mean: its thresholds")
        _add_dataset(meaning)
        crowd = questions.add_parser("grouping", help="how fast and how well a large event is grouped")
        crowd.add_argument("--faces", type=int, default=150_000, metavar="N", help="default: 150000")
        crowd.add_argument("--people", type=int, default=5_000, metavar="N", help="default: 5000")
        crowd.add_argument(
            "--batch", type=int, default=1_000, metavar="N", help="faces that come at once; default: 1000"
        )
        crowd.add_argument("--engine", default=MEASURED, help=f"whose thresholds are used; default: {MEASURED}")
        load = questions.add_parser("web", help="how many selfie searches a second the site answers")
        _add_dataset(load)
        load.add_argument("--rate", type=float, default=20, metavar="N", help="selfies a second; default: 20")
        load.add_argument("--seconds", type=float, default=60, metavar="S", help="default: 60")
        load.add_argument("--side", type=int, default=1280, metavar="PIXELS", help="of the selfies; default: 1280")
        load.add_argument("--faces", type=int, default=20_000, metavar="N", help="of a crowd beside; default: 20000")

        hostile = questions.add_parser("fuzz", help="whether any file breaks the site")
        hostile.add_argument("--mutations", type=int, default=2_000, metavar="N", help="files to send; default: 2000")
        hostile.add_argument("--seed", type=int, default=1, help="what chance begins with; default: 1")
        hostile.add_argument("--engine", default="fake", help="default: fake")

    def handle(self, *args: Any, **options: Any) -> None:
        measure: dict[str, Callable[[dict[str, Any]], list[Figure]]] = {
            "ingest": self._ingest,
            "faults": self._faults,
            "accuracy": self._accuracy,
            "calibration": self._calibration,
            "grouping": self._grouping,
            "fuzz": self._fuzz,
            "web": self._web,
        }
        try:
            figures = measure[options["question"]](options)
        except EXPECTED as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt as error:
            raise CommandError("Stopped; what it had made is removed.", returncode=130) from error
        report.write(figures, self.stdout.write)
        if wrong := [figure.metric for figure in figures if figure.metric in MUST_BE_ZERO and figure.value]:
            raise CommandError(f"Not 0: {', '.join(wrong)}.")

    def _ingest(self, options: dict[str, Any]) -> list[Figure]:
        engine = options["engine"] or settings.FACE_ENGINE
        with _photos(options) as (name, photos), throwaway_site(engine):
            return ingest.measure(
                name,
                photos,
                engine,
                self._log,
                repeat_to=options["repeat_to"],
                classic_photos=options["classic_photos"],
            )

    def _faults(self, options: dict[str, Any]) -> list[Figure]:
        engine = options["engine"] or settings.FACE_ENGINE
        chance = {"kills": options["kills"], "seed": options["seed"]}
        with _photos(options) as (name, photos), private_server_site(engine) as data_dir:
            return faults.measure(name, photos, engine, data_dir, log=self._log, **chance)

    def _accuracy(self, options: dict[str, Any]) -> list[Figure]:
        dataset = datasets.read(options["dataset"], options["limit"])
        engines = options["engine"] or [settings.FACE_ENGINE]
        with throwaway_site():
            return accuracy.measure(dataset, engines, options["classic_engine"], self._log, orders=options["orders"])

    def _calibration(self, options: dict[str, Any]) -> list[Figure]:
        dataset = datasets.read(options["dataset"], options["limit"])
        with throwaway_site():
            return calibration.measure(dataset, options["engine"] or [settings.FACE_ENGINE], self._log)

    def _grouping(self, options: dict[str, Any]) -> list[Figure]:
        size = options["faces"], options["people"], options["batch"]
        with throwaway_site():
            return grouping.measure(*size, options["engine"], self._log)

    def _fuzz(self, options: dict[str, Any]) -> list[Figure]:
        with throwaway_site(options["engine"]):
            return fuzz.measure(options["engine"], options["mutations"], options["seed"], self._log)

    def _web(self, options: dict[str, Any]) -> list[Figure]:
        dataset = datasets.read(options["dataset"], options["limit"])
        engine = (options["engine"] or [settings.FACE_ENGINE])[0]
        load = web.Load(options["rate"], options["seconds"], options["side"], options["faces"])
        with throwaway_site(engine):
            return web.measure(dataset, engine, load, self._log)

    def _log(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def _add_photos(parser: ArgumentParser) -> None:
    parser.add_argument("--photos", type=Path, metavar="DIR", help="the photos, or where to make them")
    parser.add_argument("--limit", type=int, metavar="N", help="take the first N photos only")
    parser.add_argument("--synthesize", type=int, metavar="N", help="make N photos of 24 megapixels first")
    parser.add_argument("--engine", help="default: FACE_ENGINE")


def _add_dataset(parser: ArgumentParser) -> None:
    parser.add_argument("--dataset", type=Path, required=True, help="a folder per person, or photos/ and truth.csv")
    parser.add_argument("--engine", nargs="+", action="extend", metavar="NAME", help="default: FACE_ENGINE")
    parser.add_argument("--limit", type=int, metavar="PEOPLE", help="take the first people only, by name")


@contextmanager
def _photos(options: dict[str, Any]) -> Iterator[tuple[str, list[Path]]]:
    """Yield the name of the set of photos, and the photos; they are made now, if that is wanted."""
    folder: Path | None = options["photos"]
    if count := options["synthesize"]:
        with TemporaryDirectory(prefix="grabpic_photos_") as temporary:
            photos = ingest.synthesize(folder or Path(temporary), count)
            yield f"synthetic-{count}", photos[: options["limit"]]
    elif folder and (photos := list(photos_in(folder))):
        yield folder.resolve().name, photos[: options["limit"]]
    else:
        raise CommandError("There are no photos: give --photos a folder that has some, or --synthesize a number.")
