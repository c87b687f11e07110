from __future__ import annotations

import json

from benchmarks import report
from benchmarks.report import Figure


def test_a_table_and_then_one_object_per_line() -> None:
    lines: list[str] = []
    figures = [
        Figure("ingest", "race", "grabpic", "photos_per_second", 9.87654, "photos/s"),
        Figure("ingest", "race", "classic", "photos_per_second", 0.05, "photos/s"),
        Figure("ingest", "race", "grabpic", "peak_rss_mb", 1234.5, "MB"),
    ]
    report.write(figures, lines.append)
    assert lines[:4] == [
        "metric             grabpic  classic  unit",
        "photos_per_second    9.877     0.05  photos/s",
        "peak_rss_mb          1,234        -  MB",
        "",
    ]
    assert [json.loads(line)["value"] for line in lines[4:]] == [9.87654, 0.05, 1234.5]
    assert list(json.loads(lines[4])) == ["benchmark", "dataset", "subject", "metric", "value", "unit"]
