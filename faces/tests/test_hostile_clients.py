"""Who wants more than their allowance, or an answer that is not theirs any more."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client

from conftest import BLUE, RED, paint_photo
from events.checks import check_proxies
from events.models import Event, IdempotentAnswer, Scope
from events.tests.programs import program, send
from faces import privacy, retention
from faces.gallery import Grant
from faces.tests.people import add_person

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def limit(settings: Settings, **rates: str) -> None:
    settings.LIMITS = {**settings.LIMITS, **rates}


@pytest.mark.django_db
def test_a_token_is_one_however_it_is_written(event: Event, settings: Settings) -> None:
    limit(settings, requests="1/hour")
    person = add_person(event, 0)
    token = Grant(event.pk, (person.cover_id or 0,), ()).to_token()
    url = f"/api/v1/users/{person.grab_id}/images"
    spellings = [f"Bearer {token}", f"bearer {token}", f"BEARER   {token}", f"Bearer {token} ", f"Bearer \t{token}\t"]
    statuses = [Client().get(url, headers={"Authorization": text}).status_code for text in spellings]
    assert statuses == [200, 429, 429, 429, 429]


@pytest.mark.django_db(transaction=True)
def test_guesses_at_the_same_time_are_looked_at_no_oftener(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    limit(settings, codes="3/hour")
    event = Event.objects.create(slug="a", name="A", access=Event.Access.CODE, access_code="sunrise", engine="fake")
    looked_at = []

    def accepts_slowly(event: Event, code: str) -> bool:
        if code:
            looked_at.append(code)
            time.sleep(0.05)
        return False

    monkeypatch.setattr(Event, "accepts_code", accepts_slowly)

    def guess(number: int) -> int:
        try:
            return Client().post(f"/events/{event.slug}/code/", {"code": str(number)}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(guess, range(8)))
    assert (len(looked_at), statuses.count(429)) == (3, 5)


@pytest.mark.django_db
@pytest.mark.parametrize("deletion", ["erased", "retired"])
def test_what_programs_were_answered_goes_with_the_person(event: Event, deletion: str) -> None:
    person, client = add_person(event, 0), program()
    url = f"/api/v1/faces/{person.grab_id}"
    assert send(client, "PATCH", url, {"name": "Ada Secret"}, Idempotency_Key="one").status_code == 200
    assert IdempotentAnswer.objects.filter(body__name="Ada Secret").exists()
    if deletion == "erased":
        privacy.erase(event, [person], "test")
    else:
        retention.retire(event)
    assert not IdempotentAnswer.objects.exists()
    assert send(client, "PATCH", url, {"name": "Ada Secret"}, Idempotency_Key="one").status_code == 404


@pytest.mark.django_db
def test_the_first_answer_comes_again_with_its_version(event: Event) -> None:
    person, client = add_person(event, 0), program()
    url = f"/api/v1/faces/{person.grab_id}"
    first, again = (send(client, "PATCH", url, {"name": "Ada"}, Idempotency_Key="one") for _ in range(2))
    assert first["ETag"] == again["ETag"]
    assert send(client, "PATCH", url, {"name": "Ben"}, If_Match=again["ETag"]).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["a\0b.png", "\ud800.png", "../../x.png", "\u202e.png", "x" * 400 + ".png", "\n.png"])
def test_any_file_name_can_be_answered_again(event: Event, name: str) -> None:
    client, photo = program(Scope.UPLOAD), paint_photo(RED, BLUE).getvalue()
    part = f'--x\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
    body = part.encode("utf-8", "surrogatepass") + photo + b"\r\n--x--\r\n"
    answers = [
        client.generic(
            "POST",
            "/api/v1/upload",
            body,
            "multipart/form-data; boundary=x",
            headers={"Idempotency-Key": "one"},
        )
        for _ in range(2)
    ]
    assert answers[0].status_code == answers[1].status_code < 500
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(("https", "proxies", "problems"), [(True, 0, 1), (True, 1, 0), (False, 0, 0)])
def test_everybody_as_one_is_warned_of(settings: Settings, https: bool, proxies: int, problems: int) -> None:
    settings.HTTPS, settings.TRUSTED_PROXIES = https, proxies
    assert len(check_proxies()) == problems
