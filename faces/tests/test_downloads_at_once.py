"""Slow downloads leave threads to everybody else."""

from __future__ import annotations

import gc
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from events import downloads
from events.models import Event
from faces.models import AuditEntry, ImageFace
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from collections.abc import Generator

    from django.test import Client
    from pytest_django.fixtures import Settings

DOWNLOAD = "/events/city-run/download/"


@pytest.fixture(autouse=True)
def _one_at_once(settings: Settings) -> None:
    # What a test before has left behind.
    gc.collect()
    settings.DOWNLOADS_AT_ONCE = 1


@pytest.fixture
def attendee(client: Client, run: Event) -> Client:
    open_gallery(client, run, [ImageFace.objects.get(image__file_name="red.png").pk])
    return client


def test_one_too_many_is_told_to_wait(attendee: Client) -> None:
    first: Any = attendee.post(DOWNLOAD)
    refused = attendee.post(DOWNLOAD, follow=True)
    assert refused.redirect_chain == [("/events/city-run/gallery/", 302)]
    assert "Try again in a minute." in refused.content.decode()
    assert AuditEntry.objects.filter(action="downloaded").count() == 1
    german = attendee.post(DOWNLOAD, follow=True, headers={"Accept-Language": "de"}).content.decode()
    assert "Versuch es in einer Minute noch einmal." in german
    assert first.getvalue()
    assert attendee.post(DOWNLOAD).status_code == 200


def pieces(closed: list[str]) -> Generator[bytes]:
    try:
        yield b"piece"
    finally:
        closed.append("closed")


@pytest.mark.parametrize("read", [0, 1])
def test_who_hangs_up_makes_way_and_has_the_file_closed(read: int) -> None:
    closed: list[str] = []
    download = downloads.begin(pieces(closed))
    assert download is not None
    assert (list(islice(download, read)), closed) == ([b"piece"] * read, [])
    assert downloads.begin(pieces([])) is None
    download.close()
    assert closed == ["closed"] * read
    assert downloads.begin(pieces([])) is not None


def test_what_nobody_closes_is_forgotten() -> None:
    download = downloads.begin(pieces([]))
    assert (download is None, downloads.begin(pieces([]))) == (False, None)
    del download
    assert downloads.begin(pieces([])) is not None
