"""The whole way of an attendee with real faces: consent, camera, gallery, forgotten for good. On a phone."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image as Picture
from playwright.sync_api import expect

from events import ingest
from events.models import Event
from faces import pipeline
from faces.engine.tests.portraits import ARDERN, ARDERN_LATER, BIDEN, OBAMA, OBAMA_LATER, portrait, read
from faces.models import Consent, ImageFace, Visitor
from grabpic_site.tests.conftest import IN_BROWSER, PHONE, agree, fake_camera, fits, until, upload_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    Visit = Callable[..., Page]

pytestmark = [*IN_BROWSER, pytest.mark.engine]

EVENT = "/events/real-run/"


def photos() -> dict[str, bytes]:
    """Return four photos: Obama is in two of them, Ardern in two, Biden in one."""
    pair = [Picture.fromarray(portrait(*each)).resize((600, 750)) for each in (OBAMA, ARDERN)]
    together = Picture.new("RGB", (1200, 750))
    for place, picture in enumerate(pair):
        together.paste(picture, (600 * place, 0))
    file = io.BytesIO()
    together.save(file, "JPEG", quality=92)
    return {
        "obama.jpg": read(*OBAMA),
        "ardern.jpg": read(*ARDERN),
        "biden.jpg": read(*BIDEN),
        "together.jpg": file.getvalue(),
    }


def bring_in(event: Event) -> None:
    for name, content in photos().items():
        ingest.add(event, io.BytesIO(content), name)
    pipeline.ingest(event)


@pytest.fixture
def event(db: None) -> Event:
    """An event with real faces, whoever's fixture is called so elsewhere."""
    event = Event.objects.create(slug="real-run", name="Real Run", access=Event.Access.SELFIE)
    bring_in(event)
    return event


def frame_with(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a portrait as a camera of 640 x 480 sees it."""
    picture = Picture.fromarray(pixels)
    picture.thumbnail((640, 480))
    frame = Picture.new("RGB", (640, 480), (90, 90, 90))
    frame.paste(picture, ((640 - picture.width) // 2, (480 - picture.height) // 2))
    return np.asarray(frame)


def take_selfie(page: Page) -> None:
    agree(page)
    page.locator("#taken").click()
    until(page, "document.querySelector('#camera video').videoWidth > 0")
    page.get_by_role("button", name="Take the picture").click()


def test_from_the_consent_to_being_forgotten_for_good(
    visit: Visit, live_server: LiveServer, event: Event, films: Path
) -> None:
    page = visit(*fake_camera(films, frame_with(portrait(*OBAMA_LATER))), **PHONE)
    page.goto(f"{live_server}{EVENT}")
    take_selfie(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")
    assert fits(page)
    named = " ".join(str(image.get_attribute("alt")) for image in page.locator(".photos img").all())
    assert ("obama.jpg" in named, "together.jpg" in named, "biden.jpg" in named) == (True, True, False)
    assert (Consent.objects.count(), Visitor.objects.count()) == (1, 1)

    page.get_by_role("link", name="Forget me").first.click()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Forget me").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are forgotten")
    assert not Visitor.objects.exists()
    assert Consent.objects.get().withdrawn_at is not None

    event.images.all().delete()
    bring_in(event)
    assert not ImageFace.objects.filter(image__file_name="obama.jpg").exists()
    page.goto(f"{live_server}{EVENT}")
    take_selfie(page)
    expect(page.get_by_role("alert").filter(has_text="not in these photos")).to_be_visible()


def test_without_scripts(visit: Visit, live_server: LiveServer, event: Event) -> None:
    page = visit(**PHONE, java_script_enabled=False)
    page.goto(f"{live_server}{EVENT}")
    page.get_by_role("checkbox").check()
    page.set_input_files("#chosen", upload_of("me.jpg", read(*ARDERN_LATER)))
    page.get_by_role("button", name="Find my photos").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are in 2 photos")
    assert fits(page)
