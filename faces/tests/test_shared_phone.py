"""A phone that is handed on: what the first visitor saw is nowhere to be found by the second, in no cache either."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conftest import GREEN, RED
from faces import consent
from faces.models import Consent, Visitor

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from django.test import Client

    from events.models import Event

    Painter = Callable[..., io.BytesIO]


def take_selfie(client: Client, selfie: io.BytesIO) -> None:
    client.post("/events/city-run/selfie/", {"consent": consent.VERSION, "file": selfie})


def red_photo(event: Event) -> str:
    return f"/photos/{event.images.get(file_name='red.png').image_id}/preview/"


def test_the_second_sees_nothing_of_the_first(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    link = f"/events/city-run/my/{Visitor.objects.get().key}/"
    take_selfie(client, paint(GREEN))
    image_id = red_photo(run).split("/")[2]
    assert image_id not in client.get("/events/city-run/gallery/").content.decode()
    assert client.get(red_photo(run)).status_code == 404
    assert client.post("/events/city-run/download/", {"chosen": "yes", "image_id": image_id}).status_code == 404
    assert client.get(link)["Location"] == "/events/city-run/"


def test_who_closed_their_gallery_keeps_its_link_and_the_second_agrees_anew(
    run: Event, client: Client, paint: Painter
) -> None:
    take_selfie(client, paint(RED))
    link = f"/events/city-run/my/{Visitor.objects.get().key}/"
    client.post("/events/city-run/gallery/")
    take_selfie(client, paint(GREEN))
    assert Consent.objects.count() == 2
    assert client.get(link)["Location"] == "/events/city-run/gallery/"


@pytest.mark.parametrize("way", ["selfie", "gallery", "forget"])
def test_photos_in_the_cache_were_for_another_cookie(way: str, run: Event, client: Client, paint: Painter) -> None:
    """Clearing the cache is an offer that some browsers do not know."""
    take_selfie(client, paint(RED))
    before = client.cookies["sessionid"].value
    assert "Cookie" in client.get(red_photo(run))["Vary"]
    data = {"consent": consent.VERSION, "file": paint(GREEN)} if way == "selfie" else {}
    client.post(f"/events/city-run/{way}/", data)
    assert client.cookies["sessionid"].value != before


def test_a_photo_that_fills_a_tab_does_not_come_back(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    alone = client.get(red_photo(run), headers={"Sec-Fetch-Dest": "document"})
    within = client.get(red_photo(run), headers={"Sec-Fetch-Dest": "image"})
    assert alone["Cache-Control"] == "private, no-store"
    assert within["Cache-Control"] == "private, max-age=3600"
    assert "Sec-Fetch-Dest" in within["Vary"]
