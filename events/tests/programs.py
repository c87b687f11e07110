"""Clients of the API."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from conftest import new_key
from events.models import ApiKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from events.models import Event, Scope


def program(*scopes: Scope, events: Iterable[Event] | None = None) -> Client:
    """Return a client with an API key: of every scope and for every event unless said otherwise."""
    return Client(headers={"Authorization": f"Api-Key {new_key('program', *scopes, events=events)}"})


def the_program() -> str:
    """Return what logs call the only one that there is."""
    return str(ApiKey.objects.get().label)


def organiser_of(event: Event, *permissions: str) -> Client:
    """Return a client that staff of this event alone is logged in with, who have these permissions, by codename."""
    user = User.objects.create_user(f"staff {User.objects.count()}", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    event.staff.add(user)
    client = Client()
    client.force_login(user)
    return client


def send(client: Client, method: str, url: str, body: Any = None, **headers: str) -> Any:
    """Send JSON; the names of headers with underscores in place of hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.generic(method, url, "" if body is None else json.dumps(body), "application/json", headers=named)


def code_of(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def walk(client: Client, url: str, direction: str = "next") -> list[dict[str, Any]]:
    """Return the rows of all pages, one page after the other."""
    rows, address = [], url
    while address:
        answer = client.get(address).json()
        rows += answer["results"] if direction == "next" else answer["results"][::-1]
        address = answer[direction]
    return rows


def tables_asked(client: Client, url: str) -> int:
    """Return how many statements an answer takes that are about events, photos or people."""
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    about = ('"events_event"', '"events_image"', '"faces_')
    return sum(any(name in query["sql"] for name in about) for query in captured.captured_queries)
