"""`manage.py benchmark QUESTION …`: measures Grabpic, side by side with what it began with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from benchmarks import accuracy, datasets, report
from benchmarks.throwaway import throwaway_site
from faces.engine import EngineError

if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable

    from benchmarks.report import Figure


class Command(BaseCommand):
    help = (
        "Measures Grabpic and prints a table, then one JSON object per figure. Works on a database and a media folder "
        "of its own, which are removed at the end; the site's data is neither read nor changed."
    )

    requires_system_checks = ()  # it needs no pages

    def add_arguments(self, parser: ArgumentParser) -> None:
        questions = parser.add_subparsers(dest="question", required=True)
        people = questions.add_parser("accuracy", help="how well people are found and told apart")
        people.add_argument("--dataset", type=Path, required=True, help="a folder per person, or photos/ and truth.csv")
        people.add_argument("--engine", action="append", help="may be given several times; default: FACE_ENGINE")
        people.add_argument("--classic-engine", default="facenet", help="whose embeddings the classic algorithm gets")
        people.add_argument("--limit", type=int, metavar="PEOPLE", help="take the first people only, by name")

    def handle(self, *args: Any, **options: Any) -> None:
        measure: dict[str, Callable[[dict[str, Any]], list[Figure]]] = {"accuracy": self._accuracy}
        try:
            figures = measure[options["question"]](options)
        except (datasets.DatasetError, EngineError, OSError) as error:
            raise CommandError(str(error)) from error
        report.write(figures, self.stdout.write)

    def _accuracy(self, options: dict[str, Any]) -> list[Figure]:
        dataset = datasets.read(options["dataset"], options["limit"])
        engines = options["engine"] or [settings.FACE_ENGINE]
        with throwaway_site():
            return accuracy.measure(dataset, engines, options["classic_engine"], self.stderr.write)
