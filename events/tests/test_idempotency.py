"""A write that is sent twice is done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.utils import timezone

from conftest import BLUE, RED, new_key, paint_photo
from events import idempotency
from events.models import Event, IdempotentAnswer, Image, Scope

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

pytestmark = pytest.mark.django_db

UPLOAD = "/api/v1/upload"
RETRY = "/api/v1/events/city-run/retry"


@pytest.fixture
def secret(event: Event) -> str:
    return new_key()


def upload(client: Client, secret: str, key: str = "one", colour: tuple[int, int, int] = RED, **fields: str) -> Any:
    photo = SimpleUploadedFile("1.png", paint_photo(colour).getvalue())
    headers = {"Authorization": f"Api-Key {secret}", "Idempotency-Key": key}
    return client.post(UPLOAD, {"files": photo, **fields}, headers=headers)


def test_the_same_request_gets_the_first_answer(client: Client, secret: str) -> None:
    first, again = upload(client, secret), upload(client, secret)
    assert first.json()["uploaded"] == 1
    assert (again.status_code, again.json()) == (200, first.json())
    assert ("Idempotent-Replayed" in first, again["Idempotent-Replayed"]) == (False, "true")
    assert upload(client, secret, "two").json()["uploaded"] == 0


@pytest.mark.parametrize("change", [{"colour": BLUE}, {"event": "city-run"}])
def test_another_request_with_the_same_key_is_refused(client: Client, secret: str, change: dict[str, Any]) -> None:
    upload(client, secret)
    answer = upload(client, secret, **change)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Image.objects.count() == 1


def test_another_endpoint_with_the_same_key_is_refused(client: Client, secret: str) -> None:
    upload(client, secret)
    headers = {"Authorization": f"Api-Key {secret}", "Idempotency-Key": "one"}
    assert client.post(RETRY, {}, headers=headers).status_code == 422


def test_each_client_has_keys_of_its_own(client: Client, secret: str, staff: User) -> None:
    upload(client, secret)
    assert upload(client, new_key("other"), colour=BLUE).status_code == 200
    client.force_login(staff)
    photo = SimpleUploadedFile("2.png", paint_photo(BLUE, RED).getvalue())
    assert client.post(UPLOAD, {"files": photo}, headers={"Idempotency-Key": "one"}).json()["uploaded"] == 1


def test_what_was_refused_is_looked_at_anew(client: Client, secret: str) -> None:
    headers = {"Authorization": f"Api-Key {secret}", "Idempotency-Key": "one"}
    assert client.post(UPLOAD, {}, headers=headers).status_code == 400
    assert upload(client, secret).json()["uploaded"] == 1


def test_strangers_get_no_answer_of_others(client: Client, secret: str) -> None:
    upload(client, secret)
    photo = SimpleUploadedFile("1.png", paint_photo(RED).getvalue())
    assert client.post(UPLOAD, {"files": photo}, headers={"Idempotency-Key": "one"}).status_code == 401
    assert upload(client, new_key("reader", Scope.READ)).status_code == 403


def test_one_under_way_keeps_the_second_back(client: Client, secret: str) -> None:
    # As a request of another process holds it, before it is done.
    with psycopg.connect(**_address()) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [f"key {secret.partition('.')[0]} one"])
        answer = upload(client, secret)
        assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress")
    assert upload(client, secret).json()["uploaded"] == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "käse", "a\tb"])
def test_a_key_has_to_be_one(client: Client, secret: str, key: str) -> None:
    answer = upload(client, secret, key)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_idempotency_key")


def test_answers_are_kept_for_a_day(client: Client, secret: str) -> None:
    upload(client, secret)
    assert idempotency.expire() == 0
    IdempotentAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert idempotency.expire() == 1


def _address() -> dict[str, Any]:
    return {name: value for name, value in connection.get_connection_params().items() if name in _ADDRESS}


_ADDRESS = {"dbname", "host", "port", "user", "password"}
