"""Fixtures of this app's tests."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from events import ingest
from events.models import Event, Image
from faces import pipeline
from faces.tests.replays import Replays

Painter = Callable[..., io.BytesIO]


def listed(event: Event, count: int, **fields: object) -> list[Image]:
    """Write rows of photos that have no files."""
    first = Image.objects.count()
    return Image.objects.bulk_create(
        Image(
            event=event,
            file_name=f"{number}.jpg",
            storage_key=f"photos/{number}",
            sha256=f"{number:064x}",
            width=60,
            height=40,
            **fields,
        )
        for number in range(first, first + count)
    )


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    """A client that a superuser is logged in with."""
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def add(event: Event, paint: Painter) -> Callable[..., Image]:
    """Return a function that adds a painted photo with these people to the event, still pending."""

    def add_photo(name: str, *colours: tuple[int, int, int], to: Event = event) -> Image:
        # Each photo has a shade of its own, so that none is another's duplicate.
        outcome = ingest.add(to, paint(*colours, shade=100 + Image.objects.count()), name)
        assert isinstance(outcome, ingest.Added)
        return outcome.image

    return add_photo


@pytest.fixture(scope="session")
def replays() -> Replays:
    return Replays()


@pytest.fixture
def run(event: Event, add: Callable[..., Image], replays: Replays) -> Event:
    """An event that is indexed: red is in three photos, green in two, blue in one, and one is empty."""

    def index() -> None:
        add("red.png", RED)
        add("red-green.png", RED, GREEN)
        add("all.png", RED, GREEN, BLUE)
        add("empty.png")
        pipeline.ingest(event)

    replays.do(index, event)
    return event


@pytest.fixture
def frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no time pass while a rate is measured."""
    now = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)
