"""Debian's Chromium for tests of pages: an attendee with a phone, staff at a desk."""

from __future__ import annotations

import functools
import io
import shutil
import time
import zlib
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.db import connection
from PIL import Image as Picture
from playwright.sync_api import expect, sync_playwright

from conftest import GREEN, RED, paint_photo
from events import ingest
from faces import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.test import Client
    from numpy.typing import NDArray
    from playwright.sync_api import Browser, ConsoleMessage, FilePayload, Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

    Visit = Callable[..., Page]

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}

REFUSED = ("Content Security Policy", "Permissions-Policy", "permissions policy", "Cross-Origin-Opener-Policy")
"""What the browser's complaints about headers have in them."""

MAKERS_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"
"""What ReDoc would fetch from elsewhere, and must not."""

expect.set_options(timeout=20_000)
"""Milliseconds: on a machine that is busy with more than these tests, too."""

PATIENCE = 20
"""Seconds; reached only on failure."""

BUSY = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()
"""
"""Gives a row for each other session that is in the middle of something."""

IN_BROWSER = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
]
"""Marks of every test in a browser."""


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Browser]]:
    """Return a function that starts a Chromium of these arguments, or gives the one it has started before."""
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright's synchronous face runs an event loop in this thread, and there Django refuses to touch the
        # database, lest it block the loop. Nothing else is on this loop.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

        @functools.cache
        def launched(*arguments: str) -> Browser:
            return playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])

        yield launched


def is_refusal(message: ConsoleMessage) -> bool:
    """Tell whether this is the browser's complaint about a page that does not keep to our headers."""
    # axe-core tries to style the page it inspects; what a test has run comes from no address.
    is_tests = "Applying inline style" in message.text and not message.location["url"]
    return any(words in message.text for words in REFUSED) and MAKERS_LOGO not in message.text and not is_tests


@pytest.fixture
def visit(launch: Callable[..., Browser], transactional_db: None) -> Iterator[Visit]:
    """Return a function that opens a page of its own cookies in a Chromium of these arguments and options.

    An error of a script fails the test at its end, and what the browser refuses for a header of ours. The database is
    emptied afterwards, so what the pages asked for last is awaited.
    """
    problems: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if is_refusal(message):
            problems.append(f"{message.location['url']}: {message.text}")

    with ExitStack() as pages:

        def open_page(*arguments: str, **options: Any) -> Page:
            page: Page = pages.enter_context(launch(*arguments).new_page(**options))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.context.on("console", note)  # of this page, and of those that it opens
            return page

        yield open_page
    settle()
    assert problems == []


def settle() -> None:
    """Wait until the site has answered whatever the pages had asked for before they were closed."""
    deadline = time.monotonic() + PATIENCE
    with connection.cursor() as cursor:
        cursor.execute(BUSY)
        while cursor.fetchone():
            assert time.monotonic() < deadline, "the site is still busy"
            time.sleep(0.02)
            cursor.execute(BUSY)


@pytest.fixture
def phone(visit: Visit) -> Page:
    """A page on a phone without a camera that pages may use."""
    return visit(**PHONE)


@pytest.fixture
def desk(visit: Visit, live_server: LiveServer, staff_client: Client) -> Page:
    """A page on a desk, where staff has logged in."""
    page = visit(viewport={"width": 1280, "height": 900})
    session = staff_client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": str(live_server)}])
    return page


@pytest.fixture
def run(event: Event) -> Event:
    """An event that is indexed: red is in three photos, green in one of them and in one more."""
    for number, colours in enumerate([(RED,), (RED, GREEN), (RED,), (GREEN,)]):
        ingest.add(event, paint_photo(*colours, shade=100 + number), f"{number}.png")
    pipeline.ingest(event)
    return event


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for films: tests of the same film then have the same Chromium."""
    return tmp_path_factory.mktemp("films")


def upload_of(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def selfie_of(*colours: tuple[int, int, int], **options: Any) -> FilePayload:
    return upload_of("me.png", paint_photo(*colours, **options).read())


def frame_of(shade: int, *, face: bool = True) -> NDArray[np.uint8]:
    """Return a picture of the camera: grey, and a red face in it."""
    pixels = np.full((480, 640, 3), shade, np.uint8)
    if face:
        pixels[120:360, 220:420] = RED
    return pixels


def fake_camera(folder: Path, *frames: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the arguments that make a film of these frames the camera's picture, and pages free to use it.

    Without frames it is a red face.
    """
    content = b"".join(_jpeg(frame) for frame in frames or [frame_of(128)]) * 10
    film = folder / f"{zlib.crc32(content)}.mjpeg"
    film.write_bytes(content)
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


def _jpeg(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Picture.fromarray(pixels).save(file, "JPEG", quality=95)
    return file.getvalue()


def fits(page: Page) -> bool:
    """Tell whether the page, once it has its styles, needs no scrolling sideways."""
    page.wait_for_load_state()
    # Not the window's inner width: on a phone that grows with what it has to show.
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def until(page: Page, condition: str) -> None:
    """Wait until this JavaScript is true; Playwright's own way is an `eval` in the page, which the policy refuses."""
    for _ in range(400):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"Never came true: {condition}")


def agree(page: Page) -> None:
    """Tick the box without which no selfie is looked at."""
    page.get_by_role("checkbox", name="I agree").check()
