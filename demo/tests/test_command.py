from __future__ import annotations

import io
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from conftest import BLUE, RED, paint_photo
from demo import server, stage, visitor
from demo.management.commands import demo
from demo.portraits import PortraitError
from demo.signals import Stopped
from events.models import ApiKey, Event, Image
from faces import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

ALBUM = {"1.jpg": (RED,), "2.jpg": (RED, BLUE), "3.jpg": (BLUE,), "4.jpg": ()}
NAMES = {RED: "Red", BLUE: "Blue"}
TRUTH = {name: frozenset(NAMES[colour] for colour in colours) for name, colours in ALBUM.items()}
UPLOAD = visitor.Site.upload


class PaintedPortrait:
    """A selfie to the `fake` engine."""

    def __init__(self, colour: tuple[int, int, int]) -> None:
        self.person, self.path, self.colour = NAMES[colour], "selfie.png", colour

    def read(self) -> bytes:
        return paint_photo(self.colour).getvalue()


class RunningSite(server.Server):
    """The test's live server in the place of gunicorn; somebody presses Ctrl-C at once."""

    def __init__(self, port: int, log: Path) -> None:
        self.site, self.log = visitor.Site(port, "localhost"), log

    def wait(self) -> None:
        raise Stopped


class WorkerAtHand(server.Worker):
    """Nobody: in these tests whoever uploads does the worker's work."""

    def __init__(self, log: Path) -> None:
        self.log = log

    def wait_until_ready(self) -> None:
        pass


def upload_and_index(site: visitor.Site, event: str, photo: bytes, file_name: str, api_key: str) -> None:
    UPLOAD(site, event, photo, file_name, api_key)
    pipeline.ingest(Event.objects.get(slug=event))


def write_painted(folder: Path, on_photo: Callable[[str], object]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for shade, (name, colours) in enumerate(ALBUM.items(), 100):
        (folder / name).write_bytes(paint_photo(*colours, shade=shade).getvalue())
        on_photo(name)
    return len(ALBUM)


@pytest.fixture
def small_demo(monkeypatch: pytest.MonkeyPatch, live_server: LiveServer, settings: Settings, tmp_path: Path) -> None:
    """The demo with four painted photos of two people, on the `fake` engine."""
    settings.FACE_ENGINE = "fake"
    settings.BASE_DIR, settings.VAR_DIR = tmp_path, tmp_path / "var"

    @contextmanager
    def running(port: int, log: Path) -> Iterator[server.Server]:
        yield RunningSite(urlsplit(live_server.url).port or 0, log)

    @contextmanager
    def working(log: Path) -> Iterator[server.Worker]:
        yield WorkerAtHand(log)

    monkeypatch.setattr("faces.management.commands.ingest.usual_processes", lambda: 1)
    monkeypatch.setattr(server, "running", running)
    monkeypatch.setattr(server, "working", working)
    monkeypatch.setattr(visitor.Site, "upload", upload_and_index)
    monkeypatch.setattr(demo, "encode", lambda photo: paint_photo(RED, shade=99).getvalue())
    monkeypatch.setattr(stage, "ALBUM", ())
    monkeypatch.setattr(visitor, "PORTRAITS", {"red": PaintedPortrait(RED), "blue": PaintedPortrait(BLUE)})
    monkeypatch.setattr(demo, "write_album", write_painted)
    monkeypatch.setattr(demo, "write_selfies", lambda folder: None)
    monkeypatch.setattr(demo, "SELFIES", ("red", "blue"))
    monkeypatch.setattr(demo, "TRUTH", TRUTH)


def run(**options: object) -> str:
    output = io.StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


@pytest.mark.usefixtures("small_demo")
def test_check_passes_when_each_selfie_found_exactly_its_photos() -> None:
    output = run(check=True)

    assert "Demo City Marathon: 4 photos, 4 faces of 2 people." in output
    assert "Red: matched" in output
    assert output.count("2 of 2 photos found, 0 of anybody else") == 2
    assert "A photo that came later was in its person's gallery " in output
    assert not ApiKey.objects.exists()  # of no use to anybody once the server is gone
    assert Image.objects.count() == 4


@pytest.mark.usefixtures("small_demo")
def test_check_fails_when_a_late_photo_does_not_appear_and_removes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor.Site, "upload", UPLOAD)
    monkeypatch.setattr(visitor, "SOON", 0.2)

    with pytest.raises(CommandError, match="is not in its person's gallery"):
        run(check=True)
    assert Image.objects.count() == 4


@pytest.mark.usefixtures("small_demo")
def test_a_second_run_reuses_what_is_there() -> None:
    run(check=True)
    images = set(Event.objects.get(slug="demo").images.values_list("pk", flat=True))

    run(check=True)

    assert set(Event.objects.get(slug="demo").images.values_list("pk", flat=True)) == images


@pytest.mark.usefixtures("small_demo")
def test_check_fails_when_a_photo_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRUTH", TRUTH | {"4.jpg": frozenset({"Red"})})

    with pytest.raises(CommandError, match=r"2 of 3 photos found, 0 of anybody else; missing: 4\.jpg"):
        run(check=True)


@pytest.mark.usefixtures("small_demo")
def test_check_fails_when_a_strangers_photo_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "TRUTH", TRUTH | {"1.jpg": frozenset()})

    with pytest.raises(CommandError, match=r"1 of anybody else; of somebody else: 1\.jpg"):
        run(check=True)


@pytest.mark.usefixtures("small_demo")
def test_the_demo_prints_addresses_and_access_and_ends_quietly() -> None:
    output = run(port=server.free_port())

    words = dict(line.strip().split(maxsplit=1) for line in output.splitlines() if line.startswith("  "))
    assert "/events/demo/" in words["Event:"]
    assert words["Admin:"].endswith("/admin/")
    login = output.partition("demo-staff / ")[2].split()[0]
    assert authenticate(username="demo-staff", password=login)
    assert ApiKey.objects.is_valid(output.partition("API key:")[2].split()[0])
    assert output.endswith("Stopped.\n")


@pytest.mark.usefixtures("small_demo")
def test_ending_before_it_is_ready_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(folder: Path, on_photo: object) -> int:
        raise Stopped

    monkeypatch.setattr(demo, "write_album", stop)

    with pytest.raises(CommandError, match="interrupted") as caught:
        run(check=True)
    assert caught.value.returncode == 130


@pytest.mark.usefixtures("small_demo")
def test_missing_portraits_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(folder: Path, on_photo: object) -> int:
        raise PortraitError("Run `make setup`")

    monkeypatch.setattr(demo, "write_album", fail)

    with pytest.raises(CommandError, match="make setup"):
        run(check=True)


def test_a_taken_port_is_told_before_any_work() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        with pytest.raises(CommandError, match="make demo PORT="):
            run(port=listener.getsockname()[1])
