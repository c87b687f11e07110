"""An event's code and poster in Chromium: long names, a personal link behind a code, one sheet of paper."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from events.models import Event
from faces.models import Face, Visitor
from grabpic_site.tests.conftest import IN_BROWSER, fits

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = IN_BROWSER

LONG = "Donaudampfschifffahrtsgesellschaftskapitaensmeisterschaftslaufveranstaltung" + "W" * 40


@pytest.fixture
def _code(run: Event) -> None:
    Event.objects.update(access=Event.Access.CODE, access_code="ABCD-2345")


@pytest.fixture
def _long_names(run: Event) -> None:
    Event.objects.update(access=Event.Access.CODE, access_code="ABCD-2345", name=LONG, organiser=LONG)


@pytest.mark.usefixtures("_code")
def test_a_personal_link_opens_the_gallery_after_the_code(phone: Page, live_server: LiveServer, run: Event) -> None:
    red = Face.objects.filter(event=run).order_by("pk")[0]
    visitor = Visitor.objects.create(event=run, sure=[red.cover_id], expires_at="2099-01-01T00:00Z")
    phone.goto(f"{live_server}/events/city-run/my/{visitor.key}/")
    phone.get_by_label("Your code").fill("abcd 2345")
    phone.get_by_role("button", name="Continue").click()
    expect(phone).to_have_url(f"{live_server}/events/city-run/gallery/")


@pytest.mark.usefixtures("_long_names")
def test_long_names_fit_on_a_phone_that_is_asked_for_a_code(phone: Page, live_server: LiveServer) -> None:
    phone.goto(f"{live_server}/events/city-run/")
    assert fits(phone)


@pytest.mark.usefixtures("_long_names")
def test_a_poster_is_one_sheet_and_fits_on_a_phone(desk: Page, live_server: LiveServer) -> None:
    desk.set_viewport_size({"width": 390, "height": 844})
    for language in ("en", "de"):
        desk.goto(f"{live_server}/events/city-run/poster/?language={language}")
        assert fits(desk)
        # Of a sheet of paper nothing can be scrolled.
        assert desk.locator(".sheet").evaluate("it => it.scrollWidth <= it.clientWidth")
        assert len(re.findall(rb"/Type /Page\b", desk.pdf(prefer_css_page_size=True))) == 1
