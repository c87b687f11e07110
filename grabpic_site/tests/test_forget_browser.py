"""A whole “Forget me” on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playwright.sync_api import expect

from conftest import GREEN, RED, paint_photo
from events import ingest
from faces import pipeline
from faces.models import Consent, ImageFace, Visitor
from grabpic_site.tests.conftest import IN_BROWSER, PHONE, agree, fits

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

pytestmark = IN_BROWSER


def show_face(page: Page, address: str, selfie: io.BytesIO) -> None:
    """Choose a selfie on the event's page, without scripts."""
    page.goto(f"{address}/events/city-run/")
    agree(page)
    page.set_input_files("#chosen", {"name": "me.png", "mimeType": "image/png", "buffer": selfie.read()})
    page.get_by_role("button", name="Find my photos").click()


def test_a_visitor_forgets_themselves_and_is_not_found_in_the_same_photos_again(
    run: Event, visit: Callable[..., Page], live_server: LiveServer
) -> None:
    phone = visit(java_script_enabled=False, **PHONE)
    show_face(phone, str(live_server), paint_photo(RED))
    expect(phone).to_have_url(f"{live_server}/events/city-run/gallery/")
    phone.goto(f"{live_server}/events/city-run/forget/")
    choice = phone.get_by_role("checkbox", name="Also delete my face: the person in these 3 photos")
    expect(choice).not_to_be_checked()
    assert fits(phone)
    choice.check()
    phone.get_by_role("button", name="Forget me").click()
    expect(phone.get_by_role("heading", name="You are forgotten")).to_be_visible()
    expect(phone.get_by_text("your face in 3 photos")).to_be_visible()
    assert fits(phone)
    assert not Visitor.objects.exists()
    assert Consent.objects.get().withdrawn_at
    upload_again(run)
    assert ImageFace.objects.count() == 2
    show_face(phone, str(live_server), paint_photo(RED))
    expect(phone.get_by_role("heading", name="You are not in these photos yet")).to_be_visible()
    show_face(phone, str(live_server), paint_photo(GREEN))
    expect(phone).to_have_url(f"{live_server}/events/city-run/gallery/")


def upload_again(event: Event) -> None:
    """Delete all photos, and upload the same ones."""
    event.images.all().delete()
    for number, colours in enumerate([(RED,), (RED, GREEN), (RED,), (GREEN,)]):
        assert isinstance(ingest.add(event, paint_photo(*colours, shade=100 + number), f"{number}.png"), ingest.Added)
    pipeline.ingest(event)
