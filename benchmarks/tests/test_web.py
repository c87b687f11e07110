"""A short load on a real server, with the fake engine."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from benchmarks import web
from benchmarks.load import Answer
from conftest import BLUE, GREEN, paint_photo

if TYPE_CHECKING:
    from pathlib import Path


def save(folder: Path, person: str, colour: tuple[int, int, int], photos: int) -> None:
    (folder / person).mkdir()
    for number in range(photos):
        photo = paint_photo(colour, shade=100 + number).getvalue()
        (folder / person / f"{number}.png").write_bytes(photo)


@pytest.mark.usefixtures("own_database")
def test_every_selfie_is_answered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "WARM_UP", 0.5)
    save(tmp_path, "blue", BLUE, 2)
    save(tmp_path, "green", GREEN, 3)
    out = io.StringIO()
    options = ["--engine", "fake", "--rate", "10", "--seconds", "1", "--side", "400"]
    call_command("benchmark", "web", "--dataset", str(tmp_path), *options, stdout=out)
    lines = [json.loads(line) for line in out.getvalue().splitlines() if line.startswith("{")]
    values = {line["metric"]: line["value"] for line in lines}
    assert values["errors"] == 0
    assert 5 < values["searches_per_second"] <= 10
    assert 0 < values["p50_ms"] <= values["p95_ms"] <= values["max_ms"]
    assert values["most_searches_per_second"] > 0
    assert {"decode_ms", "detect_ms", "embed_ms", "database_ms", "cpu_ms"} < values.keys()


@pytest.mark.usefixtures("own_database")
def test_without_selfies_there_is_nothing_to_measure(tmp_path: Path) -> None:
    save(tmp_path, "blue", BLUE, 1)
    with pytest.raises(CommandError, match="Nobody is in two photos"):
        call_command("benchmark", "web", "--dataset", str(tmp_path), "--engine", "fake", stdout=io.StringIO())


def test_errors_are_not_counted_as_searches() -> None:
    values = web._as_values([Answer(0.1, is_right=True), Answer(0.3, is_right=False)], seconds=2)
    assert values["searches_per_second", "1/s"] == 0.5
    assert values["errors", "searches"] == 1
    assert values["p50_ms", "ms"] == pytest.approx(200)
