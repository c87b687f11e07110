"""The pages in Debian's Chromium: an attendee with a phone, staff with a folder of photos."""

from __future__ import annotations

import itertools
import re
from pathlib import PurePath
from typing import IO, TYPE_CHECKING

import numpy as np
import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from PIL import Image as Picture
from playwright.sync_api import expect
from rest_framework.response import Response

from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from events.api.photos import UploadViewSet
from events.errors import Refusal
from events.models import Event, Image
from faces import pipeline
from faces.models import ImageFace
from faces.tests.galleries import open_gallery
from grabpic_site.tests.conftest import IN_BROWSER, PHONE, agree, fake_camera, fits, selfie_of, until, upload_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.http import HttpResponseBase
    from django.test import Client
    from playwright.sync_api import FilePayload, Page, Route
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer
    from rest_framework.request import Request

    Visit = Callable[..., Page]

LONG_SIDE = 1600
"""Pixels; what the page sends is not larger."""

pytestmark = IN_BROWSER


def log_in(page: Page, live_server: LiveServer) -> None:
    page.goto(f"{live_server}/admin/login/?next=/")
    page.fill("#id_username", "staff")
    page.fill("#id_password", "staff")
    page.click("[type=submit]")
    page.wait_for_url(f"{live_server}/")


class TestAttendee:
    def test_finds_their_photos_with_a_file(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(str(live_server))
        assert fits(phone)
        phone.get_by_role("link", name="City Run").click()
        phone.wait_for_url("**/events/city-run/")
        assert fits(phone)
        expect(phone.get_by_role("button", name="Find my photos")).to_be_hidden()
        agree(phone)
        phone.set_input_files("#chosen", selfie_of(RED))
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert fits(phone)
        expect(phone.locator(".photos img").first).to_have_js_property("naturalWidth", 400)

    def test_sends_a_large_picture_shrunk(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        phone.evaluate("XMLHttpRequest.prototype.send = (body) => { window.sent = body; }")
        agree(phone)
        phone.set_input_files("#chosen", selfie_of(RED, size=(4000, 3000)))
        expect(phone.get_by_role("status")).to_have_text("Looking for you…")
        size = phone.evaluate(
            """async () => {
                while (!window.sent) await new Promise(requestAnimationFrame);
                const picture = await createImageBitmap(window.sent.get("file"));
                return [picture.width, picture.height];
            }"""
        )
        assert size == [LONG_SIDE, LONG_SIDE * 3 // 4]

    def test_is_told_what_is_wrong_and_tries_again(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        agree(phone)
        phone.set_input_files("#chosen", selfie_of(BLUE))
        alert = phone.locator("#problem")
        expect(alert).to_contain_text("You are not in these photos yet")
        expect(alert).to_be_focused()
        assert fits(phone)
        phone.get_by_role("button", name="Take selfie 1 away").click()
        expect(alert).to_be_hidden()
        phone.set_input_files("#chosen", upload_of("words.png", b"no picture"))
        expect(alert).to_contain_text("not a photo")
        expect(alert).to_be_focused()
        phone.set_input_files("#chosen", selfie_of(GREEN))
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")

    def test_reads_text_of_twice_the_size(
        self, visit: Visit, live_server: LiveServer, run: Event, client: Client
    ) -> None:
        names = {"name": "Donaudampfschifffahrtsgesellschaftslauf", "contact": f"{'organisation' * 3}@run.example"}
        Event.objects.filter(pk=run.pk).update(**names)
        open_gallery(client, run, [ImageFace.objects.earliest("pk").pk], [ImageFace.objects.latest("pk").pk])
        page = visit("--blink-settings=defaultFontSize=32", **PHONE, locale="de")
        session = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": session, "url": str(live_server)}])
        for path in ("", "events/city-run/", "events/city-run/gallery/", "events/city-run/privacy/"):
            page.goto(f"{live_server}/{path}")
            expect(page.locator("html")).to_have_css("font-size", "36px")
            assert fits(page), path

    def test_finds_their_photos_without_scripts(self, visit: Visit, live_server: LiveServer, run: Event) -> None:
        page = visit(**PHONE, java_script_enabled=False)
        page.goto(f"{live_server}/events/city-run/")
        assert fits(page)
        agree(page)
        page.set_input_files("#taken", selfie_of(RED))
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        preview = page.locator(".photos a").first.get_attribute("href")
        assert page.request.get(f"{live_server}{preview}").headers["content-type"] == "image/jpeg"

    def test_finds_their_photos_with_the_camera(
        self, visit: Visit, live_server: LiveServer, run: Event, films: Path
    ) -> None:
        page = visit(*fake_camera(films), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        agree(page)
        page.get_by_role("button", name="Take a selfie").click()
        shutter = page.get_by_role("button", name="Take the picture")
        expect(shutter).to_be_focused()
        expect(page.locator("video")).to_have_js_property("videoWidth", 640)
        shutter.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_closing_the_camera_switches_it_off(
        self, visit: Visit, live_server: LiveServer, run: Event, films: Path
    ) -> None:
        page = visit(*fake_camera(films), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        agree(page)
        page.get_by_role("button", name="Take a selfie").click()
        page.get_by_role("dialog").wait_for()
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        # The dialog's close event comes a moment after it is gone.
        until(page, "document.querySelector('video').srcObject === null")

    def test_waits_for_the_answer_before_another_selfie(
        self, visit: Visit, live_server: LiveServer, run: Event, films: Path
    ) -> None:
        page = visit(*fake_camera(films), **PHONE, permissions=["camera"])
        page.goto(f"{live_server}/events/city-run/")
        page.evaluate("XMLHttpRequest.prototype.send = () => {}")
        agree(page)
        page.set_input_files("#chosen", selfie_of(RED))
        expect(page.locator("#selfie")).to_have_attribute("aria-busy", "true")
        page.locator("#taken").press("Enter")
        page.wait_for_timeout(500)
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.evaluate("document.querySelector('video').srcObject") is None

    def test_without_a_camera_is_offered_a_file(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        agree(phone)
        phone.get_by_role("button", name="Take a selfie").click()
        expect(phone.get_by_role("status")).to_contain_text("Choose a photo")
        expect(phone.get_by_role("status")).to_contain_class("bad")
        # From now on, the phone's own way to take a picture is left to do it.
        with phone.expect_file_chooser() as chooser:
            phone.get_by_role("button", name="Take a selfie").click()
        chooser.value.set_files([selfie_of(RED)])
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")


class TestMaybe:
    """The visitor is surely red, and maybe green."""

    @pytest.fixture(autouse=True)
    def _gallery(self, phone: Page, live_server: LiveServer, run: Event, client: Client) -> None:
        sure, maybe = ImageFace.objects.filter(image__file_name="1.png").order_by("x")
        open_gallery(client, run, [sure.pk], [maybe.pk])
        cookie = client.cookies["sessionid"].value
        phone.context.add_cookies([{"name": "sessionid", "value": cookie, "url": str(live_server)}])
        phone.goto(f"{live_server}/events/city-run/gallery/")

    def test_is_a_section_below_what_is_sure(self, phone: Page) -> None:
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        maybe = phone.get_by_role("region", name="Maybe you")
        expect(maybe.get_by_role("link")).to_have_count(1)
        expect(maybe.locator(".photos img")).to_have_js_property("naturalWidth", 400)
        expect(phone.locator(".photos a")).to_have_count(4)

    def test_the_full_view_goes_on_into_it_and_says_so(self, phone: Page) -> None:
        viewer, counter = phone.get_by_role("dialog"), phone.locator(".counter")
        phone.locator(".photos a").nth(2).click()
        expect(counter).to_have_text("3 of 4")
        phone.keyboard.press("ArrowRight")
        expect(counter).to_have_text("4 of 4 · maybe you")
        expect(viewer.get_by_role("img")).to_have_js_property("naturalWidth", 400)
        phone.keyboard.press("ArrowRight")
        expect(counter).to_have_text("1 of 4")
        phone.keyboard.press("ArrowLeft")
        phone.keyboard.press("Escape")
        expect(phone.get_by_role("region", name="Maybe you").get_by_role("link")).to_be_focused()


class TestFullView:
    @pytest.fixture(autouse=True)
    def _gallery(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.goto(f"{live_server}/events/city-run/")
        agree(phone)
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
            until(phone, "history.state === null")
        phone.go_back()
        expect(phone.get_by_role("button", name="Take a selfie")).to_be_visible()

    def test_leaves_the_page_at_the_last_photo(self, phone: Page) -> None:
        phone.set_viewport_size({"width": 390, "height": 300})
        phone.locator(".photos a").first.evaluate("link => link.closest('ul').style.gridAutoRows = '600px'")
        phone.locator(".photos a").first.click()
        phone.keyboard.press("ArrowLeft")
        phone.keyboard.press("Escape")
        until(phone, "history.state === null")
        phone.wait_for_timeout(300)
        expect(phone.locator(".photos a").nth(2)).to_be_in_viewport()

    @pytest.mark.parametrize(("width", "height"), [(640, 360), (667, 375), (740, 360), (844, 390), (320, 568)])
    def test_has_its_buttons_side_by_side(self, phone: Page, width: int, height: int) -> None:
        phone.set_viewport_size({"width": width, "height": height})
        phone.locator(".photos a").first.click()
        # A trial is refused where something else would receive the click.
        for button in phone.get_by_role("dialog").locator("button:visible, a:visible").all():
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


@pytest.fixture
def arrivals(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The name of each file that reached the server, in a list that grows."""
    names: list[str] = []
    add = ingest.add

    def noted(event: Event, file: IO[bytes], file_name: str) -> ingest.Outcome:
        names.append(file_name)
        return add(event, file, file_name)

    monkeypatch.setattr(ingest, "add", noted)
    return names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Forty small photos, as a camera names them."""
    return fill(tmp_path / "card", 40)


def fill(folder: Path, photos: int) -> Path:
    folder.mkdir()
    for number in range(1, photos + 1):
        pixels = np.full((48, 64, 3), (number % 256, number // 256, 128), np.uint8)
        Picture.fromarray(pixels).save(folder / f"IMG_{number:04}.PNG")
    return folder


def choose(page: Page, *files: Path | FilePayload) -> None:
    if len(files) == 1 and isinstance(files[0], PurePath):
        page.set_input_files("[webkitdirectory]", files[0])
    else:
        page.set_input_files("[name=files] >> nth=0", list(files))  # type: ignore[arg-type]  # all of one kind


class TestUpload:
    @pytest.fixture(autouse=True)
    def _page(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        desk.goto(f"{live_server}/events/city-run/upload/")

    def test_of_three_hundred_files_over_a_connection_that_is_cut(
        self, desk: Page, event: Event, tmp_path: Path
    ) -> None:
        folder = fill(tmp_path / "card", 298)
        (folder / "again.PNG").write_bytes((folder / "IMG_0001.PNG").read_bytes())
        (folder / "notes.txt").write_bytes(b"no photo")
        (folder / ".hidden.PNG").write_bytes(b"of no interest")
        requests = []

        def cut(route: Route) -> None:
            requests.append(route)
            if len(requests) == 10:
                desk.context.set_offline(True)
            route.continue_()

        desk.route("**/api/v1/upload*", cut)
        choose(desk, folder)
        expect(desk.locator("#sent")).to_contain_text("The connection is lost")
        expect(desk.get_by_role("button", name="Resume")).to_be_visible()
        assert 0 < event.images.count() < 298
        desk.context.set_offline(False)
        said = re.compile(r"\d+ added, \d+ already here, 1 refused\.")
        expect(desk.locator("#sent")).to_have_text(said, timeout=60_000)
        added, here = map(int, re.findall(r"\d+", desk.locator("#sent").inner_text())[:2])
        # What was cut off may arrive after the page has asked whether it has, and is here already when it comes again.
        assert added + here == 299
        assert 1 <= here <= 1 + 3 * 8, "one in the folder, and what three requests of eight had on their way"
        expect(desk.locator("#refused li")).to_contain_text(["notes.txt This is not a photo"])
        expect(desk.locator("#duplicates summary")).to_have_text(f"Already here ({here})")
        expect(desk.locator("#overall")).to_have_js_property("value", 1)
        expect(desk.locator("#so-far")).to_contain_text("300 of 300 files")
        expect(desk.locator("#flights")).to_be_hidden()
        assert event.images.count() == 298

    def test_counts_what_arrived_without_an_answer_as_sent(
        self, desk: Page, event: Event, folder: Path, arrivals: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create, calls = UploadViewSet.create, itertools.count()

        def gateway(view: UploadViewSet, request: Request) -> HttpResponseBase:
            response = create(view, request)
            return Response(status=502) if next(calls) == 1 else response

        monkeypatch.setattr(UploadViewSet, "create", gateway)
        choose(desk, folder)
        expect(desk.locator("#sent")).to_have_text("40 added, 0 already here, 0 refused.")
        assert sorted(arrivals) == [f"IMG_{number:04}.PNG" for number in range(1, 41)]

    def test_can_be_paused(self, desk: Page, event: Event, folder: Path) -> None:
        desk.route("**/api/v1/upload*", lambda _: None)  # on its way, for ever
        choose(desk, folder)
        flights = desk.locator("#flights li:not(.idle)")
        expect(flights).to_have_count(3)
        expect(flights.first).to_contain_text("IMG_0001.PNG and 7 more")
        expect(desk.get_by_role("progressbar", name="IMG_0009.PNG and 7 more")).to_be_visible()
        desk.get_by_role("button", name="Pause").click()
        expect(desk.locator("#sent")).to_have_text("Paused.")
        desk.unroute("**/api/v1/upload*")
        resume = desk.get_by_role("button", name="Resume")
        expect(resume).to_be_focused()
        resume.press("Enter")
        # What was on its way may arrive after all, now that nothing holds it, and is here already then.
        expect(desk.locator("#sent")).to_have_text(re.compile(r"added, \d+ already here, 0 refused\."))
        assert event.images.count() == 40

    def test_goes_on_after_a_closed_tab(self, desk: Page, event: Event, folder: Path, arrivals: list[str]) -> None:
        routes = itertools.count()
        desk.route("**/api/v1/upload*", lambda route: route.continue_() if next(routes) < 2 else None)
        choose(desk, folder)
        expect(desk.locator("#so-far")).to_contain_text("16 of 40 files")
        desk.on("dialog", lambda dialog: dialog.accept())  # it asks before it leaves
        desk.reload()
        desk.unroute("**/api/v1/upload*")
        choose(desk, folder)
        expect(desk.locator("#sent")).to_have_text("24 added, 16 already here, 0 refused.")
        choose(desk, folder)
        expect(desk.locator("#sent")).to_have_text("0 added, 40 already here, 0 refused.")
        assert len(arrivals) == event.images.count() == 40

    def test_refuses_what_is_gone_since_it_was_chosen(self, desk: Page, folder: Path) -> None:
        routes = itertools.count()
        desk.route("**/api/v1/upload*", lambda route: route.continue_() if next(routes) < 1 else None)
        choose(desk, folder)
        expect(desk.locator("#so-far")).to_contain_text("8 of 40 files")
        desk.get_by_role("button", name="Pause").click()
        for path in folder.iterdir():
            path.unlink()  # as when a card is pulled out
        desk.unroute("**/api/v1/upload*")
        desk.get_by_role("button", name="Resume").click()
        expect(desk.locator("#sent")).to_have_text("8 added, 0 already here, 32 refused.")
        expect(desk.locator("#refused li").first).to_contain_text("It cannot be read.")

    def test_without_hashes_leaves_it_to_the_server(self, desk: Page, event: Event) -> None:
        desk.add_init_script("Object.defineProperty(crypto, 'subtle', { value: undefined })")
        desk.reload()
        ingest.add(event, paint_photo(RED), "known.png")
        choose(desk, upload_of("again.png", paint_photo(RED).read()), upload_of("new.png", paint_photo(GREEN).read()))
        expect(desk.locator("#sent")).to_have_text("1 added, 1 already here, 0 refused.")
        expect(desk.locator("#duplicates")).to_contain_text("again.png")

    def test_waits_for_staff_to_log_in_again(
        self, desk: Page, live_server: LiveServer, event: Event, folder: Path
    ) -> None:
        desk.context.clear_cookies(name="sessionid")
        choose(desk, folder)
        expect(desk.locator("#sent")).to_contain_text("Log in again in another tab")
        log_in_elsewhere(desk, live_server)
        desk.get_by_role("button", name="Resume").click()
        expect(desk.locator("#sent")).to_have_text("40 added, 0 already here, 0 refused.")

    def test_refuses_the_one_file_that_spoils_its_batch(
        self, desk: Page, event: Event, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        create = UploadViewSet.create

        def picky(view: UploadViewSet, request: Request) -> HttpResponseBase:
            if any(file.name == "bad.png" for file in request.FILES.getlist("files")):
                raise Refusal("too_odd", "This is too odd.", 413)
            return create(view, request)

        monkeypatch.setattr(UploadViewSet, "create", picky)
        choose(desk, *(upload_of(f"{name}.png", paint_photo(shade=ord(name[0])).read()) for name in ("a", "bad", "c")))
        expect(desk.locator("#sent")).to_have_text("2 added, 0 already here, 1 refused.")
        expect(desk.locator("#refused li")).to_have_text("bad.png This is too odd.")

    def test_shows_the_beginning_of_a_long_list(self, desk: Page, settings: Settings) -> None:
        settings.MAX_UPLOAD_MB = 0
        desk.reload()
        desk.evaluate(
            """() => {
                const transfer = new DataTransfer();
                for (let n = 0; n < 1434; n += 1) transfer.items.add(new File([`${n}`], `${n}.png`));
                const input = document.querySelector("[name=files]");
                input.files = transfer.files;
                input.dispatchEvent(new Event("change", { bubbles: true }));
            }"""
        )
        expect(desk.locator("#sent")).to_have_text("0 added, 0 already here, 1,434 refused.")
        expect(desk.locator("#refused li")).to_have_count(200)
        expect(desk.locator("#refused .more")).to_have_text("and 1,234 more")

    def test_by_drag_and_drop(self, desk: Page, event: Event) -> None:
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
        expect(desk.locator("#sent")).to_have_text("1 added, 0 already here, 0 refused.")
        assert event.images.get().file_name == "dropped.png"

    def test_stays_on_the_page_where_a_drop_misses_the_box(self, desk: Page) -> None:
        for kind in ("dragover", "drop"):
            left = f"document.body.dispatchEvent(new DragEvent('{kind}', {{ bubbles: true, cancelable: true }}))"
            assert desk.evaluate(left) is False

    def test_sends_no_file_that_is_too_large(
        self, desk: Page, live_server: LiveServer, event: Event, settings: Settings, arrivals: list[str]
    ) -> None:
        settings.MAX_UPLOAD_MB = 0
        desk.reload()
        choose(desk, upload_of("huge.png", paint_photo(RED).read()))
        expect(desk.locator("#refused li")).to_have_text("huge.png The file has more than 0 MB.")
        assert arrivals == []


def log_in_elsewhere(page: Page, live_server: LiveServer) -> None:
    """Log in as another tab of the same browser would, which changes the token against forged requests, too."""
    address = f"{live_server}/admin/login/"
    page.request.get(address)
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "csrftoken")
    form: dict[str, str | float | bool] = {"username": "staff", "password": "staff", "csrfmiddlewaretoken": token}
    assert page.request.post(address, form=form, headers={"Referer": address}, max_redirects=0).status == 302


class TestProgress:
    def test_is_live(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        ingest.add(event, paint_photo(RED), "a.png")
        desk.goto(f"{live_server}/events/city-run/upload/")
        expect(desk.get_by_text("No worker is running.")).to_be_visible()
        choose(desk, upload_of("b.png", paint_photo(RED, GREEN).read()))
        expect(desk.locator("[data-figure=pending]")).to_have_text("2")
        pipeline.ingest(event)
        expect(desk.locator("[data-figure=indexed]")).to_have_text("2")
        expect(desk.locator("[data-figure=faces]")).to_have_text("3")
        expect(desk.locator("[data-figure=persons]")).to_have_text("2")
        expect(desk.get_by_role("progressbar", name="2 of 2 photos looked at")).to_have_js_property("value", 2)
        expect(desk.get_by_text("No worker is running.")).to_be_hidden()

    @pytest.mark.parametrize("page", ["upload", "admin"])
    def test_lists_what_failed_and_tries_it_again(
        self, desk: Page, live_server: LiveServer, event: Event, staff: User, page: str
    ) -> None:
        staff.user_permissions.add(Permission.objects.get(codename="view_event"))
        admin = f"/admin/events/event/{event.pk}/change/"
        for shade in range(4):
            ingest.add(event, paint_photo(RED, shade=shade), f"{shade}.png")
        desk.goto(str(live_server) + {"upload": "/events/city-run/upload/", "admin": admin}[page])
        expect(desk.locator("#failures")).to_be_hidden()
        fail(event, "engine_failed", "The engine stumbled.", "1.png")
        fail(event, "truncated", "The file ends too early.", "2.png", "3.png")
        expect(desk.locator(".reasons li")).to_contain_text(["2 The file ends too early.", "1 The engine stumbled."])
        desk.get_by_text("One by one").click()
        expect(desk.locator(".failed img")).to_have_count(1)
        desk.get_by_role("button", name="Try again: 1.png").click()
        expect(desk.locator("#said")).to_have_text("1 photo will be looked at again.")
        expect(desk.locator(".reasons li")).to_have_count(1)
        expect(desk.locator("#said")).to_be_focused()
        desk.get_by_role("button", name="Try again all of: The file ends too early.").click()
        expect(desk.locator("#failures")).to_be_hidden()
        expect(desk.locator("#said")).to_have_text("2 photos will be looked at again.")
        assert event.images.pending().count() == 4

    def test_asks_less_often_where_no_answer_comes(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        ingest.add(event, paint_photo(RED), "a.png")
        desk.clock.install()
        desk.goto(f"{live_server}/events/city-run/upload/")
        expect(desk.locator("[data-figure=pending]")).to_have_text("1")
        polls: list[object] = []
        desk.on("request", lambda request: polls.append(request))
        desk.route("**/progress", lambda route: route.abort())
        for _ in range(120):
            desk.clock.run_for(1000)
        expect(desk.get_by_text("The server does not answer")).to_be_visible()
        assert 4 <= len(polls) <= 7  # after 2, 4, 8, 16, 32 and 60 s
        desk.unroute("**/progress")
        polls.clear()
        while not polls:
            desk.clock.run_for(1000)
        expect(desk.get_by_text("The server does not answer")).to_be_hidden()

    def test_asks_nothing_while_nobody_looks(self, desk: Page, live_server: LiveServer, event: Event) -> None:
        ingest.add(event, paint_photo(RED), "a.png")
        desk.clock.install()
        with desk.expect_response("**/progress"):
            desk.goto(f"{live_server}/events/city-run/upload/")
        polls: list[object] = []
        desk.on("request", lambda request: polls.append(request))
        change = "document.dispatchEvent(new Event('visibilitychange'))"
        desk.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: true, configurable: true }}); {change}")
        polls.clear()  # one may just have begun
        desk.clock.run_for(60_000)
        assert polls == []
        with desk.expect_request("**/progress"):
            desk.evaluate(f"delete document.hidden; {change}")
            desk.clock.run_for(1000)

    def test_without_scripts(self, visit: Visit, live_server: LiveServer, event: Event, staff: object) -> None:
        page = visit(java_script_enabled=False)
        log_in(page, live_server)
        page.goto(f"{live_server}/events/city-run/upload/")
        page.set_input_files("[name=files] >> nth=0", selfie_of(RED))
        page.get_by_role("button", name="Upload").click()
        expect(page.locator("#sent")).to_have_text("1 added, 0 already here, 0 refused.")
        expect(page.locator("[data-figure=pending]")).to_have_text("1")
        fail(event, "truncated", "The file ends too early.", "me.png")
        page.goto(f"{live_server}/events/city-run/upload/")
        page.get_by_role("button", name="Try again all of: The file ends too early.").click()
        expect(page.get_by_role("status").first).to_contain_text("1 photo will be looked at again.")


def fail(event: Event, code: str, reason: str, *names: str) -> None:
    images = event.images.filter(file_name__in=names)
    images.update(state=Image.State.FAILED, failure_code=code, failure_reason=reason, processed_at=timezone.now())
