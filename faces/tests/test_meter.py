"""Progress on the command line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from faces.management import meter
from faces.management.meter import Meter

if TYPE_CHECKING:
    import pytest


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_a_bar_with_rate_and_time_left() -> None:
    out = Terminal()
    with Meter("Faces", 10, "photo", head_start=60, out=out) as bar:
        bar.update(5)
    assert "Faces:  50%" in out.getvalue()
    assert "5/10 [01:00<01:00" in out.getvalue()


def test_elsewhere_one_line_says_how_it_went() -> None:
    out = io.StringIO()
    with Meter("Faces", 10, "photo", head_start=10, out=out) as bar:
        for _ in range(5):
            bar.update()
    assert out.getvalue() == "Faces: 5 of 10, 0.5 photos a second, 00:10 left\n"


def test_elsewhere_a_line_comes_every_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "EVERY", 0.0)
    out = io.StringIO()
    with Meter("Photos", 2, "file", out=out) as bar:
        bar.update()
        bar.update()
    assert [line.partition(",")[0] for line in out.getvalue().splitlines()] == [
        "Photos: 1 of 2",
        "Photos: 2 of 2",
        "Photos: 2 of 2",
    ]


def test_more_than_was_foreseen_is_no_matter() -> None:
    out = io.StringIO()
    with Meter("Photos", 1, "file", out=out) as bar:
        bar.update(3)
    assert "Photos: 3 of 3" in out.getvalue()


def test_nothing_done_is_nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meter, "EVERY", 0.0)
    out = io.StringIO()
    with Meter("Photos", 3, "file", out=out) as bar:
        bar.update(0)
    assert out.getvalue() == ""
