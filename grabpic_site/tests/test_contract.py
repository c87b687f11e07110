"""The API does what its document says: schemathesis makes up requests, many of them about what is there.

Every answer has a status, headers and a shape that the document states, and none is a 500. CONTRACT_EXAMPLES says how
many requests are made up for each operation, as the document wants them, and as many that it does not; then what was
answered how often is printed at the end (`pytest -s`).
"""

from __future__ import annotations

import os
import re
import zlib
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.http import SimpleCookie
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode, checks

from conftest import GREEN, RED, paint_photo
from grabpic_site.tests.actors import Actor, assembled
from grabpic_site.tests.asking import undone
from grabpic_site.urls import api_v1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker
    from schemathesis import BaseSchema, Case

    from grabpic_site.tests.actors import Cast
    from grabpic_site.tests.world import Place

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "6"))
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
]
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"}
ACTORS = (*[Actor.KEY_OF_ALL] * 4, Actor.TOKEN, Actor.ANONYMOUS, Actor.KEY_ELSEWHERE, Actor.KEY_SEARCH)
SELFIE, PHOTO = paint_photo(RED, shade=8).getvalue(), paint_photo(GREEN, shade=7).getvalue()
PLACE = "selfie"


def operations() -> list[str]:
    """Return what the URLconf has, as the document calls it."""
    found = []
    for pattern in api_v1:
        path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(pattern.pattern)).replace("{pk}", "{id}")
        methods = {method.upper() for method in pattern.callback.actions} - {"HEAD"}  # type: ignore[attr-defined]
        found += [f"{method} /api/v1/{path}" for method in sorted(methods)]
    return found


OPERATIONS = operations()


@pytest.fixture(autouse=True)
def _storage() -> None:
    """Leave the storage alone: it is that of the cast, for all tests here."""


@pytest.fixture(scope="module")
def cast(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cast]:
    with django_db_blocker.unblock(), assembled(tmp_path_factory.mktemp("contract")) as cast:
        yield cast


@pytest.fixture(scope="module")
def document(cast: Cast) -> Iterator[BaseSchema]:
    """The document, as the site gives it out. Requests go to the site in this process, and in this transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield schemathesis.openapi.from_wsgi("/api/schema", get_wsgi_application())
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="module")
def answered() -> Iterator[Counter[tuple[str, str, int]]]:
    """Counts the answers, and prints them in the end."""
    counts: Counter[tuple[str, str, int]] = Counter()
    yield counts
    lines = [f"{count:6} {label} {mode} {status}" for (label, mode, status), count in sorted(counts.items())]
    print(*lines, f"{counts.total():6} in all", sep="\n")  # noqa: T201  # asked for


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_as_documented(
    document: BaseSchema, cast: Cast, label: str, mode: GenerationMode, answered: Counter[tuple[str, str, int]]
) -> None:
    method, path = label.split()

    @given(case=document[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    def is_as_documented(case: Case[Any]) -> None:
        with undone():
            _fill(case, cast, is_right=mode == GenerationMode.POSITIVE)
            response = case.call()
        answered[label, mode.value, response.status_code] += 1
        assert response.status_code != 500
        case.validate_response(response, checks=CHECKS)

    # Nothing can be wrong about a request that has no parameters.
    with suppress(Unsatisfiable):
        is_as_documented()


def _fill(case: Case[Any], cast: Cast, *, is_right: bool) -> None:
    """Ask as one of the actors, mostly about what is there; which is not chosen, but follows from the case."""
    number = zlib.crc32(repr((case.path_parameters, case.query, case.headers, case.body)).encode())
    case.headers.pop("Authorization", None)
    shown = cast.passes[ACTORS[number % len(ACTORS)]].headers
    case.headers.update({"Authorization": shown[PLACE]} if shown else {})
    if number // len(ACTORS) % 5:
        _be_about(case, cast.places[PLACE], is_right=is_right)


def _be_about(case: Case[Any], place: Place, *, is_right: bool) -> None:
    """Put in for each parameter what is there; what is wrong on purpose stays, but for the path."""
    ada, bob = place.people["ada"], place.people["bob"]
    _replace(case.path_parameters, _there(place))
    if is_right:
        names = {
            "event": place.event.slug,
            "image": str(ada.image_id),
            "face": str(ada.grab_id),
            "confirm": place.event.name,
        }
        _replace(case.query, names)
        other = str(bob.grab_id)
        _replace(case.body, {"file": [SELFIE], "files": [PHOTO], "grab_ids": [other], "grab_id": other})


def _there(place: Place) -> dict[str, Any]:
    """Return the parameters of paths that lead somewhere."""
    ada = place.people["ada"]
    return {
        "slug": place.event.slug,
        "image_id": str(ada.image_id),
        "grab_id": str(ada.grab_id),
        "id": ada.witness,
        "key": ada.file,
    }


def _replace(fields: Any, values: dict[str, Any]) -> None:
    if isinstance(fields, dict):
        fields.update({name: value for name, value in values.items() if name in fields})


def test_the_document_has_every_operation(document: BaseSchema) -> None:
    documented = {
        f"{method.upper()} {path}" for path, methods in document.raw_schema["paths"].items() for method in methods
    }
    assert set(OPERATIONS) == documented


@pytest.mark.parametrize("path", sorted({label.split()[1] for label in OPERATIONS}))
def test_other_methods_are_not_allowed(document: BaseSchema, cast: Cast, path: str) -> None:
    """405, with those that are; whoever asks, as far as they may ask at all."""
    allowed = {label.split()[0] for label in OPERATIONS if label.split()[1] == path}
    client, place = Client(), cast.places[PLACE]
    client.cookies = SimpleCookie(dict(cast.passes[Actor.SUPERUSER].cookies))
    for method in METHODS - allowed:
        with undone():
            answer = client.generic(method, path.format_map(_there(place)))
        assert answer.status_code == 405, method
        assert {*answer["Allow"].split(", ")} - {"HEAD", "OPTIONS"} == allowed
        assert answer.json()["code"] == "method_not_allowed"
