"""The one shape of the API's errors, whoever refuses, and the number of what went wrong."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.core.files.base import ContentFile
from django.http import UnreadablePostError
from django.test import Client
from rest_framework.exceptions import Throttled, ValidationError

from conftest import new_key
from events.models import Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

    from events.models import Event

pytestmark = pytest.mark.django_db

UPLOAD, KNOWN, HEALTH = "/api/v1/upload", "/api/v1/events/city-run/known", "/api/v1/health"
NUMBER = re.compile(r"[0-9a-f]{32}")


@pytest.fixture
def breaking(client: Client, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that makes the API's health, and the list of events, raise an exception."""
    client.raise_request_exception = False

    def break_with(error: Exception) -> None:
        def fail(*args: object, **options: object) -> None:
            raise error

        monkeypatch.setattr("events.api.health.HealthViewSet.retrieve", fail)
        monkeypatch.setattr("events.models.EventQuerySet.listed_for", fail)

    return break_with


def refusal(response: Any) -> tuple[int, str]:
    """Return status and code, having looked at the shape."""
    answer = response.json()
    assert answer.keys() == {"detail", "code"}
    assert answer["detail"]
    return response.status_code, answer["code"]


@pytest.mark.parametrize(
    "address", ["/api", "/api/", "/api/v1", "/api/v1/", "/api/v1/health/", "/api/v1/nothing", "/api/v2/health"]
)
def test_an_address_that_is_none(client: Client, address: str) -> None:
    for method in (client.get, client.post, client.delete):
        assert refusal(method(address)) == (404, "not_found")


def test_what_the_framework_refuses(client: Client, event: Event) -> None:
    key = {"Authorization": f"Api-Key {new_key('all', *Scope)}"}
    assert refusal(client.delete(HEALTH)) == (405, "method_not_allowed")
    assert refusal(client.get(HEALTH, headers={"Accept": "image/png"})) == (406, "not_acceptable")
    assert refusal(client.post(UPLOAD, "{}", "application/json", headers=key)) == (415, "unsupported_media_type")
    assert refusal(client.post(UPLOAD, "no parts", "multipart/form-data", headers=key)) == (400, "parse_error")
    assert refusal(client.post(UPLOAD, "--", "multipart/form-data; boundary=a", headers=key)) == (400, "missing_file")
    assert refusal(client.post(KNOWN, "{", "application/json", headers=key)) == (400, "parse_error")


def test_what_django_refuses(client: Client, event: Event, settings: Settings) -> None:
    key = {"Authorization": f"Api-Key {new_key('all', *Scope)}"}
    assert refusal(client.get("/api/nothing", headers={"Host": "elsewhere.example"})) == (400, "unknown_host")
    settings.DATA_UPLOAD_MAX_NUMBER_FIELDS = 2
    form = {"a": "1", "b": "2", "c": "3", "files": ContentFile(b"x", "a.jpg")}
    assert refusal(client.post(UPLOAD, form, headers=key)) == (413, "too_many_fields")
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10
    assert refusal(client.post(KNOWN, '{"sha256": []}', "application/json", headers=key)) == (413, "file_too_large")


def test_another_sites_form_is_refused(event: Event, staff: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    assert refusal(client.post(UPLOAD, {"files": ContentFile(b"x", "a.jpg")})) == (403, "csrf_failed")


@pytest.mark.parametrize(
    ("error", "answer"),
    [
        (PermissionDenied(), (403, "permission_denied")),
        (SuspiciousOperation("../../etc/passwd"), (400, "bad_request")),
        (UnreadablePostError("the phone is in a tunnel"), (400, "parse_error")),
        (Throttled(wait=5), (429, "too_many_requests")),
        (ValidationError({"when": ["No date."]}), (400, "bad_request")),
    ],
)
def test_what_a_view_refuses(client: Client, breaking: Any, error: Exception, answer: tuple[int, str]) -> None:
    breaking(error)
    assert refusal(client.get(HEALTH)) == answer


def test_every_answer_has_a_number_of_our_own(client: Client) -> None:
    numbers = {client.get(address, headers={"X-Request-Id": "mine"})["X-Request-Id"] for address in (HEALTH, "/", "/x")}
    assert len(numbers) == 3
    assert all(NUMBER.fullmatch(number) for number in numbers)


def test_a_bug_tells_programs_its_number(client: Client, breaking: Any) -> None:
    breaking(RuntimeError("a bug"))
    response = client.get(HEALTH)
    answer = response.json()
    assert (response.status_code, answer["code"]) == (500, "server_error")
    assert answer.keys() == {"detail", "code", "id"}
    assert answer["id"] == response["X-Request-Id"]


@pytest.mark.parametrize(("language", "words"), [("en", "tell us this number"), ("de", "nenn uns diese Nummer")])
def test_a_bug_tells_visitors_its_number(client: Client, breaking: Any, language: str, words: str) -> None:
    breaking(RuntimeError("a bug"))
    response = client.get("/", headers={"Accept-Language": language})
    page = response.content.decode()
    assert response.status_code == 500
    assert words in page
    assert response["X-Request-Id"] in page
    assert "a bug" not in page
