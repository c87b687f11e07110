"""API keys made before there were scopes go on working, and those that were ended stay so."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from django.apps import apps
from django.test import Client
from django.utils import timezone
from rest_framework_api_key.models import APIKey as LibraryKey

from events.models import ApiKey, Scope

if TYPE_CHECKING:
    from events.models import Event

pytestmark = pytest.mark.django_db


def old_key(**fields: Any) -> str:
    """Make a key as admin did, and return what its program shows."""
    return str(LibraryKey.objects.create_key(name="timing", **fields)[1])


def move() -> None:
    # What the migration does, with the tables as they are now: to go back to the old ones takes seconds.
    import_module("events.migrations.0014_keys_get_scopes").move_keys(apps, None)


def status(secret: str) -> int:
    return Client().get("/api/v1/events", headers={"Authorization": f"Api-Key {secret}"}).status_code


def test_keep_what_they_could_do(event: Event, other_event: Event) -> None:
    secret, made = old_key(), timezone.now() - timedelta(days=90)
    LibraryKey.objects.update(created=made)
    assert status(secret) == 401, "before they are moved"
    move()
    key = ApiKey.objects.get()
    assert (status(secret), set(key.reaches())) == (200, {event, other_event})
    assert {scope for scope in Scope if key.allows(scope)} == set(Scope)
    assert (key.name, key.created, secret.startswith(f"{key.prefix}.")) == ("timing", made, True)
    assert not LibraryKey.objects.exists()


@pytest.mark.parametrize("ended", [{"revoked": True}, {"expiry_date": timezone.now() - timedelta(days=1)}])
def test_what_is_over_stays_over(event: Event, ended: dict[str, Any]) -> None:
    secret = old_key(**ended)
    move()
    assert (status(secret), ApiKey.objects.get().state == "valid") == (401, False)


def test_expire_when_they_would_have(event: Event) -> None:
    expiry = timezone.now() + timedelta(days=1)
    secret = old_key(expiry_date=expiry)
    move()
    assert (status(secret), ApiKey.objects.get().expiry_date) == (200, expiry)


def test_a_guess_at_the_secret_opens_nothing(event: Event) -> None:
    secret = old_key()
    move()
    assert [status(guess) for guess in (f"{secret}x", secret[:-1], secret.partition(".")[0])] == [401] * 3
