"""What a benchmark answers: a table for people, then one JSON object per line for programs."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number; `subject` is what was measured: grabpic, classic, limit, or an engine's name."""

    benchmark: str
    dataset: str
    subject: str
    metric: str
    value: float
    unit: str

    def as_json(self) -> str:
        return json.dumps({**asdict(self), "value": round(self.value, 6)}, ensure_ascii=False, allow_nan=False)


def write(figures: Iterable[Figure], write_line: Callable[[str], object]) -> None:
    """Write the table, a line that is empty, and the JSON lines."""
    figures = list(figures)
    for line in (*_table(figures), "", *(figure.as_json() for figure in figures)):
        write_line(line)


def _table(figures: list[Figure]) -> Iterator[str]:
    """Yield one row per metric, with a column per subject."""
    subjects = list(dict.fromkeys(figure.subject for figure in figures))
    metrics = list(dict.fromkeys((figure.metric, figure.unit) for figure in figures))
    cells = {(figure.metric, figure.subject): _number(figure.value) for figure in figures}
    rows = [[metric, *(cells.get((metric, subject), "-") for subject in subjects), unit] for metric, unit in metrics]
    rows.insert(0, ["metric", *subjects, "unit"])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        numbers = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)]
        yield "  ".join([row[0].ljust(widths[0]), *numbers, row[-1]]).rstrip()


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
