"""Who may do what: every actor asks at every address, and gets what the table in `endpoints.py` says, and no more."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.urls import get_resolver, resolve

from grabpic_site.tests.actors import Actor, assembled
from grabpic_site.tests.asking import Request, Stage, outcome
from grabpic_site.tests.endpoints import TABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.urls import URLPattern, URLResolver
    from pytest_django import DjangoDbBlocker

    from grabpic_site.tests.asking import Answer
    from grabpic_site.tests.rows import Row
    from grabpic_site.tests.world import Place

pytestmark = pytest.mark.django_db

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNSAFE = list({(row.request.method, row.request.address): row for row in TABLE if row.request.method != "GET"}.values())


@pytest.fixture(autouse=True)
def _storage() -> None:
    """Leave the storage alone: it is that of the stage, for all tests here."""


@pytest.fixture(scope="module")
def stage(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """The events and the cast, made once; gone after the last test."""
    with django_db_blocker.unblock(), assembled(tmp_path_factory.mktemp("actors")) as cast:
        yield Stage(cast)


@pytest.mark.parametrize("row", TABLE, ids=str)
def test_everybody_gets_what_the_table_says(stage: Stage, row: Row) -> None:
    wrong = [problem for mode in row.modes for actor in Actor for problem in _problems(stage, row, actor, mode)]
    assert not wrong, "\n".join(["", str(row), *wrong])


def _problems(stage: Stage, row: Row, actor: Actor, mode: str) -> Iterator[str]:
    if actor not in row.actors():
        return
    answer = stage.ask(row.request, stage.cast.passes[actor], mode)
    got, expected = outcome(answer, stage.cast, mode), row.expected(actor)
    if set(got.split()) != set(expected.split()):
        yield f"{mode}: {actor.name} ({actor}) gets {got!r} instead of {expected!r}"
    if answer.headers.get("X-Content-Type-Options") != "nosniff":
        yield f"{mode}: {actor.name} may sniff"
    if "html" in answer.headers.get("Content-Type", "") and "Content-Security-Policy" not in answer.headers:
        yield f"{mode}: {actor.name} gets a page that any script may run in"


@pytest.mark.parametrize("row", UNSAFE, ids=str)
def test_a_session_changes_nothing_without_a_token_of_the_site(stage: Stage, row: Row) -> None:
    answer = stage.ask(row.request, stage.cast.passes[Actor.SUPERUSER], "open", csrf=True)
    assert _is_refused_as_forged(answer) == row.is_checked


def _is_refused_as_forged(answer: Answer) -> bool:
    says_why = b"csrf_failed" in answer.content or b"This page was open for too long" in answer.content
    return answer.status == 403 and says_why and not answer.wrote


def test_every_address_has_a_row(stage: Stage) -> None:
    place = stage.cast.places["open"]
    # To go when keys have got a page of our own.
    missing = {route for route in routes() if "rest_framework_api_key" not in route} - {
        _route(row, place) for row in TABLE
    }
    assert not missing, f"Add rows to endpoints.py: {sorted(missing)}"


def test_every_method_has_a_row(stage: Stage) -> None:
    """What the table does not name is not there: 405. Django's own views take other methods for GET."""
    place = stage.cast.places["open"]
    known = {(_route(row, place), row.request.method) for row in TABLE}
    addresses = {_route(row, place): row.request.address for row in TABLE}
    missing = [
        f"{method} {address}"
        for route, address in addresses.items()
        for method in (METHODS[:2] if address.startswith("/admin/") else METHODS)
        if (route, method) not in known and not _is_not_there(stage, method, address)
    ]
    assert not missing, f"Add rows to endpoints.py: {missing}"


def _is_not_there(stage: Stage, method: str, address: str) -> bool:
    answer = stage.ask(Request(method, address), stage.cast.passes[Actor.SUPERUSER], "open")
    is_djangos = address.startswith(("/admin/", "/language/", "/favicon.ico"))
    return answer.status == 405 or (is_djangos and answer.status < 500 and not answer.wrote)


def _route(row: Row, place: Place) -> str:
    """Return the pattern of the URLconf that a row is about."""
    return resolve(place.fill(row.request.address).partition("?")[0]).route.replace("/^", "/")


def routes() -> set[str]:
    return set(_walk(get_resolver().url_patterns, ""))


def _walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
    for pattern in patterns:
        route = prefix + str(pattern.pattern).removeprefix("^")
        if hasattr(pattern, "url_patterns"):
            yield from _walk(pattern.url_patterns, route)
        else:
            yield route
