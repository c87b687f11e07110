"""Who asks too often is told when to try again, and nobody else is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connection
from django.test import Client
from django.utils import timezone

from conftest import RED, new_key, paint_photo
from events import limits
from events.checks import check_limits
from events.limits import Rate, TooManyRequests
from events.models import Allowance, Event

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

PROGRESS = "/api/v1/events/city-run/progress"
SELFIE = "/api/v1/auth/selfie"


def limit(settings: Settings, **rates: str) -> None:
    settings.LIMITS = {**settings.LIMITS, **rates}


def outcome(who: str) -> str:
    try:
        limits.spend("requests", who)
    except TooManyRequests as error:
        return f"wait {error.wait}"
    return "ok"


def move_clock(**passed: float) -> None:
    for allowance in Allowance.objects.all():
        allowance.spent_until -= timedelta(**passed)
        allowance.save()


@pytest.mark.django_db
class TestSpend:
    def test_so_many_at_once_and_then_one_after_the_other(self, settings: Settings) -> None:
        limit(settings, requests="3/minute")
        assert [outcome("me") for _ in range(4)] == ["ok", "ok", "ok", "wait 20"]
        move_clock(seconds=15)
        assert outcome("me") == "wait 5"
        move_clock(seconds=5)
        assert [outcome("me"), outcome("me")] == ["ok", "wait 20"]

    def test_each_has_an_allowance_of_their_own(self, settings: Settings) -> None:
        limit(settings, requests="1/hour")
        assert [outcome("me"), outcome("you"), outcome("me")] == ["ok", "ok", "wait 3600"]

    def test_nobody_can_tell_who_it_was(self, settings: Settings) -> None:
        limit(settings, requests="1/hour")
        limits.spend("requests", "address 192.0.2.7")
        assert Allowance.objects.exclude(key__contains="192.0.2.7").exists()

    def test_without_a_limit_nothing_is_counted(self) -> None:
        assert outcome("me") == "ok"
        assert not Allowance.objects.exists()

    def test_what_is_whole_again_is_forgotten(self, settings: Settings) -> None:
        limit(settings, requests="1/hour")
        limits.spend("requests", "me")
        assert limits.expire() == 0
        Allowance.objects.update(spent_until=timezone.now() - timedelta(seconds=1))
        assert limits.expire() == 1


@pytest.mark.django_db(transaction=True)
def test_all_processes_count_together(settings: Settings) -> None:
    limit(settings, requests="10/hour")

    def spend(_: int) -> str:
        try:
            return outcome("me")
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(spend, range(40)))
    assert outcomes.count("ok") == 10


@pytest.mark.parametrize("text", ["30", "30 / minute", "0/minute", "-1/minute", "30/fortnight", "1.5/second"])
def test_what_is_no_limit_is_said(settings: Settings, text: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="120/minute"):
        Rate.parse(text)
    limit(settings, codes=text)
    [problem] = check_limits()
    assert problem.msg.startswith("LIMIT_CODES: ")


@pytest.mark.django_db
class TestApi:
    def test_says_when_to_try_again(self, client: Client, event: Event, settings: Settings) -> None:
        limit(settings, requests="1/minute")
        headers = {"Authorization": f"Api-Key {new_key()}"}
        assert client.get(PROGRESS, headers=headers).status_code == 200
        answer = client.get(PROGRESS, headers=headers)
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (429, "too_many_requests", "60")
        other = {"Authorization": f"Api-Key {new_key('other')}"}
        assert client.get(PROGRESS, headers=other).status_code == 200

    def test_no_header_makes_somebody_else_of_a_client(self, client: Client, event: Event, settings: Settings) -> None:
        limit(settings, selfies="1/minute")

        def search(**headers: str) -> int:
            return client.post(SELFIE, {"file": paint_photo(RED)}, headers=headers).status_code

        assert search() == 404
        spoofed = ["X-Forwarded-For", "X-Real-IP", "Forwarded", "User-Agent", "Cookie"]
        assert [search(**{name: "198.51.100.1"}) for name in spoofed] == [429] * 5
        # What is no key at all is counted as the address it comes from.
        assert search(Authorization="Basic bWU6eW91") == 429

    def test_wrong_keys_and_tokens_are_counted_but_lock_nobody_out(
        self, client: Client, event: Event, settings: Settings
    ) -> None:
        limit(settings, credentials="2/hour")
        wrong = ["Api-Key a.b", "Bearer forged", "Api-Key c.d"]
        url = "/api/v1/storage/photos/x"
        assert [client.get(url, headers={"Authorization": text}).status_code for text in wrong] == [401, 401, 429]
        assert client.get(PROGRESS, headers={"Authorization": f"Api-Key {new_key()}"}).status_code == 200

    def test_wrong_codes(self, client: Client, event: Event, settings: Settings) -> None:
        limit(settings, codes="2/hour")
        Event.objects.update(access=Event.Access.CODE, access_code="sunrise")

        def search(**fields: Any) -> str:
            return str(client.post(SELFIE, {"file": paint_photo(RED), **fields}).json()["code"])

        assert [search(code="guess"), search(), search(code="sunrise"), search(code="again")] == [
            *("wrong_code", "code_required", "no_match", "wrong_code")
        ]
        # Not even the right one is looked at now, or its answer would tell.
        assert [search(code="guess"), search(code="sunrise")] == ["too_many_requests"] * 2

    def test_health_is_never_limited(self, client: Client, settings: Settings) -> None:
        limit(settings, requests="1/day")
        assert [client.get("/api/v1/health").status_code for _ in range(3)] == [200] * 3


@pytest.mark.django_db
class TestPages:
    def test_wrong_codes(self, client: Client, event: Event, settings: Settings) -> None:
        limit(settings, codes="1/hour")
        Event.objects.update(access=Event.Access.CODE, access_code="sunrise")
        assert client.post("/events/city-run/code/", {"code": "guess"}).status_code == 403
        for answer in (
            client.post("/events/city-run/code/", {"code": "sunrise"}),
            client.get("/events/city-run/?code=sunrise"),
        ):
            assert (answer.status_code, answer["Retry-After"]) == (429, "3600")
            assert "Try again in 60 minutes." in answer.content.decode()
        german = client.get("/events/city-run/?code=sunrise", headers={"Accept-Language": "de"}).content.decode()
        assert "in 60 Minuten" in german
        assert Client(REMOTE_ADDR="192.0.2.1").get("/events/city-run/?code=sunrise").status_code == 302
        Event.objects.create(slug="other-run", access=Event.Access.CODE, access_code="sunset")
        assert client.get("/events/other-run/?code=sunset").status_code == 302

    def test_selfies(self, client: Client, event: Event, settings: Settings) -> None:
        limit(settings, selfies="1/minute")
        page = client.post("/events/city-run/selfie/")
        assert page.status_code == 400
        page = client.post("/events/city-run/selfie/")
        assert (page.status_code, page["Retry-After"]) == (429, "60")
        assert "Too many selfies came from here just now" in page.content.decode()
        answer = client.post("/events/city-run/selfie/", headers={"Accept": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")

    def test_wrong_passwords(self, client: Client, staff: User, settings: Settings) -> None:
        limit(settings, logins="1/hour")
        right = {"username": "staff", "password": "staff"}
        assert client.post("/admin/login/", right | {"password": "guess"}).status_code == 200
        assert client.post("/admin/login/", right).status_code == 429
        other = Client(REMOTE_ADDR="192.0.2.1")
        assert [other.post("/admin/login/?next=/", right).status_code for _ in range(3)] == [302] * 3
