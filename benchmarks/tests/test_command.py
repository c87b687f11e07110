"""The command end to end, on painted photos: to the `fake` engine a colour is a person."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from benchmarks import calibration, faults, runs
from benchmarks.following import Follower
from benchmarks.labelled import Faces
from benchmarks.management.commands import benchmark
from benchmarks.report import Figure
from benchmarks.tests.test_calibration import crowd
from conftest import BLUE, GREEN, RED, paint_photo
from events import queue
from events.models import Image

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("own_database")

KEYS = ["benchmark", "dataset", "subject", "metric", "value", "unit"]


def _run(*arguments: object) -> list[dict[str, Any]]:
    out = io.StringIO()
    call_command("benchmark", *map(str, arguments), stdout=out)
    figures = [json.loads(line) for line in out.getvalue().splitlines() if line.startswith("{")]
    assert all(list(figure) == KEYS for figure in figures)
    return figures


def _values(figures: list[dict[str, Any]], subject: str) -> dict[str, float]:
    return {figure["metric"]: figure["value"] for figure in figures if figure["subject"] == subject}


def _save(path: Path, *colours: tuple[int, int, int], shade: int, size: tuple[int, int] = (400, 300)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(paint_photo(*colours, shade=shade, size=size).getvalue())


def test_accuracy_of_a_folder_per_person(tmp_path: Path) -> None:
    for person, colour in (("Red", RED), ("Green", GREEN)):
        for number in range(3):
            _save(tmp_path / "people" / person / f"{number}.png", colour, shade=100 + number)
    _save(tmp_path / "people" / "Blue" / "0.png", BLUE, shade=100)
    engines = "--engine", "fake", "fake", "--engine", "fake", "--classic-engine", "fake"
    figures = _run("accuracy", "--dataset", tmp_path / "people", *engines)
    assert {(figure["benchmark"], figure["dataset"]) for figure in figures} == {("accuracy", "people")}
    for subject in ("fake", "classic"):
        values = _values(figures, subject)
        assert values["bcubed_f"] == values["sure_precision"] == values["sure_recall"] == 1
        assert values["groups_per_person"] == 1
        assert values["mixed_persons"] == values["nothing_found"] == values["strangers_shown"] == 0
    ours = _values(figures, "fake")
    assert ours["all_precision"] == ours["all_recall"] == ours["bcubed_f_incremental"] == 1
    assert ours["strangers_shown_all"] == 0
    assert "detection_recall" not in ours
    assert "bcubed_f_spread" not in ours
    assert "sure_recall_3" not in ours, "nobody is in more photos than the three that would be selfies"
    assert "all_recall" not in values, "the classic algorithm has one tier"


def test_accuracy_of_photos_with_their_truth(tmp_path: Path) -> None:
    lines = ["photo,person,x,y,w,h"]
    for number in range(3):
        # Red is on the left and Green beside; a label is looser than the painted face; nobody labelled Blue.
        _save(tmp_path / "race" / "photos" / f"{number}.png", RED, GREEN, BLUE, shade=100 + number)
        lines += [f"{number}.png,Red,15,95,80,80", f"{number}.png,Green,105,95,80,80"]
    lines.append("0.png,Missed,350,0,40,40")
    (tmp_path / "race" / "truth.csv").write_text("\n".join(lines))
    values = _values(
        _run(
            *("accuracy", "--dataset", tmp_path / "race", "--engine", "fake", "--classic-engine", "fake"),
            *("--orders", 2),
        ),
        "fake",
    )
    assert values["detection_recall"] == pytest.approx(6 / 7, abs=1e-6)
    assert values["bcubed_f"] == values["sure_precision"] == 1
    assert values["bcubed_f_spread"] == values["bcubed_f_spread_incremental"] == 0


def test_accuracy_of_three_selfies_together(tmp_path: Path) -> None:
    for person, colour, photos in (("Red", RED, 5), ("Green", GREEN, 4), ("Blue", BLUE, 3)):
        for number in range(photos):
            _save(tmp_path / "people" / person / f"{number}.png", colour, shade=100 + number)
    engine = "--engine", "fake", "--classic-engine", "fake"
    values = _values(_run("accuracy", "--dataset", tmp_path / "people", *engine), "fake")
    for selfies in ("3", "1_of_3"):
        assert values[f"sure_recall_{selfies}"] == values[f"all_recall_{selfies}"] == 1
        assert values[f"sure_precision_{selfies}"] == 1
        assert values[f"nothing_found_{selfies}"] == values[f"strangers_shown_{selfies}"] == 0


def test_accuracy_without_people(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="neither"):
        _run("accuracy", "--dataset", tmp_path)


def test_grouping_of_a_crowd() -> None:
    figures = _run("grouping", "--faces", 302, "--people", 10, "--batch", 100, "--engine", "fake")
    assert {(figure["benchmark"], figure["dataset"]) for figure in figures} == {("grouping", "synthetic-300-10")}
    values = _values(figures, "grabpic")
    assert list(values) == [
        *("faces_per_second", "faces_per_second_last_tenth", "batch_seconds_max", "bcubed_f_incremental"),
        *("consolidation_seconds", "peak_rss_mb", "pairwise_precision", "pairwise_recall", "bcubed_f"),
    ]
    assert 0 < values["batch_seconds_max"] < 270 / values["faces_per_second"]
    assert values["consolidation_seconds"] > 0
    assert values["peak_rss_mb"] > 10
    assert values["pairwise_precision"] > 0.9
    assert 0.1 < values["bcubed_f"] < 1


def test_calibration_is_printed_as_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    persons, vectors = crowd(400, 0.8)
    faces = Faces(persons, persons, persons, np.ones(len(persons)), vectors)
    monkeypatch.setattr(calibration, "LabelledEvent", lambda *args: SimpleNamespace(faces=faces))
    _save(tmp_path / "people" / "Red" / "0.png", RED, shade=100)
    out = io.StringIO()
    call_command("benchmark", "calibration", "--dataset", str(tmp_path / "people"), "--engine", "fake", stdout=out)
    assert f'"fake": {calibration.calibrate(persons, vectors)},' in out.getvalue().splitlines()
    assert '"metric": "calibration_error"' in out.getvalue()


def test_calibration_needs_many_people(tmp_path: Path) -> None:
    for person, colour in (("Red", RED), ("Green", GREEN)):
        _save(tmp_path / "people" / person / "0.png", colour, shade=100)
    with pytest.raises(CommandError, match="too few"):
        _run("calibration", "--dataset", tmp_path / "people", "--engine", "fake")


def test_ingest_without_the_classic_way(tmp_path: Path) -> None:
    for number in range(4):
        _save(tmp_path / "race" / f"{number}.png", RED, GREEN, shade=100 + number)
    figures = _run("ingest", "--photos", tmp_path / "race", "--limit", 3, "--engine", "fake", "--classic-photos", 0)
    ours, limit = _values(figures, "grabpic"), _values(figures, "limit")
    assert ours["photos_per_second"] > 0
    assert ours["faces_per_photo"] == 2
    assert ours["share_of_limit"] == pytest.approx(ours["photos_per_second"] / limit["photos_per_second"], rel=1e-3)
    assert "ratio_to_classic" not in ours
    assert not _values(figures, "classic")


def test_ingest_goes_on_with_the_same_photos(tmp_path: Path) -> None:
    _save(tmp_path / "race" / "1.png", RED, GREEN, shade=100)
    _save(tmp_path / "race" / "2.png", BLUE, shade=100)
    photos = "--photos", tmp_path / "race", "--engine", "fake"
    ours = _values(_run("ingest", *photos, "--repeat-to", 30, "--classic-photos", 0), "grabpic")
    assert ours["faces_per_photo"] == 1.5
    assert ours["peak_rss_mb"] > 10


def test_nothing_is_lost_when_processes_die(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def look_later(follower: Follower) -> None:
        # As if the back-off were over, and the dead worker's job taken over.
        Image.objects.update(retry_at=None)
        queue.announce(*Image.objects.pending().values_list("event", flat=True)[:1])
        look(follower)

    look = Follower.look
    monkeypatch.setattr(Follower, "look", look_later)
    monkeypatch.setattr(runs, "REST", 0.0)
    for number in range(12):
        path = tmp_path / "race" / f"{number}.png"
        _save(path, *(RED, GREEN, BLUE)[: number % 4], shade=100 + number, size=(2400, 1800))
    figures = _run("faults", "--photos", tmp_path / "race", "--engine", "fake", "--kills", 2)
    values = _values(figures, "grabpic")
    assert (values["kills"], values["database_kills"], values["uploader_kills"]) == (2, 1, 1)
    assert values["lost"] == values["doubled"] == values["differences"] == 0


def test_what_is_lost_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _save(tmp_path / "race" / "1.png", RED, shade=100)
    figures = [Figure("faults", "race", "grabpic", metric, 1, "photos") for metric in ("kills", "lost")]
    monkeypatch.setattr(faults, "measure", lambda *args, **options: figures)
    monkeypatch.setattr(benchmark, "private_server_site", lambda engine: nullcontext(tmp_path))
    with pytest.raises(CommandError, match=r"^Not 0: lost\.$"):
        _run("faults", "--photos", tmp_path / "race")


def test_ingest_without_photos(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no photos"):
        _run("ingest", "--photos", tmp_path)
