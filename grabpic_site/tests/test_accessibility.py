"""Every page of attendees, in each of its states: axe-core finds nothing, and the keyboard reaches everything."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.template.loader import render_to_string
from django.urls import URLPattern, get_resolver, reverse
from django.utils import timezone, translation
from playwright.sync_api import Route, expect

from conftest import BLUE, GREEN, RED
from events.models import Event
from faces.models import Face, ImageFace
from faces.tests.galleries import open_gallery
from grabpic_site.languages import FOR_STAFF
from grabpic_site.tests.conftest import IN_BROWSER, fake_camera, selfie_of, until
from grabpic_site.tests.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    Visit = Callable[..., Page]

NO_PAGES = {
    "selfie",
    "news",
    "answer",
    "asked-face",
    "personal",
    "download",
    "photo",
    "event-cover",
    "set_language",
    "javascript-catalog",
}
"""Names of attendees' addresses that answer with a file, with data, or lead to a page that has another name."""


class Tour(Inspection):
    """Goes from page to page as an attendee of `event`."""

    site: str
    event: Event
    client: Client
    language = "en"

    def look(self, where: str) -> None:
        """Inspect the page, which has to be in the browser's language."""
        assert self.page.locator("html").get_attribute("lang") == self.language
        super().look(where)

    def open(self, name: str, *arguments: object, query: str = "") -> None:
        """Load the page of this name."""
        self.page.goto(self.site + reverse(name, args=arguments) + query)

    def event_is(self, **fields: object) -> None:
        """Change the event."""
        Event.objects.filter(pk=self.event.pk).update(**fields)

    def open_gallery(self, sure: list[int], maybe: list[int]) -> None:
        """Let this visitor have shown a selfie."""
        open_gallery(self.client, self.event, sure, maybe)
        cookie = self.client.cookies["sessionid"].value
        self.page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": self.site}])


def index(tour: Tour) -> None:
    tour.open("index")
    tour.look("list of events")


def event_page(tour: Tour) -> None:
    tour.open("event", "city-run")
    tour.look("event")
    tour.page.check("[name=consent]")
    tour.look("event, agreed")
    tour.page.locator("label:has(#taken)").click()
    expect(tour.page.locator("video")).to_have_js_property("videoWidth", 640)
    tour.look("camera")
    tour.page.keyboard.press("Escape")
    tour.page.set_input_files("#chosen", selfie_of(BLUE))
    tour.page.locator("#tell").wait_for()
    tour.look("nothing found")
    tour.page.locator("#tell").click()
    tour.page.locator("#waiting").wait_for()
    tour.look("waiting for more photos")
    tour.open("event", "city-run")
    tour.page.check("[name=consent]")
    tour.page.set_input_files("#chosen", selfie_of(RED, GREEN))
    tour.page.locator("#next .faces button").first.wait_for()
    tour.look("several faces")
    tour.page.route("**/static/event*.js", lambda route: route.abort())
    tour.open("event", "city-run")
    tour.page.check("[name=consent]")
    tour.page.set_input_files("#chosen", selfie_of(RED, GREEN))
    tour.page.locator("form .plain").click()
    tour.page.locator("[name=meant]").first.wait_for()
    tour.look("several faces, without scripts")
    tour.page.unroute("**/static/event*.js")


def before_and_after(tour: Tour) -> None:
    now = timezone.now()
    for state, fields in (
        ("upcoming", {"opens_at": now + timedelta(days=2)}),
        ("over", {"opens_at": None, "closes_at": now - timedelta(days=2), "contact": "info@run.example"}),
    ):
        tour.event_is(**fields)
        tour.open("event", "city-run")
        tour.look(f"event, {state}")
    tour.event_is(closes_at=None)


def code(tour: Tour) -> None:
    tour.event_is(access=Event.Access.CODE, access_code="RUN")
    tour.open("code", "city-run")
    tour.look("code")
    tour.page.fill("#code", "WALK")
    tour.page.click(".entry button")
    tour.page.get_by_role("alert").wait_for()
    tour.look("wrong code")
    tour.event_is(access=Event.Access.SELFIE)


def gallery(tour: Tour) -> None:
    sure, maybe = ImageFace.objects.filter(image__file_name="1.png").order_by("x")
    tour.open_gallery([sure.pk], [maybe.pk])
    tour.open("gallery", "city-run")
    tour.look("gallery")
    tour.page.locator("#select").click()
    tour.look("gallery, choosing")
    tour.page.locator("#done").click()
    tour.page.locator(".photos a").first.click()
    expect(tour.page.get_by_role("dialog").get_by_role("img")).to_have_js_property("naturalWidth", 400)
    tour.look("full view")
    tour.page.keyboard.press("Escape")
    until(tour.page, "history.state === null")  # the way back that closing takes
    tour.page.click("[name=is_me][value=no]")
    tour.page.locator("[name=again][value=no]").wait_for()
    tour.look("gallery, answered")
    tour.open_gallery([], [maybe.pk])
    tour.open("gallery", "city-run")
    tour.look("gallery, unsure")
    tour.open_gallery([], [])
    tour.open("gallery", "city-run")
    tour.look("gallery, empty")


def browse(tour: Tour) -> None:
    tour.event_is(access=Event.Access.OPEN)
    tour.open("browse", "city-run")
    tour.look("all photos")
    tour.open("event", "city-run")
    tour.look("event, open")


def person(tour: Tour) -> None:
    tour.event_is(access=Event.Access.OPEN)
    tour.open("person", "city-run", Face.objects.order_by("pk")[0].grab_id)
    tour.look("person")


def forget(tour: Tour) -> None:
    tour.open("event", "city-run")
    tour.page.check("[name=consent]")
    tour.page.set_input_files("#chosen", selfie_of(RED))
    tour.page.wait_for_url("**/gallery/")
    tour.open("forget", "city-run")
    expect(tour.page.locator("[name=person]")).to_be_visible()
    tour.look("forget me")
    tour.page.locator("[name=person]").evaluate("(box) => { box.value = '0'; box.checked = true; }")
    tour.page.click(".danger")
    tour.page.get_by_role("alert").wait_for()
    tour.look("forget me, but of whom")
    tour.page.click(".danger")
    tour.page.locator("[role=status] time").wait_for()
    tour.look("forgotten")
    tour.open("forget", "city-run")
    tour.look("nothing to forget")


def privacy(tour: Tour) -> None:
    tour.open("privacy")
    tour.look("privacy")


def event_privacy(tour: Tour) -> None:
    tour.event_is(organiser="Run e.V.", contact="info@run.example")
    tour.open("event-privacy", "city-run")
    tour.look("privacy at the event")


def about(tour: Tour) -> None:
    tour.open("credits")
    tour.look("credits")


PAGES: dict[str, Callable[[Tour], None]] = {
    "index": index,
    "event": event_page,
    "code": code,
    "gallery": gallery,
    "browse": browse,
    "person": person,
    "forget": forget,
    "privacy": privacy,
    "event-privacy": event_privacy,
    "credits": about,
}
"""By the name of the address."""


def errors(tour: Tour) -> None:
    headers = {"Content-Security-Policy": tour.client.get("/")["Content-Security-Policy"]}
    for name in ("400", "403", "403_csrf", "404", "429", "500"):
        with translation.override(tour.language):
            body = render_to_string(f"{name}.html", {"minutes": 5})
        tour.page.route(f"**/{name}", partial(Route.fulfill, body=body, content_type="text/html", headers=headers))
        tour.page.goto(f"{tour.site}/{name}")
        tour.look(name)


def test_every_page_of_attendees_is_looked_at() -> None:
    names = {one.name for one in get_resolver().url_patterns if isinstance(one, URLPattern) and one.name}
    assert names - FOR_STAFF - NO_PAGES == set(PAGES)


class TestAttendees:
    pytestmark = IN_BROWSER

    @pytest.fixture
    def tour(
        self, visit: Visit, live_server: LiveServer, run: Event, client: Client, tmp_path: Path, language: str
    ) -> Tour:
        page = visit(*fake_camera(tmp_path), permissions=["camera"], locale=language)
        tour = Tour(page)
        tour.language = language
        tour.site, tour.event, tour.client = str(live_server), run, client
        return tour

    @pytest.mark.parametrize("language", ["en", "de"])
    def test_can_use_every_page(self, tour: Tour) -> None:
        for look in (*PAGES.values(), before_and_after, errors):
            look(tour)
        assert not tour.findings, "\n".join(tour.findings)
