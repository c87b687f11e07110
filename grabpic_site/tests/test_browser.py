"""The pages in Debian's Chromium: an attendee with a phone, staff with a folder of photos."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from PIL import Image as Picture
from playwright.sync_api import expect, sync_playwright

from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from faces import pipeline

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, FilePayload, Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

    Visit = Callable[..., Page]

CHROMIUM = shutil.which("chromium")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage")
PHONE: Any = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
LONG_SIDE = 1600
"""Pixels; what the page sends is not larger."""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt install chromium)"),
]


@pytest.fixture
def visit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Visit]:
    """Return a function that opens a page in a Chromium of these arguments and options.

    An error of a script, or something that the browser's policy blocked, fails the test at its end.
    """
    problems: list[str] = []
    with sync_playwright() as playwright:
        # Playwright's synchronous face runs an event loop in this thread, and there Django refuses to touch the
        # database, lest it block the loop. Nothing else is on this loop.
        monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

        def open_page(*arguments: str, **options: Any) -> Page:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *arguments])
            page = browser.new_page(**options)
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda message: problems.append(message.text) if is_blocked(message) else None)
            return page

        yield open_page
    assert problems == []


@pytest.fixture
def phone(visit: Visit) -> Page:
    """A page on a phone without a camera that pages may use."""
    return visit(**PHONE)


@pytest.fixture
def desk(visit: Visit, live_server: LiveServer, staff: object) -> Page:
    """A page on a desk, where staff has logged in."""
    page = visit(viewport={"width": 1280, "height": 900})
    log_in(page, live_server)
    return page


@pytest.fixture
def run(event: Event) -> Event:
    """An event that is indexed: red is in three photos, green in one of them and in one more."""
    for number, colours in enumerate([(RED,), (RED, GREEN), (RED,), (GREEN,)]):
        ingest.add(event, paint_photo(*colours, shade=100 + number), f"{number}.png")
    pipeline.ingest(event)
    return event


def is_blocked(message: ConsoleMessage) -> bool:
    return "Content Security Policy" in message.text


def log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server}/admin/login/?next=/")
    page.fill("#id_username", "staff")
    page.fill("#id_password", "staff")
    page.click("[type=submit]")
    page.wait_for_url(f"{live_server}/")


def upload_of(name: str, content: bytes) -> FilePayload:
    return {"name": name, "mimeType": "image/png", "buffer": content}


def selfie_of(*colours: tuple[int, int, int], **options: Any) -> FilePayload:
    return upload_of("me.png", paint_photo(*colours, **options).read())


def fits(page: Page) -> bool:
    """Tell whether the page needs no scrolling sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def fake_camera(folder: Path) -> tuple[str, ...]:
    """Film a red face, and return the arguments that make it the camera's picture, and pages free to use it."""
    pixels = np.full((480, 640, 3), 128, np.uint8)
    pixels[120:360, 220:420] = RED
    frame = io.BytesIO()
    Picture.fromarray(pixels).save(frame, "JPEG", quality=95)
    film = folder / "camera.mjpeg"
    film.write_bytes(frame.getvalue() * 10)
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )


class TestAttendee:
    def test_finds_their_photos_with_a_file(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(str(live_server))
        assert fits(phone)
        phone.get_by_role("link", name="City Run").click()
        phone.wait_for_url("**/events/city-run/")
        assert fits(phone)
        expect(phone.get_by_role("button", name="Find my photos")).to_be_hidden()
        phone.set_input_files("#chosen", selfie_of(RED))
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert fits(phone)
        expect(phone.locator(".photos img").first).to_have_js_property("naturalWidth", 400)

    def test_sends_a_large_picture_shrunk(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        phone.evaluate("document.querySelector('#selfie').requestSubmit = () => {}")
        phone.set_input_files("#chosen", selfie_of(RED, size=(4000, 3000)))
        expect(phone.get_by_role("status")).to_have_text("Looking for you…")
        size = phone.evaluate(
            """async () => {
                const input = document.querySelector("#chosen");
                while (input.files[0].name !== "selfie.jpg") await new Promise(requestAnimationFrame);
                const picture = await createImageBitmap(input.files[0]);
                return [picture.width, picture.height];
            }"""
        )
        assert size == [LONG_SIDE, LONG_SIDE * 3 // 4]

    def test_is_told_what_is_wrong_and_tries_again(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        phone.set_input_files("#chosen", selfie_of(BLUE))
        alert = phone.get_by_role("alert")
        expect(alert).to_contain_text("No matching identity found")
        expect(alert).to_be_focused()
        assert fits(phone)
        phone.set_input_files("#chosen", upload_of("words.png", b"no picture"))
        expect(alert).to_contain_text("not a photo")
        expect(alert).to_be_focused()  # by the script, which is there now
        phone.set_input_files("#chosen", selfie_of(GREEN))
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")

    def test_finds_their_photos_without_scripts(self, visit: Visit, live_server: LiveServer, run: Event) -> None:
        page = visit(**PHONE, java_script_enabled=False)
        page.goto(f"{live_server}/events/city-run/")
        assert fits(page)
        page.set_input_files("#taken", selfie_of(RED))
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        preview = page.locator(".photos a").first.get_attribute("href")
        assert page.request.get(f"{live_server}{preview}").headers["content-type"] == "image/jpeg"

    def test_finds_their_photos_with_the_camera(
        self, visit: Visit, live_server: LiveServer, run: Event, tmp_path: Path
    ) -> None:
        page = visit(*fake_camera(tmp_path), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        page.get_by_role("button", name="Take a selfie").click()
        shutter = page.get_by_role("button", name="Take the picture")
        expect(shutter).to_be_focused()
        expect(page.locator("video")).to_have_js_property("videoWidth", 640)
        shutter.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_closing_the_camera_switches_it_off(
        self, visit: Visit, live_server: LiveServer, run: Event, tmp_path: Path
    ) -> None:
        page = visit(*fake_camera(tmp_path), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        page.get_by_role("button", name="Take a selfie").click()
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.evaluate("document.querySelector('video').srcObject") is None

    def test_waits_for_the_answer_before_another_selfie(
        self, visit: Visit, live_server: LiveServer, run: Event, tmp_path: Path
    ) -> None:
        page = visit(*fake_camera(tmp_path), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        page.evaluate("document.querySelector('#selfie').requestSubmit = () => {}")
        page.set_input_files("#chosen", selfie_of(RED))
        expect(page.locator("#selfie")).to_have_attribute("aria-busy", "true")
        page.get_by_role("button", name="Take a selfie").press("Enter")
        page.wait_for_timeout(500)
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.evaluate("document.querySelector('video').srcObject") is None

    def test_without_a_camera_is_offered_a_file(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        phone.get_by_role("button", name="Take a selfie").click()
        expect(phone.get_by_role("status")).to_contain_text("Choose a photo")
        expect(phone.get_by_role("status")).to_contain_class("bad")
        # From now on, the phone's own way to take a picture is left to do it.
        with phone.expect_file_chooser() as chooser:
            phone.get_by_role("button", name="Take a selfie").click()
        chooser.value.set_files([selfie_of(RED)])
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")


class TestFullView:
    @pytest.fixture(autouse=True)
    def _gallery(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        phone.set_input_files("#chosen", selfie_of(RED))
        # Until the page has loaded, its script included: before, a photo is a plain link.
        phone.wait_for_url("**/gallery/")

    def test_goes_round_by_arrows_and_returns_the_focus(self, phone: Page) -> None:
        viewer, counter = phone.get_by_role("dialog"), phone.locator(".counter")
        phone.locator(".photos a").first.focus()
        phone.keyboard.press("Enter")
        expect(counter).to_have_text("1 of 3")
        phone.keyboard.press("ArrowRight")
        expect(counter).to_have_text("2 of 3")
        for _ in range(2):
            phone.keyboard.press("ArrowLeft")
        expect(counter).to_have_text("3 of 3")
        expect(viewer.get_by_role("img")).to_have_js_property("naturalWidth", 400)
        phone.keyboard.press("Escape")
        expect(viewer).to_be_hidden()
        expect(phone.locator(".photos a").nth(2)).to_be_focused()

    def test_has_buttons(self, phone: Page) -> None:
        phone.locator(".photos a").nth(1).click()
        phone.get_by_role("button", name="Next photo").click()
        expect(phone.locator(".counter")).to_have_text("3 of 3")
        phone.get_by_role("button", name="Previous photo").click()
        expect(phone.locator(".counter")).to_have_text("2 of 3")
        phone.get_by_role("button", name="Close", exact=True).click()
        expect(phone.get_by_role("dialog")).to_be_hidden()

    def test_follows_a_swipe(self, phone: Page) -> None:
        phone.locator(".photos a").first.click()
        swipe(phone, 300, 80)
        expect(phone.locator(".counter")).to_have_text("2 of 3")
        swipe(phone, 80, 300)
        expect(phone.locator(".counter")).to_have_text("1 of 3")
        swipe(phone, 200, 180)
        expect(phone.locator(".counter")).to_have_text("1 of 3")

    def test_is_closed_by_going_back(self, phone: Page) -> None:
        viewer, address = phone.get_by_role("dialog"), phone.url
        phone.locator(".photos a").first.click()
        phone.keyboard.press("ArrowRight")
        phone.go_back()
        expect(viewer).to_be_hidden()
        expect(phone.locator(".photos a").nth(1)).to_be_focused()
        assert phone.url == address

    def test_leaves_nothing_behind_in_the_history(self, phone: Page) -> None:
        viewer = phone.get_by_role("dialog")
        for _ in range(2):
            phone.locator(".photos a").first.click()
            phone.keyboard.press("Escape")
            expect(viewer).to_be_hidden()
            phone.wait_for_function("history.state === null")
        phone.go_back()
        expect(phone.get_by_role("button", name="Take a selfie")).to_be_visible()

    def test_leaves_the_page_at_the_last_photo(self, phone: Page) -> None:
        phone.set_viewport_size({"width": 390, "height": 300})
        phone.locator(".photos a").first.evaluate("link => link.closest('ul').style.gridAutoRows = '600px'")
        phone.locator(".photos a").first.click()
        phone.keyboard.press("ArrowLeft")
        phone.keyboard.press("Escape")
        phone.wait_for_function("history.state === null")
        phone.wait_for_timeout(300)
        expect(phone.locator(".photos a").nth(2)).to_be_in_viewport()

    @pytest.mark.parametrize(("width", "height"), [(640, 360), (667, 375), (740, 360), (844, 390), (320, 568)])
    def test_has_its_buttons_side_by_side(self, phone: Page, width: int, height: int) -> None:
        phone.set_viewport_size({"width": width, "height": height})
        phone.locator(".photos a").first.click()
        # A trial is refused where something else would receive the click.
        for button in phone.get_by_role("dialog").locator("button, a").all():
            button.click(trial=True, timeout=2000)

    def test_is_not_shown_again_by_going_back(self, phone: Page) -> None:
        phone.context.clear_cookies()  # as closing on this device does
        phone.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
        expect(phone.get_by_role("heading", level=1)).to_have_text("City Run")
        expect(phone.get_by_role("status").first).to_contain_text("A selfie opens your photos")

    def test_says_that_photos_are_not_open_any_more(self, phone: Page) -> None:
        phone.context.clear_cookies()
        phone.locator(".photos a").first.click()
        expect(phone.get_by_role("heading", level=1)).to_have_text("City Run")
        expect(phone.get_by_role("status").first).to_contain_text("A selfie opens your photos")

    def test_says_that_a_photo_did_not_load(self, phone: Page) -> None:
        viewer = phone.get_by_role("dialog")
        phone.context.set_offline(True)
        phone.locator(".photos a").first.click()
        expect(viewer.get_by_role("status")).to_contain_text("did not load")
        expect(viewer.get_by_role("link", name="Download")).to_be_hidden()
        phone.context.set_offline(False)
        viewer.get_by_role("button", name="Next photo").click()
        expect(viewer.get_by_role("status")).to_be_empty()
        expect(viewer.get_by_role("img")).to_have_js_property("naturalWidth", 400)
        expect(viewer.get_by_role("link", name="Download")).to_be_visible()

    def test_shows_the_thumbnail_until_the_photo_is_there(self, phone: Page) -> None:
        viewer = phone.get_by_role("dialog")
        phone.route("**/preview/**", lambda route: None)
        phone.locator(".photos a").first.click()
        expect(viewer).to_have_attribute("aria-busy", "true")
        expect(viewer.locator(".thumbnail")).to_have_js_property("complete", True)
        expect(viewer.locator(".thumbnail")).to_be_visible()
        viewer.get_by_role("link", name="Download").click(trial=True, timeout=2000)

    def test_downloads_the_original(self, phone: Page, run: Event) -> None:
        phone.locator(".photos a").first.click()
        with phone.expect_download() as download:
            phone.get_by_role("link", name="Download").click()
        assert download.value.suggested_filename == "0.png"
        original = run.images.get(file_name="0.png")
        assert download.value.path().stat().st_size == paint_photo(RED, shade=100).getbuffer().nbytes
        assert str(original.image_id) in download.value.url


def swipe(page: Page, start: int, end: int) -> None:
    touch = page.context.new_cdp_session(page)
    for kind, points in (("touchStart", [start]), ("touchMove", [end]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": 400} for x in points]})


class TestStaff:
    def test_upload_and_process_to_the_end(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        ingest.add(event, paint_photo(RED, shade=100), "known.png")
        torn = ingest.add(event, paint_photo(RED, shade=99), "torn.png")
        assert isinstance(torn, ingest.Added)
        default_storage.delete(torn.image.storage_key)
        desk.goto(f"{live_server}/events/city-run/upload/")
        photos = [upload_of(f"{n}.png", paint_photo(RED, GREEN, shade=101 + n).read()) for n in range(18)]
        again = upload_of("again.png", paint_photo(RED, shade=100).read())
        desk.set_input_files("[name=files] >> nth=0", [*photos, again, upload_of("notes.txt", b"no photo")])
        expect(desk.locator("#sent")).to_have_text("20 of 20: 18 added, 1 already here, 1 refused.")
        expect(desk.locator("#refused")).to_contain_text("notes.txt This is not a photo")
        expect(desk.locator("[data-figure=pending]")).to_have_text("20")
        desk.get_by_role("button", name="Process").click()
        expect(desk.locator("#processed")).to_have_text("All done: 20 processed. 1 failed, see the list below.")
        figures = {name: desk.locator(f"[data-figure={name}]").text_content() for name in ("faces", "persons")}
        assert figures == {"faces": "37", "persons": "2"}
        expect(desk.locator("#failures").get_by_text("torn.png")).to_be_visible()

    def test_drop_photos(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        desk.goto(f"{live_server}/events/city-run/upload/")
        content = list(paint_photo(RED).read())
        transfer = desk.evaluate_handle(
            """(content) => {
                const transfer = new DataTransfer();
                transfer.items.add(new File([new Uint8Array(content)], "dropped.png", { type: "image/png" }));
                return transfer;
            }""",
            content,
        )
        desk.dispatch_event(".drop", "drop", {"dataTransfer": transfer})
        expect(desk.locator("#sent")).to_have_text("1 of 1: 1 added, 0 already here, 0 refused.")
        assert event.images.get().file_name == "dropped.png"

    def test_drop_beside_the_box_stay_on_the_page(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        desk.goto(f"{live_server}/events/city-run/upload/")
        for kind in ("dragover", "drop"):
            left = f"document.body.dispatchEvent(new DragEvent('{kind}', {{ bubbles: true, cancelable: true }}))"
            assert desk.evaluate(left) is False

    def test_are_told_of_a_file_too_large_before_it_is_sent(
        self, desk: Page, live_server: LiveServer, event: Event
    ) -> None:
        desk.goto(f"{live_server}/events/city-run/upload/")
        desk.evaluate("document.querySelector('#upload').dataset.maxMb = 0")
        desk.set_input_files("[name=files] >> nth=0", upload_of("huge.png", paint_photo(RED).read()))
        expect(desk.locator("#refused")).to_contain_text("huge.png The file has more than 0 MB.")
        assert not event.images.exists()

    def test_are_told_that_the_engine_fails(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        ingest.add(event, paint_photo(RED), "a.png")
        event.engine = "unknown"
        event.save()
        desk.goto(f"{live_server}/events/city-run/upload/")
        desk.get_by_role("button", name="Process").click()
        expect(desk.locator("#processed")).to_contain_text("There is no face engine")

    def test_upload_and_process_without_scripts(
        self, visit: Visit, live_server: LiveServer, event: Event, staff: object
    ) -> None:
        page = visit(java_script_enabled=False)
        log_in(page, live_server)
        page.goto(f"{live_server}/events/city-run/upload/")
        page.set_input_files("[name=files] >> nth=0", selfie_of(RED))
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#sent")).to_have_text("1 added, 0 already here, 0 refused.")
        page.get_by_role("button", name="Process").click()
        expect(page.get_by_role("status").first).to_contain_text("Photos processed: 1.")
