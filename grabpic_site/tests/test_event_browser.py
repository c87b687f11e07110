"""The event's page in Chromium: consent first, a camera that guides, several selfies, and waiting for more photos."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from django.utils import timezone
from playwright.sync_api import expect

from conftest import BLUE, GREEN, RED, paint_photo
from events import ingest
from events.models import Event
from faces import pipeline, search
from faces.models import Consent
from grabpic_site.tests.conftest import (
    IN_BROWSER,
    PHONE,
    agree,
    fake_camera,
    fits,
    frame_of,
    selfie_of,
    until,
    upload_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page, Request, Route
    from pytest_django.live_server_helper import LiveServer

    Visit = Callable[..., Page]

pytestmark = IN_BROWSER

NOBODY = (230, 140, 20)
"""Not in the event."""


@pytest.fixture
def page(phone: Page, live_server: LiveServer, run: Event) -> Page:
    """The event's page on a phone, its scripts at work."""
    return opened(phone, live_server)


def opened(page: Page, live_server: LiveServer) -> Page:
    page.goto(f"{live_server}/events/city-run/")
    return page


def choose(page: Page, *colours: tuple[int, int, int]) -> None:
    """Agree, and choose a selfie of each of these people."""
    agree(page)
    page.set_input_files("#chosen", [selfie_of(colour) for colour in colours])


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many selfies came with each request, in a list that grows."""
    numbers: list[int] = []
    find = search.find

    def noted(event: Event, *selfies: Any, **options: Any) -> Any:
        numbers.append(len(selfies))
        return find(event, *selfies, **options)

    monkeypatch.setattr(search, "find", noted)
    return numbers


def soft_frame() -> Any:
    """Return a picture of the camera without any sharp edge."""
    light = np.linspace(80, 200, 640)[None, :, None] * np.ones((480, 1, 3))
    return light.astype(np.uint8)


class TestConsent:
    def test_comes_before_the_camera(self, visit: Visit, live_server: LiveServer, run: Event, films: Path) -> None:
        page = opened(visit(*fake_camera(films), **PHONE, permissions=["camera"]), live_server)
        box = page.get_by_role("checkbox")
        expect(box).not_to_be_checked()
        page.get_by_role("button", name="Take a selfie").click()
        expect(box).to_be_focused()
        expect(box).to_have_attribute("aria-invalid", "true")
        expect(box).to_have_accessible_description("Tick this box first, if you agree. Then go on.")
        expect(page.get_by_role("alert")).to_have_text("Tick this box first, if you agree. Then go on.")
        expect(page.get_by_role("dialog")).to_be_hidden()
        agree(page)
        expect(page.locator("#first")).to_be_empty()
        expect(box).not_to_have_attribute("aria-invalid", "true")
        page.get_by_role("button", name="Take a selfie").click()
        expect(page.get_by_role("dialog")).to_be_visible()

    def test_comes_before_a_file(self, page: Page) -> None:
        choosers: list[object] = []
        page.on("filechooser", lambda chooser: choosers.append(chooser))
        page.locator("#chosen").press("Enter")
        expect(page.get_by_role("checkbox")).to_be_focused()
        # As by drag and drop, past the click.
        page.set_input_files("#chosen", selfie_of(RED))
        expect(page.locator(".kept")).to_be_hidden()
        assert choosers == []
        assert not Consent.objects.exists()

    def test_is_the_first_thing_of_the_form_for_the_keyboard(self, page: Page) -> None:
        page.get_by_role("checkbox").focus()
        for place in ("taken", "chosen"):
            page.keyboard.press("Tab")
            expect(page.locator(f"#{place}")).to_be_focused()

    def test_is_required_without_scripts(self, visit: Visit, live_server: LiveServer, run: Event) -> None:
        page = opened(visit(**PHONE, java_script_enabled=False), live_server)
        page.set_input_files("#chosen", selfie_of(RED))
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("checkbox")).to_be_focused()  # by the browser, which refuses to send
        page.get_by_role("checkbox").check()
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_to_other_words_is_asked_for_anew(self, page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("faces.consent.VERSION", "2027-01")
        choose(page, RED)
        expect(page.get_by_role("checkbox")).to_have_value("2027-01")
        expect(page.get_by_role("checkbox")).not_to_be_checked()
        assert not Consent.objects.exists()


class TestPage:
    def test_has_what_matters_on_the_first_screen(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        run.organiser, run.cover = "City Runners, Anna Example", run.images.first()
        run.save()
        opened(phone, live_server)
        expect(phone.get_by_text("4 photos so far")).to_contain_text("by City Runners, Anna Example")
        expect(phone.locator(".cover")).to_have_js_property("naturalWidth", 400)
        for part in (".consent", "label:has(#taken)", "label:has(#chosen)", "#selfie .hint"):
            expect(phone.locator(part)).to_be_in_viewport(ratio=1)
        assert fits(phone)

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_fits_a_small_phone(self, visit: Visit, live_server: LiveServer, run: Event, language: str) -> None:
        Event.objects.filter(pk=run.pk).update(organiser="Kreisverwaltungsgemeinschaftsorganisation")
        phone = {**PHONE, "viewport": {"width": 320, "height": 568}}
        page = opened(visit(**phone, locale=language), live_server)
        next_step = page.locator("label:has(#taken)")
        expect(next_step).to_be_in_viewport(ratio=1)
        assert fits(page)
        next_step.click()
        expect(page.locator("#first")).to_be_in_viewport(ratio=1)
        page.get_by_role("checkbox").check()
        page.set_input_files("#chosen", [selfie_of(NOBODY)] * 3)
        expect(page.locator("#problem")).to_be_visible()
        expect(next_step).to_be_in_viewport(ratio=1)
        assert fits(page)
        page.locator("#tell").click()
        expect(page.locator("#waiting")).to_be_visible()
        assert fits(page)

    @pytest.mark.parametrize(("motion", "animation"), [("reduce", "none"), ("no-preference", "scan")])
    def test_moves_only_for_those_who_do_not_mind(
        self, visit: Visit, live_server: LiveServer, run: Event, motion: str, animation: str
    ) -> None:
        page = opened(visit(**PHONE, reduced_motion=motion), live_server)
        page.route("**/selfie/", lambda route: None)
        choose(page, RED)
        page.locator(".kept li").wait_for()
        script = "item => getComputedStyle(item, '::after').animationName"
        assert page.locator(".kept li").evaluate(script) == animation

    def test_keeps_nothing_of_a_visitor_who_has_left(self, page: Page) -> None:
        choose(page, NOBODY)
        expect(page.locator("#problem")).to_be_visible()
        # The browser may keep the page as it is now, for going back.
        page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
        expect(page.locator(".kept li")).to_have_count(0)
        expect(page.get_by_role("checkbox")).not_to_be_checked()
        expect(page.locator("#problem")).to_be_hidden()


class TestCamera:
    """What it says, with a film in place of the camera."""

    @pytest.fixture
    def guide(self, visit: Visit, live_server: LiveServer, run: Event, films: Path) -> Callable[..., Page]:
        """Return a function that opens the camera on a film of these frames."""

        def open_camera(*frames: Any, script: str = "") -> Page:
            page = visit(*fake_camera(films, *frames), **PHONE, permissions=["camera"])
            page.add_init_script(script)
            opened(page, live_server)
            agree(page)
            page.get_by_role("button", name="Take a selfie").click()
            return page

        return open_camera

    def test_asks_for_light_in_the_dark_and_works_all_the_same(self, guide: Callable[..., Page]) -> None:
        dark = frame_of(10, face=False)
        dark[120:360, 220:420] = (130, 0, 0)  # a face to the fake engine, and dark
        page = guide(dark)
        expect(page.locator(".guide")).to_have_text("More light: turn towards it")
        page.get_by_role("button", name="Take the picture").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_asks_for_less_glare(self, guide: Callable[..., Page]) -> None:
        page = guide(frame_of(250, face=False))
        expect(page.locator(".guide")).to_have_text("Too bright: turn out of the glare")

    @pytest.mark.parametrize("frames", [[frame_of(shade, face=False) for shade in range(70, 220, 30)], [soft_frame()]])
    def test_asks_to_hold_still(self, guide: Callable[..., Page], frames: list[Any]) -> None:
        page = guide(*frames)
        expect(page.locator(".guide")).to_have_text("Hold still")

    def test_says_no_more_than_it_knows_in_good_light(self, guide: Callable[..., Page]) -> None:
        page = guide(frame_of(128))
        expect(page.get_by_role("dialog")).to_have_attribute("data-verdict", "good")
        expect(page.locator(".guide")).to_have_text("Fill the oval with your face alone")
        page.set_input_files("#instead", selfie_of(RED))
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    @pytest.mark.parametrize(
        ("heights", "hint"),
        [
            ([], "Put your face in the oval"),
            ([200, 200], "Only one face, please"),
            ([40], "Come closer"),
            ([200], "Good. Take the picture"),
        ],
    )
    def test_says_what_a_detector_of_faces_sees(
        self, guide: Callable[..., Page], heights: list[int], hint: str
    ) -> None:
        page = guide(script=detector(f"return {[{'boundingBox': {'height': height}} for height in heights]};"))
        expect(page.locator(".guide")).to_have_text(hint)

    def test_does_without_a_detector_that_only_has_the_name(self, guide: Callable[..., Page]) -> None:
        page = guide(frame_of(10, face=False), script=detector("throw new DOMException('', 'NotSupportedError');"))
        expect(page.locator(".guide")).to_have_text("More light: turn towards it")

    @pytest.mark.parametrize("kind", ["ended", "mute"])
    def test_that_the_device_takes_away_says_so_and_can_be_opened_again(
        self, guide: Callable[..., Page], kind: str
    ) -> None:
        page = guide()
        expect(page.get_by_role("dialog")).to_be_visible()
        page.evaluate(
            "kind => document.querySelector('video').srcObject.getTracks()[0].dispatchEvent(new Event(kind))", kind
        )
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(page.locator("#selfie .status")).to_contain_text("The camera has stopped")
        expect(page.locator("#taken")).to_be_focused()
        page.get_by_role("button", name="Take a selfie").click()
        page.get_by_role("button", name="Take the picture").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_is_busy_from_the_shutter_on(self, guide: Callable[..., Page]) -> None:
        page = guide(script="HTMLCanvasElement.prototype.toBlob = () => {};")  # a slow phone
        page.get_by_role("button", name="Take the picture").click()
        expect(page.locator("#selfie .status")).to_have_text("Looking for you…")
        expect(page.locator("#selfie")).to_have_attribute("aria-busy", "true")


def detector(body: str) -> str:
    """Return a script that gives the browser a detector of faces."""
    return f"window.FaceDetector = class {{ async detect() {{ {body} }} }};"


class TestSelfies:
    def test_are_sent_together(self, page: Page, sent: list[int]) -> None:
        choose(page, RED, RED)
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert sent == [2]

    def test_are_kept_for_another_try(self, page: Page, sent: list[int]) -> None:
        choose(page, NOBODY)
        expect(page.locator("#problem")).to_contain_text("You are not in these photos yet")
        page.get_by_text("Add another selfie").wait_for()
        for _ in range(3):
            with page.expect_response("**/selfie/"):
                page.set_input_files("#chosen", selfie_of(NOBODY))
            expect(page.locator("#problem")).to_be_visible()
        assert sent == [1, 2, 3, 3]
        expect(page.get_by_role("img", name="Selfie 3")).to_have_js_property("naturalWidth", 400)

    def test_can_be_taken_away(self, page: Page, sent: list[int]) -> None:
        choose(page, RED, BLUE)
        expect(page.locator("#problem")).to_contain_text("different people")
        address = page.get_by_role("img", name="Selfie 2").get_attribute("src")
        page.get_by_role("button", name="Take selfie 2 away").click()
        expect(page.get_by_role("button", name="Take selfie 1 away")).to_be_focused()
        expect(page.get_by_role("img", name="Selfie 2")).to_be_hidden()
        script = """(address) => new Promise((tell) => {
            Object.assign(new Image(), { onload: () => tell("there"), onerror: () => tell("gone"), src: address });
        })"""
        assert page.evaluate(script, address) == "gone"
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert sent == [2, 1]

    def test_one_that_is_of_no_use_makes_room(self, page: Page, sent: list[int]) -> None:
        agree(page)
        page.set_input_files("#chosen", upload_of("words.png", b"no picture"))
        expect(page.locator("#problem")).to_contain_text("not a photo")
        page.set_input_files("#chosen", selfie_of(RED))
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert sent == [1, 1]

    def test_of_several_faces_ask_which_one_is_meant(self, page: Page) -> None:
        agree(page)
        page.set_input_files("#chosen", selfie_of(RED, GREEN))
        expect(page.locator("#problem")).to_contain_text("several faces")
        faces = page.get_by_role("button", name="This is me")
        expect(faces).to_have_count(2)
        lefts = [face.evaluate("button => button.getBoundingClientRect().left") for face in faces.all()]
        assert lefts == sorted(lefts)
        faces.nth(1).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")

    def test_that_only_guess_do_not_open_the_gallery_at_once(self, page: Page) -> None:
        answer = {"gallery": "/events/city-run/", "sure": 0, "maybe": 2, "left_out": []}
        page.route("**/selfie/", lambda route: route.fulfill(json=answer))
        choose(page, RED)
        expect(page.locator("#problem")).to_contain_text("We are not sure")
        expect(page.get_by_text("Add another selfie")).to_be_visible()
        expect(page.get_by_role("button", name="Tell me when")).to_be_visible()
        expect(page.get_by_role("link", name="See the photos that may show you")).to_have_attribute(
            "href", "/events/city-run/"
        )

    def test_several_without_scripts(self, visit: Visit, live_server: LiveServer, run: Event, sent: list[int]) -> None:
        page = opened(visit(**PHONE, java_script_enabled=False), live_server)
        choose(page, RED, GREEN)
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("alert").first).to_contain_text("different people")
        choose(page, GREEN, GREEN)
        page.get_by_role("button", name="Find my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")
        assert sent == [2, 2]


class TestConnection:
    def test_away_needs_no_new_selfie(self, page: Page) -> None:
        page.context.set_offline(True)
        choose(page, RED)
        expect(page.locator("#problem")).to_contain_text("No connection")
        page.context.set_offline(False)
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_to_a_server_that_fails(self, page: Page) -> None:
        page.route("**/selfie/", lambda route: route.fulfill(status=502, body="<h1>Bad gateway</h1>"), times=1)
        choose(page, RED)
        expect(page.locator("#problem")).to_contain_text("The fault is ours")
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")

    def test_that_is_slow_says_so(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.clock.install()
        opened(phone, live_server)
        phone.route("**/selfie/", lambda route: None)
        with phone.expect_request("**/selfie/"):
            choose(phone, RED)
        status = phone.locator("#selfie .status")
        expect(status).to_have_text("Looking for you…")
        phone.clock.run_for(5000)
        expect(status).to_contain_text("Still looking")

    def test_that_is_slow_says_how_much_has_gone(self, phone: Page, live_server: LiveServer, run: Event) -> None:
        phone.clock.install()
        opened(phone, live_server)
        phone.evaluate("XMLHttpRequest.prototype.send = function () { window.http = this; }")
        choose(phone, RED)
        until(phone, "window.http !== undefined")
        status = phone.locator("#selfie .status")
        for loaded, text in (
            (47, "Sent so far: 40 percent."),
            (99, "Sent so far: 90 percent."),
            (100, "Still looking"),
        ):
            phone.evaluate("loaded => http.upload.onprogress({ loaded, total: 100 })", loaded)
            phone.clock.run_for(5000)
            expect(status).to_contain_text(text)

    def test_without_cookies_says_so(self, page: Page) -> None:
        page.context.clear_cookies()
        choose(page, RED)
        expect(page.locator("#problem")).to_contain_text("Allow cookies, reload the page and try once more.")

    def test_after_the_event_has_closed_shows_that(self, page: Page, run: Event) -> None:
        Event.objects.filter(pk=run.pk).update(closes_at=timezone.now() - timedelta(days=1))
        choose(page, RED)
        expect(page.get_by_role("heading", level=2)).to_have_text("Closed")


DEVICE = """() => {
    window.told = [];
    window.locks = 0;
    const lock = () => ({ release: () => window.locks--, released: false });
    navigator.wakeLock.request = async () => { window.locks++; return lock(); };
    navigator.vibrate = () => window.told.push("vibration");
    window.Notification = class {
        static permission = "default";
        static async requestPermission() { this.permission = "granted"; window.told.push("asked"); }
        constructor(text) { window.told.push(text); }
    };
}"""
"""What a phone can do besides, and what was asked of it."""


class TestWaiting:
    @pytest.fixture(autouse=True)
    def _waiting(self, page: Page, sent: list[int]) -> None:
        """Blue was not found, and waits; there are four photos."""
        page.evaluate(DEVICE)
        page.locator("#waiting").evaluate("panel => { panel.dataset.interval = 0.1; }")
        choose(page, BLUE)
        with page.expect_response(lambda response: response.url.endswith("/selfie/") and len(sent) == 2):
            page.get_by_role("button", name="Tell me when").click()
        expect(page.locator("#waiting .so-far")).to_have_text("4 photos looked at so far.")

    def test_finds_by_itself_when_more_photos_are_in(self, page: Page, run: Event) -> None:
        expect(page.get_by_role("region", name="Waiting for more photos")).to_contain_text("stays in this page only")
        add(run, GREEN)
        expect(page.locator("#waiting .so-far")).to_have_text("5 photos looked at so far.")
        add(run, BLUE)
        expect(page.get_by_role("alert").get_by_role("heading")).to_have_text("You are in 1 photo")
        expect(page).to_have_title(re.compile("^You are in 1 photo .* City Run"))
        page.get_by_role("link", name="See my photos").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 1 photo")

    def test_keeps_the_screen_awake_until_there_is_news_and_tells_it(self, page: Page, run: Event) -> None:
        assert page.evaluate("window.locks") == 1
        add(run, BLUE)
        expect(page.get_by_role("link", name="See my photos")).to_be_visible()
        assert page.evaluate("window.locks") == 0
        assert page.evaluate("window.told") == ["asked", "vibration", "You are in 1 photo"]

    def test_looks_again_only_when_there_is_something_new(self, page: Page, run: Event, sent: list[int]) -> None:
        for _ in range(4):
            with page.expect_response("**/news/"):
                pass
        # With the selfie, and when waiting began.
        assert sent == [1, 1]

    def test_looks_less_often_while_many_are_on_their_way(self, page: Page) -> None:
        polls: list[object] = []
        looks: list[int] = []

        def answer(route: Route) -> None:
            polls.append(route)
            route.fulfill(json={"photos": 4 + len(polls), "pending": 1000, "mine": None})

        def note(request: Request) -> None:
            if request.url.endswith("/selfie/"):
                looks.append(len(polls))

        page.on("request", note)
        page.route("**/news/", answer)
        for _ in range(2):
            with page.expect_response("**/selfie/"):
                pass
        assert looks[1] - looks[0] == 6
        expect(page.locator("#waiting .so-far")).to_contain_text("1,000 are on their way.")

    def test_goes_on_after_the_connection_was_away(self, page: Page, run: Event) -> None:
        page.context.set_offline(True)
        expect(page.locator("#waiting .so-far")).to_contain_text("No connection")
        add(run, BLUE)
        page.context.set_offline(False)
        expect(page.get_by_role("link", name="See my photos")).to_be_visible()

    def test_can_be_stopped(self, page: Page) -> None:
        asked: list[str] = []
        page.get_by_role("button", name="Stop").click()
        expect(page.locator("#waiting")).to_be_hidden()
        expect(page.get_by_role("button", name="Tell me when")).to_be_visible()
        assert page.evaluate("window.locks") == 0
        page.on("request", lambda request: asked.append(request.url))
        page.wait_for_timeout(500)
        assert asked == []

    def test_ends_with_the_consent(self, page: Page) -> None:
        page.get_by_role("checkbox").uncheck()
        expect(page.locator("#waiting")).to_be_hidden()

    def test_ends_with_the_event(self, page: Page, run: Event) -> None:
        Event.objects.filter(pk=run.pk).update(closes_at=timezone.now() - timedelta(days=1))
        expect(page.get_by_role("heading", level=2)).to_have_text("Closed")


def add(event: Event, colour: tuple[int, int, int]) -> None:
    ingest.add(event, paint_photo(colour, shade=150 + event.images.count()), "new.png")
    pipeline.ingest(event)
