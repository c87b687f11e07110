"""Is anything lost when processes die? Photos are uploaded and looked at twice, once with nobody disturbing.

In the disturbed run workers are killed at random moments while photos are worked at, the database server once, and the
process that uploads once. Then everything must be as in the other run: every photo that was acknowledged is there once,
looked at, with its files; every face is there once, with the same person. Where the photos do not last until
everything has died that was to die, another event gets the same photos.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections import Counter
from random import Random
from typing import TYPE_CHECKING

from benchmarks import comparison
from benchmarks.following import wait_until_up
from benchmarks.report import Figure
from benchmarks.runs import IN_HAND, SERVER, UPLOADER, WORKER, DisturbedRun, FaultsError, Run, Scene
from events.audit import audit
from faces import crew
from faces.progress import is_done

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from benchmarks.comparison import Recording

METRICS = {
    "kills": "workers",
    "kills_in_hand": "workers",
    "database_kills": "servers",
    "uploader_kills": "processes",
    "lost": "photos",
    "doubled": "photos, faces",
    "differences": "photos, pairs of faces",
    "orphans": "files",
    "seconds": "s",
}
"""The unit of each."""


def measure(
    dataset: str,
    photos: Sequence[Path],
    engine: str,
    data_dir: Path,
    *,
    kills: int,
    seed: int,
    log: Callable[[str], object],
) -> list[Figure]:
    """Measure inside a `private_server_site`, whose data folder is `data_dir`.

    Raises:
        CrewError: the workers cannot use the engine.
        FaultsError: the photos are too few to be disturbed, or something does not go on at all.
    """
    started, processes = time.monotonic(), os.cpu_count() or 1
    with crew.at_work(processes) as workers:
        wait_until_up(workers, processes)
        random = Random(seed)  # noqa: S311 (nothing to guess)
        found = _disturb(Scene(photos, engine, workers, processes, data_dir, random, log), kills)
    values = {**found, "orphans": len(audit().orphans), "seconds": time.monotonic() - started}
    return [Figure("faults", dataset, "grabpic", metric, values[metric], unit) for metric, unit in METRICS.items()]


def _disturb(scene: Scene, kills: int) -> dict[str, float]:
    """Run once undisturbed, then disturbed, until all were killed who were to be; return what was found."""
    expected, pace = _undisturbed(scene)
    to_die = [WORKER] * kills + [SERVER, UPLOADER]
    scene.random.shuffle(to_die)
    found: Counter[str] = Counter()
    for run in _disturbed_runs(scene, to_die, pace):
        found.update(_compare(scene, expected, run))
    return dict(found)


def _undisturbed(scene: Scene) -> tuple[Recording, float]:
    """Return what is to be expected, and the seconds that a photo takes."""
    scene.log(f"undisturbed: {len(scene.photos)} photos, engine {scene.engine}, {scene.processes} workers")
    with Run(scene, "Undisturbed") as run:
        run.settle()
    if not is_done(run.event):
        raise FaultsError("The photos were not done even without any disturbance.")
    return comparison.record(run.event), run.seconds_per_photo()


def _disturbed_runs(scene: Scene, to_die: list[str], pace: float) -> Iterator[DisturbedRun]:
    number = 0
    while to_die:
        number += 1
        scene.log(f"disturbed, run {number}: {len(to_die)} deaths to come")
        with DisturbedRun(scene, f"Disturbed {number}", pace) as run:
            run.kill(to_die)
            run.settle()
        if not run.killed:
            raise FaultsError("The photos were done before anything could be killed: give more photos, or larger ones.")
        yield run


def _compare(scene: Scene, expected: Recording, run: DisturbedRun) -> dict[str, int]:
    found = comparison.record(run.event)
    hashes = {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in scene.photos}
    differences = comparison.differences(expected, found)
    for path, sha256 in hashes.items():
        if sha256 in differences.photos:
            scene.log(f"{path}: {expected.get(sha256)} became {found.get(sha256)}")
    return {
        "kills": run.killed[WORKER],
        "kills_in_hand": run.killed[IN_HAND],
        "database_kills": run.killed[SERVER],
        "uploader_kills": run.killed[UPLOADER],
        "lost": comparison.lost((hashes[path] for path in run.uploader.acknowledged), found),
        "doubled": comparison.doubled(found),
        "differences": len(differences.photos) + differences.pairs,
    }
