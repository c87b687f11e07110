"""What every answer says to the browser, and the settings for the internet."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client, override_settings
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.authentication import SessionAuthentication as OfTheFramework

from grabpic_site.tests.test_settings import setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import User

    from events.models import Event

ROOT = Path(__file__).resolve().parents[2]
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "connect-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
PRODUCTION = dict(re.findall(r"^#   (\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address",
    [
        "/",
        "/privacy/",
        "/admin/login/",
        "/nothing",
        "/docs?script=",
        "/api/v1/health",
        "/api/v1/nothing",
        "/api/schema",
    ],
)
def test_every_answer_is_guarded(client: Client, address: str) -> None:
    answer = client.get(address)
    for name, value in EVERYWHERE.items():
        assert answer[name] == value
    assert "camera=(self)" in answer["Permissions-Policy"]
    assert "microphone=()" in answer["Permissions-Policy"]
    policy = answer["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert set(policy.split("; ")) >= STRICT - {"img-src 'self' blob:"}


@pytest.mark.django_db
def test_pages_have_the_strict_policy(client: Client) -> None:
    assert set(client.get("/")["Content-Security-Policy"].split("; ")) == STRICT


@pytest.mark.django_db
def test_redoc_alone_has_a_nonce_and_each_time_another(client: Client) -> None:
    found = [re.findall(r"'nonce-([\w+/=]{22,})'", client.get("/redoc")["Content-Security-Policy"]) for _ in range(2)]
    assert len(found[0]) == len(found[1]) == 1
    assert found[0] != found[1]


@pytest.mark.django_db
def test_a_bug_is_answered_under_the_policy_too(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("events.views.Event.objects", None)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert set(answer["Content-Security-Policy"].split("; ")) == STRICT


def test_answers_of_the_api_are_kept_by_nobody(staff_client: Client, event: Event) -> None:
    for path in ("events", "events/city-run/progress", "nothing"):
        assert staff_client.get(f"/api/v1/{path}")["Cache-Control"] in {"private, no-store", "private, no-cache"}


def test_pages_are_kept_by_no_proxy(staff_client: Client, event: Event) -> None:
    for address in ("/", "/events/city-run/", "/events/city-run/upload/", "/admin/"):
        assert "private" in staff_client.get(address)["Cache-Control"]


def test_cookies_keep_to_the_site_and_away_from_scripts(client: Client, staff: User) -> None:
    client.get("/admin/login/")
    client.post("/admin/login/", {"username": "staff", "password": "staff"})
    client.post("/language/", {"language": "de"})
    assert {name: bool(cookie["httponly"]) for name, cookie in client.cookies.items()} == {
        "csrftoken": False,
        "sessionid": True,
        "django_language": True,
    }
    assert {cookie["samesite"] for cookie in client.cookies.values()} == {"Lax"}


EXEMPT = {"set_language", "selfie"}
"""The worst that another site can do to the one is to turn the language; the other asks for the token itself."""


def views(patterns: list[Any] | None = None) -> Iterator[URLPattern]:
    for one in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(one, URLResolver):
            yield from views(one.url_patterns)
        else:
            yield one


def test_no_view_is_exempt_from_csrf_but_those_of_the_api() -> None:
    """The API asks for the token itself, where a session says who asks: see below."""
    exempt = [one for one in views() if getattr(one.callback, "csrf_exempt", False)]
    assert {one.name for one in exempt if not hasattr(one.callback, "cls")} == EXEMPT
    ways = {way for one in exempt for way in getattr(getattr(one.callback, "cls", None), "authentication_classes", ())}
    assert not {way for way in ways if issubclass(way, OfTheFramework) and "enforce_csrf" not in vars(way)}


@pytest.mark.django_db
def test_a_selfie_comes_from_a_page_of_ours(event: Event) -> None:
    assert Client(enforce_csrf_checks=True).post("/events/city-run/selfie/", {"consent": "yes"}).status_code == 403


def test_a_session_alone_changes_nothing_over_the_api(staff: User, event: Event) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(staff)
    for path in ("upload", "ingest", "events/city-run/retry", "events"):
        answer = client.post(f"/api/v1/{path}", {})
        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


def run_check(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )


def test_the_documented_settings_of_production_pass_the_check_for_deployment() -> None:
    assert PRODUCTION.keys() >= {"ALLOWED_HOSTS", "HTTPS"}
    result = run_check(**PRODUCTION, DATABASE_URL="postgresql://me:secret@db.example.org/photos")
    assert result.returncode == 0, result.stderr


def test_whoever_names_the_site_has_to_say_whether_it_speaks_https() -> None:
    forgotten = run_check(ALLOWED_HOSTS="photos.example.org", HTTPS="")
    assert forgotten.returncode == 1
    assert forgotten.stderr.startswith("A setting is wrong: HTTPS is not set")
    assert setting("HTTPS", ALLOWED_HOSTS="photos.example.org", HTTPS="false") == "False"


@pytest.mark.django_db
def test_production_speaks_https_alone(client: Client) -> None:
    with override_settings(
        ALLOWED_HOSTS=["photos.example.org"],
        SECURE_SSL_REDIRECT=True,
        SECURE_HSTS_SECONDS=31_536_000,
        SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"),
    ):
        client = Client(headers={"Host": "photos.example.org"})
        assert client.get("/")["Location"] == "https://photos.example.org/"
        assert client.get("/api/v1/health").status_code == 200
        answer = client.get("/", headers={"X-Forwarded-Proto": "https"})
        assert (answer.status_code, answer["Strict-Transport-Security"]) == (200, "max-age=31536000")
