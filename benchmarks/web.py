"""How many selfie searches a second does the site answer? The real web server, over HTTP.

The event has the photos of a folder per person, and a synthetic crowd beside them; of each person in two photos or
more one photo stays out, and is the selfie. Two runs, against one server that is warm:

- Selfies come at a steady rate, whether or not those before were answered, as visitors do. The time of each counts from
  the moment it was due, so that waiting in line is not hidden (`p50_ms`, `p95_ms`). `searches_per_second` counts right
  answers: somebody was found, or nobody; every other answer is one of the `errors`.
- As many clients as the server has threads send one selfie after the other: `most_searches_per_second`.

What takes the time is measured step by step in this process, on one thread; `cpu_ms` is the web server's processor
time for each search of the first run.
"""

from __future__ import annotations

import io
import time
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import psutil
from django.db import connection
from PIL import Image as Picture

from benchmarks import population
from benchmarks.datasets import DatasetError
from benchmarks.load import Answer, Client, closed_loop, open_loop
from benchmarks.population import MEASURED, Crowd
from benchmarks.report import Figure
from benchmarks.throwaway import environment
from demo import server
from events import ingest, pictures
from events.models import ApiKey, Event, Scope
from faces import crew, grouping, pipeline, probe, search
from faces.engine import get_engine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from benchmarks.datasets import Dataset

    Values = dict[tuple[str, str], float]

PEOPLE_OF_CROWD = 500
SEED = 1
WARM_UP = 5.0
"""Seconds."""

CLIENTS = 8
"""As many as the server has threads; a test compares it with `grabpic_site/gunicorn_conf.py`."""

SAMPLE = 40
"""Selfies that the steps are measured with."""


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` selfies a second for so many `seconds`, each picture `side` pixels long."""

    rate: float
    seconds: float
    side: int
    crowd: int


def measure(dataset: Dataset, engine: str, load: Load, log: Callable[[str], object]) -> list[Figure]:
    """Fill an event, start the web server, and measure it.

    Raises:
        DatasetError: nobody is in two photos.
        EngineError: the engine cannot be used.
        ServerError: the web server does not start.
    """
    kept, selfies = _parted(dataset, load.side)
    event = Event.objects.create(slug="web", name="Web", access=Event.Access.SELFIE, engine=engine)
    _fill(event, kept, load.crowd if engine == MEASURED else 0, log)
    secret = ApiKey.objects.create_key(name="benchmark", scopes=[Scope.SEARCH], every_event=True)[1]
    port = server.free_port()
    client = Client(port, f"/api/v1/auth/selfie?event={event.slug}", secret)
    with (
        TemporaryDirectory(prefix="grabpic_web_") as folder,
        environment(_site(engine)),
        server.running(port, Path(folder) / "web.log") as site,
    ):
        values = _measure_server(site, client, selfies, load, log)
    values |= _steps(event, selfies)
    name = f"{dataset.name}-{event.embeddings.count()}-faces"
    return [Figure("web", name, "grabpic", metric, value, unit) for (metric, unit), value in values.items()]


def _site(engine: str) -> dict[str, str]:
    """Return the environment of a server of this very site, which counts nobody's requests."""
    unlimited = dict.fromkeys(("LIMIT_REQUESTS", "LIMIT_SELFIES"), "")
    return crew.same_site() | unlimited | {"FACE_ENGINE": engine, "LOG_LEVEL": "WARNING"}


def _parted(dataset: Dataset, side: int) -> tuple[list[Path], list[bytes]]:
    """Return the photos of the event, and a selfie of each person in two or more photos."""
    photos: defaultdict[str, list[Path]] = defaultdict(list)
    for photo in dataset.photos:
        photos[photo.labels[0].person].append(photo.path)
    kept = [path for own in photos.values() for path in (own[:-1] or own)]
    selfies = [_selfie(own[-1], side) for own in photos.values() if len(own) > 1]
    if not selfies:
        raise DatasetError("Nobody is in two photos: there is no selfie to take.")
    return kept, selfies


def _selfie(path: Path, side: int) -> bytes:
    with Picture.open(path) as picture:
        scale = side / max(picture.size)
        size = round(picture.width * scale), round(picture.height * scale)
        file = io.BytesIO()
        picture.convert("RGB").resize(size, Picture.Resampling.BICUBIC).save(file, "JPEG", quality=90)
    return file.getvalue()


def _fill(event: Event, photos: Sequence[Path], crowd: int, log: Callable[[str], object]) -> None:
    if crowd:
        log(f"a crowd of {crowd} faces …")
        people = Crowd(crowd, PEOPLE_OF_CROWD, SEED)
        population.add(event, people, people.persons)
        grouping.consolidate(event)
    log(f"{len(photos)} photos …")
    for path in photos:
        ingest.add_path(event, path)
    pipeline.ingest(event)
    with connection.cursor() as cursor:
        # As autovacuum does within a minute or two.
        cursor.execute("VACUUM ANALYZE")


def _measure_server(
    site: server.Server, client: Client, selfies: Sequence[bytes], load: Load, log: Callable[[str], object]
) -> Values:
    closed_loop(client, selfies, CLIENTS, WARM_UP)
    log(f"{load.rate:g} selfies a second for {load.seconds:g} s …")
    cpu, start = _cpu_seconds(site), time.perf_counter()
    answers = open_loop(client, selfies, load.rate, load.seconds)
    values = _as_values(answers, time.perf_counter() - start)
    values["cpu_ms", "ms"] = 1000 * (_cpu_seconds(site) - cpu) / len(answers)
    log("as many as it can …")
    start = time.perf_counter()
    answers = closed_loop(client, selfies, CLIENTS, load.seconds / 3)
    right = sum(answer.is_right for answer in answers)
    values["most_searches_per_second", "1/s"] = right / (time.perf_counter() - start)
    return values


def _as_values(answers: Sequence[Answer], seconds: float) -> Values:
    right = sum(answer.is_right for answer in answers)
    times = 1000 * np.array([answer.seconds for answer in answers])
    return {
        ("searches_per_second", "1/s"): right / seconds,
        ("p50_ms", "ms"): float(np.percentile(times, 50)),
        ("p95_ms", "ms"): float(np.percentile(times, 95)),
        ("max_ms", "ms"): float(times.max()),
        ("errors", "searches"): len(answers) - right,
    }


def _cpu_seconds(site: server.Server) -> float:
    """Return the processor time of the web server's processes."""
    parent = psutil.Process(site.process.pid)
    times = [process.cpu_times() for process in (parent, *parent.children(recursive=True))]
    return sum(float(each.user + each.system) for each in times)


def _steps(event: Event, selfies: Sequence[bytes]) -> Values:
    """Return what the steps of a search take, in the mean: to decode, to detect, to embed, and all the rest of it."""
    engine = get_engine(event.engine)
    stopwatch = _Stopwatch()
    for selfie in selfies[:SAMPLE]:
        with stopwatch.at("decode"):
            pixels = pictures.load(io.BytesIO(selfie), probe.SELFIE_SIDE).pixels
        with stopwatch.at("detect"):
            found = probe.detect(engine, pixels)
        with stopwatch.at("embed"):
            engine.embed(pixels, found[:1])
        with stopwatch.at("find"):
            search.find(event, io.BytesIO(selfie))
    seconds = stopwatch.seconds
    seconds["database"] = seconds.pop("find") - sum(seconds.values())
    return {(f"{step}_ms", "ms"): 1000 * spent / len(selfies[:SAMPLE]) for step, spent in seconds.items()}


class _Stopwatch:
    """Adds up the seconds of each step."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)

    @contextmanager
    def at(self, step: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.seconds[step] += time.perf_counter() - started
