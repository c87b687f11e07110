"""A gallery whose photos come from the bucket itself, under the Content-Security-Policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from conftest import RED, paint_photo
from events import ingest
from faces import pipeline
from faces.models import ImageFace
from faces.tests.galleries import open_gallery
from grabpic_site.tests.conftest import IN_BROWSER

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.fixtures import Settings
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

pytestmark = IN_BROWSER


def test_photos_are_shown_and_kept(
    s3: str, settings: Settings, visit: Callable[..., Page], live_server: LiveServer, event: Event, client: Client
) -> None:
    settings.S3_SIGNED_URLS = True
    ingest.add(event, paint_photo(RED), "me.png")
    pipeline.ingest(event)
    open_gallery(client, event, [ImageFace.objects.get().pk])
    page = visit()
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": str(live_server)}
    page.context.add_cookies([cookie])  # type: ignore[list-item]
    page.goto(f"{live_server}/events/city-run/gallery/")
    expect(page.locator(".photos img").first).not_to_have_js_property("naturalWidth", 0)
    page.locator(".photos a").first.click()
    expect(page.get_by_role("dialog").get_by_role("img")).to_have_js_property("naturalWidth", 400)
    with page.expect_download() as download:
        page.locator("#viewer .download").click()
    assert download.value.path().read_bytes() == paint_photo(RED).getvalue()
    # What sharing does: a script reads the photo without the bucket's leave.
    assert page.evaluate("fetch(document.querySelector('.photos a').href).then((answer) => answer.ok)")
