"""An attendee's gallery in a browser: answers, choosing and downloading, sharing, the personal link, news."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pytest
from playwright.sync_api import expect

from conftest import GREEN, RED, paint_photo
from events import ingest
from faces import pipeline
from faces.models import Evidence, ImageFace, Visitor
from faces.tests.galleries import open_gallery
from grabpic_site.tests.conftest import IN_BROWSER, PHONE, fits, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from playwright.sync_api import Download, Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

    Visit = Callable[..., Page]

pytestmark = IN_BROWSER

GALLERY = "/events/city-run/gallery/"
YES = "That’s me"  # noqa: RUF001  # a typographer's apostrophe

SHARING = """
    window.shared = [];
    navigator.canShare = () => true;
    navigator.share = async ({ url, files }) => window.shared.push({ url, files: files?.map((file) => file.name) });
"""
"""A device with a share sheet, which remembers what it was given."""


@pytest.fixture
def visitor(run: Event, client: Client) -> Visitor:
    """Somebody who is surely red, in three photos, and maybe green, in one of them and one more."""
    sure, maybe = ImageFace.objects.filter(image__file_name="1.png").order_by("x")
    return open_gallery(client, run, [sure.pk], [maybe.pk])


@pytest.fixture
def enter(visit: Visit, live_server: LiveServer, client: Client, visitor: Visitor) -> Callable[..., Page]:
    """Return a function that opens the visitor's gallery in a new page; `script` runs before the page's own."""

    def enter(script: str = "", **options: Any) -> Page:
        page = visit(**{**PHONE, **options})
        page.add_init_script(script)
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": str(live_server)}])
        page.goto(f"{live_server}{GALLERY}")
        return page

    return enter


def contents(download: Download) -> list[str]:
    assert download.suggested_filename == "city-run.zip"
    with ZipFile(download.path()) as archive:
        assert archive.testzip() is None
        return sorted(archive.namelist())


class TestAnswers:
    def test_yes_adds_the_photos_and_leaves_the_eye_where_it_was(self, enter: Callable[..., Page]) -> None:
        page = enter(viewport={"width": 390, "height": 500})
        question = page.get_by_role("article", name="Is this you?")
        expect(question.locator(".asked img")).to_have_js_property("naturalWidth", 160)
        yes = page.get_by_role("button", name=YES)
        yes.hover()
        loads = count_loads(page)
        before = page.locator("#maybe").bounding_box()
        yes.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 4 photos")
        expect(page.get_by_role("heading", name="Maybe you")).to_be_focused()
        after = page.locator("#maybe").bounding_box()
        assert before
        assert after
        assert abs(before["y"] - after["y"]) < 2
        expect(page.locator("#said")).to_have_text("These photos are yours now.")
        assert loads == []
        assert [said.is_me for said in Evidence.objects.all()] == [True]

    def test_no_takes_them_away_until_it_is_taken_back(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.get_by_role("button", name="Not me").click()
        expect(page.get_by_text("You said no to 1")).to_be_visible()
        expect(page.locator(".photos a")).to_have_count(3)
        page.get_by_role("button", name="Show again").click()
        expect(page.locator(".photos a")).to_have_count(4)
        expect(page.get_by_role("heading", name="Is this you?")).to_be_focused()
        assert not Evidence.objects.exists()

    def test_the_full_view_goes_through_what_is_there_now(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.get_by_role("button", name="Not me").click()
        expect(page.locator(".photos a")).to_have_count(3)
        page.locator(".photos a").first.click()
        expect(page.locator(".counter")).to_have_text("1 of 3")

    def test_that_do_not_get_through_say_so(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.context.set_offline(True)
        page.get_by_role("button", name="Not me").click()
        expect(page.locator("#said")).to_contain_text("did not get through")
        page.context.set_offline(False)
        page.get_by_role("button", name="Not me").click()
        expect(page.get_by_text("You said no to 1")).to_be_visible()

    def test_whose_page_stops_halfway_can_be_given_again(self, enter: Callable[..., Page]) -> None:
        page = enter("Response.prototype.text = () => Promise.reject(new TypeError('network error'));")
        no = page.get_by_role("button", name="Not me")
        no.click()
        expect(page.locator("#said")).to_contain_text("did not get through")
        expect(page.locator(".question form")).to_have_attribute("aria-busy", "false")

    def test_bring_the_photos_to_choose_from_back(self, enter: Callable[..., Page], visitor: Visitor) -> None:
        Visitor.objects.update(sure=[])
        page = enter()
        page.get_by_role("button", name="Not me").click()
        expect(page.get_by_text("You said no to 1")).to_be_visible()
        page.reload()
        page.get_by_role("button", name="Show again").click()
        page.get_by_role("button", name="Select", exact=True).click()
        page.locator(".pick").first.click()
        expect(page.get_by_role("button", name="Download chosen")).to_be_enabled()

    def test_after_the_end_lead_to_the_event(self, enter: Callable[..., Page], visitor: Visitor) -> None:
        page = enter()
        visitor.delete()
        page.get_by_role("button", name=YES).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("City Run")

    def test_without_scripts(self, enter: Callable[..., Page]) -> None:
        page = enter(java_script_enabled=False)
        page.get_by_role("button", name=YES).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 4 photos")
        expect(page.get_by_role("status").filter(has_text="These photos are yours now.")).to_be_visible()
        assert page.url.endswith("#maybe")
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("button", name="Not me").click()
        expect(page.get_by_text("You said no to 1")).to_be_visible()


def count_loads(page: Page) -> list[object]:
    """Return a list that grows with each page that is loaded from now on."""
    loads: list[object] = []
    page.on("load", lambda loaded: loads.append(loaded))
    return loads


class TestChoosing:
    def test_downloads_what_was_chosen(self, enter: Callable[..., Page]) -> None:
        page = enter()
        expect(page.get_by_role("checkbox")).to_have_count(0)
        page.get_by_role("button", name="Select", exact=True).click()
        for number in (1, 4):
            page.get_by_role("checkbox", name=f"Choose photo {number}:").check()
        expect(page.get_by_text("2 chosen")).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download chosen").click()
        assert contents(download.value) == ["0.png", "3.png"]

    def test_downloads_all(self, enter: Callable[..., Page]) -> None:
        page = enter()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download all").click()
        assert contents(download.value) == ["0.png", "1.png", "2.png"]

    def test_by_keyboard(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.get_by_role("button", name="Select", exact=True).press("Enter")
        page.keyboard.press("Tab")
        expect(page.get_by_role("checkbox", name="Choose photo 1:")).to_be_focused()
        page.keyboard.press("Space")
        expect(page.get_by_text("1 chosen")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("checkbox")).to_have_count(0)
        expect(page.get_by_role("button", name="Select", exact=True)).to_be_focused()
        expect(page.locator("input:checked")).to_have_count(0)

    def test_all_and_none(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.get_by_role("button", name="Select", exact=True).click()
        download = page.get_by_role("button", name="Download chosen")
        expect(download).to_be_disabled()
        page.get_by_role("button", name="Select all").click()
        expect(page.get_by_text("4 chosen")).to_be_visible()
        page.get_by_role("button", name="Select none").click()
        expect(page.get_by_text("0 chosen")).to_be_visible()
        expect(download).to_be_disabled()
        assert fits(page)

    def test_ticks_what_is_chosen_only_also_in_colours_of_the_visitors_own(self, enter: Callable[..., Page]) -> None:
        page = enter(forced_colors="active")
        page.get_by_role("button", name="Select", exact=True).click()
        page.locator(".pick").first.click()
        ticks = "[...document.querySelectorAll('.pick span')].map((one) => getComputedStyle(one, '::after').display)"
        chosen, *others = page.evaluate(ticks)
        assert chosen != "none"
        assert set(others) == {"none"}

    def test_from_the_full_view(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.locator(".photos a").nth(1).click()
        choose = page.get_by_role("dialog").get_by_role("button", name="Select")
        choose.click()
        expect(choose).to_have_attribute("aria-pressed", "true")
        page.keyboard.press("ArrowRight")
        expect(choose).to_have_attribute("aria-pressed", "false")
        page.keyboard.press("Escape")
        expect(page.get_by_text("1 chosen")).to_be_visible()
        expect(page.get_by_role("checkbox", name="Choose photo 2:")).to_be_checked()

    def test_outlives_an_answer(self, enter: Callable[..., Page]) -> None:
        page = enter()
        page.get_by_role("button", name="Select", exact=True).click()
        page.get_by_role("checkbox", name="Choose photo 1:").check()
        page.get_by_role("button", name=YES).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 4 photos")
        expect(page.get_by_role("checkbox", name="Choose photo 1:")).to_be_checked()
        expect(page.get_by_text("1 chosen")).to_be_visible()

    def test_without_scripts(self, enter: Callable[..., Page]) -> None:
        page = enter(java_script_enabled=False)
        page.get_by_role("checkbox", name="Choose photo 3:").check()
        with page.expect_download() as download:
            page.get_by_role("button", name="Download chosen").click()
        assert contents(download.value) == ["2.png"]


class TestSharing:
    def test_a_photo_goes_to_the_share_sheet(self, enter: Callable[..., Page]) -> None:
        page = enter(SHARING)
        page.locator(".photos a").nth(1).click()
        page.get_by_role("dialog").get_by_role("button", name="Share").click()
        until(page, "window.shared.length === 1")
        assert page.evaluate("window.shared") == [{"url": None, "files": ["1.jpg"]}]

    def test_the_personal_link_goes_to_the_share_sheet(
        self, enter: Callable[..., Page], visitor: Visitor, live_server: LiveServer
    ) -> None:
        page = enter(SHARING)
        page.get_by_role("button", name="Share").click()
        address = f"{live_server}/events/city-run/my/{visitor.key}/"
        assert page.evaluate("window.shared") == [{"url": address, "files": None}]

    def test_is_not_offered_where_the_device_cannot(self, enter: Callable[..., Page]) -> None:
        page = enter("delete Navigator.prototype.share; delete Navigator.prototype.canShare;")
        expect(page.get_by_role("button", name="Copy")).to_be_visible()
        expect(page.get_by_role("button", name="Share")).to_have_count(0)
        page.locator(".photos a").first.click()
        expect(page.get_by_role("dialog").get_by_role("button", name="Share")).to_have_count(0)

    @pytest.mark.parametrize(("width", "height"), [(640, 360), (844, 390), (320, 568)])
    def test_has_room_in_the_full_view(self, enter: Callable[..., Page], width: int, height: int) -> None:
        page = enter(SHARING, viewport={"width": width, "height": height})
        page.locator(".photos a").first.click()
        buttons = page.get_by_role("dialog").locator("button, a")
        expect(buttons).to_have_count(6)
        for button in buttons.all():
            button.click(trial=True, timeout=2000)


class TestPersonalLink:
    def test_is_copied_and_opens_the_gallery_in_another_browser(self, enter: Callable[..., Page], phone: Page) -> None:
        page = enter(permissions=["clipboard-read", "clipboard-write"])
        page.get_by_role("button", name="Copy").click()
        expect(page.get_by_text("Copied.")).to_be_visible()
        phone.goto(page.evaluate("navigator.clipboard.readText()"))
        expect(phone.get_by_role("heading", level=1)).to_have_text("You are in 3 photos")
        assert phone.url.endswith(GALLERY)

    def test_that_has_expired_leads_to_the_event(self, phone: Page, live_server: LiveServer, visitor: Visitor) -> None:
        visitor.delete()
        phone.goto(f"{live_server}/events/city-run/my/{visitor.key}/")
        expect(phone.get_by_role("heading", level=1)).to_have_text("City Run")
        expect(phone.get_by_role("status").first).to_contain_text("This link opens no photos any more.")


class TestNews:
    @pytest.fixture
    def page(self, visit: Visit, live_server: LiveServer, client: Client, visitor: Visitor) -> Page:
        """The gallery, with a clock that stands still."""
        page = visit(**PHONE)
        page.clock.install()
        cookie = client.cookies["sessionid"].value
        page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": str(live_server)}])
        page.goto(f"{live_server}{GALLERY}")
        expect(page.get_by_role("button", name="Select", exact=True)).to_be_visible()
        return page

    def test_are_offered_and_shown_on_a_tap(self, page: Page, run: Event) -> None:
        for shade in (200, 201):
            ingest.add(run, paint_photo(RED, shade=shade), f"{shade}.png")
        pipeline.ingest(run)
        loads = count_loads(page)
        page.clock.run_for(31_000)
        expect(page.locator("#fresh")).to_contain_text("2 new photos of you")
        assert loads == []
        page.get_by_role("link", name="Show", exact=True).click()
        expect(page.get_by_role("heading", level=1)).to_have_text("You are in 5 photos")
        expect(page.locator("#fresh")).to_be_empty()

    def test_of_others_are_none(self, page: Page, run: Event) -> None:
        ingest.add(run, paint_photo(GREEN, shade=200), "green.png")
        pipeline.ingest(run)
        polls: list[object] = []
        page.on("request", lambda request: polls.append(request) if "news" in request.url else None)
        while len(polls) < 2:  # the second is asked only after the page has read the first one's answer
            page.clock.run_for(10_000)
        expect(page.locator("#fresh")).to_be_empty()

    def test_are_asked_for_less_often_where_no_answer_comes(self, page: Page) -> None:
        polls: list[object] = []
        page.on("request", lambda request: polls.append(request) if "news" in request.url else None)
        page.route("**/news/", lambda route: route.abort())
        for _ in range(60):
            page.clock.run_for(10_000)
        assert 3 <= len(polls) <= 5  # after 30, 90, 210, 450 s

    def test_are_asked_for_while_somebody_looks(self, page: Page) -> None:
        polls: list[object] = []
        page.on("request", lambda request: polls.append(request) if "news" in request.url else None)
        change = "document.dispatchEvent(new Event('visibilitychange'))"
        page.evaluate(f"Object.defineProperty(document, 'hidden', {{ value: true, configurable: true }}); {change}")
        page.clock.run_for(120_000)
        assert polls == []
        with page.expect_response("**/news/"):
            page.evaluate(f"delete document.hidden; {change}")
            page.clock.run_for(31_000)


def test_thumbnails_move_nothing_when_they_arrive(enter: Callable[..., Page]) -> None:
    page = enter(viewport={"width": 1280, "height": 900})
    expect(page.locator(".photos img").first).to_have_js_property("naturalWidth", 400)
    with_images = page.locator(".photos li").nth(2).bounding_box()
    page.route("**/thumbnail/**", lambda route: route.abort())
    page.reload()
    assert page.locator(".photos li").nth(2).bounding_box() == with_images
    assert fits(page)
