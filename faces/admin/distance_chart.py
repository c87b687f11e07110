"""Where everything lies in the picture of an event's distances: an SVG, drawn by the page's template."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from faces.histogram import BIN_WIDTH, BINS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faces.histogram import Histogram
    from faces.thresholds import Thresholds

WIDTH: Final = 440
HEIGHT: Final = 300
LEFT, RIGHT, BOTTOM = 56, 430, 262
ROW: Final = 17
"""Height of a label: each threshold has a row of its own, since some lie on top of each other."""

TOP: Final = 4 * ROW + 10

TICK: Final = 0.2
STEPS: Final = round(BINS * BIN_WIDTH / TICK)
BINS_PER_ROW: Final = 5
"""Of the table."""


@dataclass(frozen=True, slots=True)
class Line:
    """A threshold: a label in its own row above, and a line down to the axis; `anchor` is the end that touches it."""

    name: str
    distance: float
    x: float
    y: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Tick:
    place: float
    label: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Outlines as path data, ticks and lines, in units of a picture of WIDTH by HEIGHT."""

    same: str
    different: str
    lines: tuple[Line, ...]
    distances: tuple[Tick, ...]
    counts: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """How many pairs are from `start` up to `end` apart; the last row has no end."""

    start: float
    end: float | None
    same: int
    different: int


def chart(found: Histogram) -> Chart:
    """Return the picture; counts are on a logarithmic scale, on which a few pairs show beside millions."""
    most = max(*found.same, *found.different, 9)
    return Chart(
        same=_outline(found.same, most),
        different=_outline(found.different, most),
        lines=tuple(_lines(found.limits)),
        distances=tuple(Tick(_x(step * TICK), f"{step * TICK:.1f}") for step in range(STEPS + 1)),
        counts=tuple(Tick(_y(10**power, most), _short(10**power)) for power in range(int(math.log10(most)) + 1)),
    )


def table(found: Histogram) -> list[Row]:
    """Return the same figures as numbers."""
    starts = range(0, BINS, BINS_PER_ROW)
    return [
        Row(
            start=start * BIN_WIDTH,
            end=(start + BINS_PER_ROW) * BIN_WIDTH if start < starts[-1] else None,
            same=sum(found.same[start : start + BINS_PER_ROW]),
            different=sum(found.different[start : start + BINS_PER_ROW]),
        )
        for start in starts
    ]


def _short(count: int) -> str:
    for size, name in ((1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count // size}{name}"
    return str(count)


def _x(distance: float) -> float:
    return round(LEFT + (RIGHT - LEFT) * min(distance / (BINS * BIN_WIDTH), 1), 1)


def _y(count: int, most: int) -> float:
    return round(BOTTOM - (BOTTOM - TOP) * math.log(count + 1) / math.log(most + 1), 1)


def _outline(counts: Sequence[int], most: int) -> str:
    steps = " ".join(f"V{_y(count, most)} H{_x((place + 1) * BIN_WIDTH)}" for place, count in enumerate(counts))
    return f"M{LEFT} {BOTTOM} {steps} V{BOTTOM} Z"


def _lines(limits: Thresholds) -> list[Line]:
    named = [(name, getattr(limits, name)) for name in ("sure", "join", "group", "maybe")]
    placed = enumerate(sorted(named, key=lambda entry: entry[1]), 1)
    middle = (LEFT + RIGHT) / 2
    return [
        Line(name, distance, _x(distance), row * ROW, "start" if _x(distance) < middle else "end")
        for row, (name, distance) in placed
    ]
