"""`manage.py ingest --watch`, as a camera's owner runs it: a process of its own, ended by a signal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from django.conf import settings as django_settings

from conftest import GREEN, RED, paint_photo
from events import ingest
from faces import crew
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from events.models import Event

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]

PATIENCE = 60
"""Seconds; reached only on failure."""

STOPPED = "CommandError: Stopped. Run it again to go on."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


@contextmanager
def watching(event: Event, folder: Path, *options: str, stop: signal.Signals) -> Iterator[Callable[[], str]]:
    """Have the folder watched inside the block, and stopped by the signal; yield what reads the log."""
    log = folder.with_name("log")
    command = [sys.executable, "manage.py", "ingest", event.slug, str(folder), "--watch", *options]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=django_settings.BASE_DIR,
            env=os.environ | crew.same_site(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # A shell that runs the tests in the background lets its children ignore it.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    try:
        wait_for(lambda: "Watching" in log.read_text())
        yield log.read_text
        process.send_signal(stop)
        assert process.wait(PATIENCE) == 130
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.05)


def test_photos_are_taken_as_they_come_and_found_and_grouped(event: Event, folder: Path) -> None:
    red, green = (paint_photo(colour, file_format="JPEG").getvalue() for colour in (RED, GREEN))
    with watching(event, folder, "--processes", "1", stop=signal.SIGINT) as log:
        (folder / "cut.jpg").write_bytes(red[: len(red) // 2])
        (folder / "green.jpg").write_bytes(green)
        wait_for(lambda: ImageFace.objects.exclude(face=None).count() == 1)
        assert "cut.jpg" not in log(), "it may still be growing"
        (folder / "cut.jpg").write_bytes(red)
        wait_for(lambda: ImageFace.objects.exclude(face=None).count() == 2)

    assert set(event.images.values_list("file_name", flat=True)) == {"cut.jpg", "green.jpg"}
    assert log().endswith(f"{STOPPED}\n")


def test_with_add_only_the_faces_are_left_to_the_workers(event: Event, folder: Path) -> None:
    known = paint_photo(RED)
    ingest.add(event, known, "uploaded.png")
    away = folder.with_name("pocket")
    with watching(event, folder, "--add-only", "-v2", stop=signal.SIGTERM) as log:
        (folder / "by-another-way.png").write_bytes(known.getvalue())
        wait_for(lambda: "by-another-way.png: known already" in log())
        folder.rename(away)
        wait_for(lambda: "card: unreadable: " in log())
        away.rename(folder)
        (folder / "new.png").write_bytes(paint_photo(GREEN).getvalue())
        wait_for(lambda: "new.png: added" in log())

    assert sorted(event.images.values_list("file_name", "state")) == [
        ("new.png", "pending"),
        ("uploaded.png", "pending"),
    ]
    assert log().count("known already") == 1
    assert log().endswith(f"{STOPPED}\n")
