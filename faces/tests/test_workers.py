"""Worker processes, as they run in production: real ones, on the test's database and storage."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from django.conf import settings as django_settings
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import BLUE, GREEN, RED
from events import queue
from events.models import Event, Image
from faces import crew, progress
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Add = Callable[..., Image]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue", "_children")]

PATIENCE = 60
"""Seconds; reached only on failure."""

SITECUSTOMIZE = """
    import os, pathlib, signal, time
    from events import pictures

    load = pictures.load

    def load_or_not(file, *args, **kwargs):
        if "deadly" in file.name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in file.name:
            pathlib.Path(os.environ["IN_HAND"]).touch()
            time.sleep(1)
        return load(file, *args, **kwargs)

    pictures.load = load_or_not
"""
"""Python runs this in each child before anything else: photos called `deadly` kill their worker."""


@pytest.fixture
def _children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the children start quickly, and meet photos that a decoder dies of."""
    (tmp_path / "sitecustomize.py").write_text(textwrap.dedent(SITECUSTOMIZE))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{django_settings.BASE_DIR}")
    monkeypatch.setenv("IN_HAND", str(tmp_path / "in-hand"))
    monkeypatch.setenv("FACE_ENGINE", "fake")


def wait_for(condition: Callable[[], bool], *crews: crew.Crew, patience: float = PATIENCE) -> None:
    """Keep the crews alive until something is so; fail when it takes too long."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        for each in crews:
            each.keep_alive()
        time.sleep(0.05)


def everything_is_grouped() -> bool:
    return not Image.objects.pending().exists() and not ImageFace.objects.filter(face=None).exists()


def workers_are_up(count: int) -> Callable[[], bool]:
    return lambda: progress.workers_alive() == count


def states() -> Counter[str]:
    return Counter(Image.objects.values_list("state", flat=True))


def test_two_crews_share_the_photos_of_one_event(event: Event, add: Add) -> None:
    with crew.at_work(2) as here, crew.at_work(1) as elsewhere:
        for number in range(60):
            add(f"{number}.png", *[(RED,), (GREEN, BLUE)][number % 2])
        wait_for(everything_is_grouped, here, elsewhere)

        assert states() == {"indexed": 60}
        assert set(Image.objects.values_list("attempts", flat=True)) == {0}
        assert ImageFace.objects.count() == 90
        assert sorted(face.image_faces.count() for face in event.faces.all()) == [30, 30, 30]

        wait_for(lambda: not ProcrastinateJob.objects.filter(task_name="index").exists(), here, elsewhere)
        late = add("late.png", RED)  # the workers are idle: it is in its gallery within five seconds
        wait_for(lambda: ImageFace.objects.filter(image=late).exclude(face=None).exists(), here, elsewhere, patience=5)


def test_a_photo_that_kills_its_worker_stops_nothing(event: Event, add: Add) -> None:
    deadly = add("deadly.png", RED)
    for number in range(12):
        add(f"{number}.png", RED)

    def is_over() -> bool:
        Image.objects.update(retry_at=None)  # the time of its next attempt has come
        queue.announce(event.pk)  # as the next upload would; without one, the sweep does after a while
        return everything_is_grouped()

    with crew.at_work(2) as workers:
        wait_for(is_over, workers)

    deadly.refresh_from_db()
    assert (deadly.state, deadly.failure_code, deadly.attempts) == ("failed", "crashed", 3)
    assert states() == {"indexed": 12, "failed": 1}
    assert ImageFace.objects.count() == 12


def test_a_stop_finishes_the_photo_in_hand_even_when_asked_twice(event: Event, add: Add, tmp_path: Path) -> None:
    for number in range(3):
        add(f"slow-{number}.png", RED)

    with crew.at_work(1) as workers:
        wait_for((tmp_path / "in-hand").exists, workers)
        for pid in workers.pids():
            os.kill(pid, signal.SIGTERM)  # as a service manager does, before the crew asks

    assert states() == {"indexed": 1, "pending": 2}
    assert set(Image.objects.values_list("attempts", flat=True)) == {0}, "none was cut short"
    assert ProcrastinateJob.objects.filter(task_name="index", status="todo").exists()
    assert progress.workers_alive() == 0


@pytest.fixture
def service(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`manage.py worker` with two processes, up and idle; its log is `log` in the test's folder."""
    command = [sys.executable, "manage.py", "worker", "--processes", "2"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=django_settings.BASE_DIR,
            env=os.environ | crew.same_site(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    wait_for(workers_are_up(2))
    yield process
    process.kill()
    process.wait()


def test_a_process_that_dies_is_replaced_and_all_end_with_their_supervisor(
    service: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    supervisor = psutil.Process(service.pid)
    victim = supervisor.children()[0]
    victim.kill()
    log = tmp_path / "log"
    wait_for(lambda: f"has taken the place of {victim.pid}." in log.read_text())
    assert f"Worker process {victim.pid} was killed by SIGKILL." in log.read_text()
    children = supervisor.children()
    assert victim not in children
    assert len(children) == 2

    service.kill()

    assert psutil.wait_procs(children, timeout=PATIENCE)[1] == []


def test_processes_that_fail_at_their_start_are_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(3)")
    monkeypatch.setattr(crew, "LONGEST_PAUSE", 0)

    def is_given_up() -> bool:
        try:
            workers.check()
        except crew.CrewError:
            return True
        return False

    with crew.at_work(1) as workers:
        wait_for(is_given_up, workers)


def test_ctrl_c_ends_all_of_them_without_a_complaint(service: subprocess.Popen[bytes], tmp_path: Path) -> None:
    children = psutil.Process(service.pid).children()

    service.send_signal(signal.SIGINT)

    assert service.wait(PATIENCE) == 0
    assert not any(child.is_running() for child in children)
    assert (tmp_path / "log").read_text().splitlines() == ["Worker processes: 2. Ctrl-C stops them.", "Stopped."]
