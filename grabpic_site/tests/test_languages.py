"""The visitor's language on attendees' pages, English everywhere else."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from django.template import Context, Template
from django.utils import translation
from playwright.sync_api import expect

from grabpic_site.tests.conftest import IN_BROWSER

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.mark.parametrize(("asked", "language"), [("de-AT,de;q=0.9", "de"), ("fr,de;q=0.5", "de"), ("fr", "en")])
def test_a_page_is_in_the_browsers_language(client: Client, event: Event, asked: str, language: str) -> None:
    answer = client.get("/", headers={"accept-language": asked})
    assert f'<html lang="{language}">' in answer.content.decode()
    assert ("Veranstaltungen" in answer.content.decode()) is (language == "de")
    assert answer["Content-Language"] == language
    assert {"Accept-Language", "Cookie"} <= set(answer["Vary"].split(", "))


def test_an_error_page_is_in_the_browsers_language(client: Client, event: Event) -> None:
    for path in ("/nothing", "/events/nothing/"):
        assert "Hier ist nichts" in client.get(path, headers=GERMAN).content.decode()


def test_the_language_can_be_chosen_against_the_browsers(client: Client, event: Event) -> None:
    answer = client.post("/language/", {"language": "en", "next": "/credits/"}, headers=GERMAN)
    assert answer.headers["Location"] == "/credits/"
    assert client.get("/", headers=GERMAN)["Content-Language"] == "en"


def test_another_language_is_offered_by_its_own_name(client: Client, event: Event) -> None:
    assert (
        '<button class="link" name="language" value="de" lang="de">Deutsch</button>' in client.get("/").content.decode()
    )
    german = client.get("/", headers=GERMAN).content.decode()
    assert '<button class="link" name="language" value="en" lang="en">English</button>' in german


def test_choosing_a_language_leads_to_no_other_site(client: Client, db: None) -> None:
    answer = client.post("/language/", {"language": "de", "next": "https://elsewhere.example/"})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/events/event/add/",
        "/events/city-run/upload/",
        "/api/v1/health",
        "/api/v1/nothing",
        "/docs",
        "/redoc",
    ],
)
def test_what_is_for_staff_and_programs_stays_english(staff_client: Client, event: Event, path: str) -> None:
    answer = staff_client.get(path, headers=GERMAN)
    assert answer["Content-Language"] == "en"
    for word in ("Abmelden", "Hinzufügen", "Veranstaltungen", "Zum Inhalt"):
        assert word not in answer.content.decode()


def test_an_error_of_the_api_stays_english(client: Client, event: Event) -> None:
    answer = client.post("/api/v1/ingest", headers=GERMAN)
    assert answer.json()["detail"] == "Authentication credentials were not provided."


def test_the_texts_of_scripts_come_in_the_language_of_the_address(client: Client) -> None:
    german = client.get("/language.js?language=de", headers={"accept-language": "en"})
    assert german["Content-Language"] == "de"
    assert "plural" in german.content.decode()
    assert german["Cache-Control"] == "public, max-age=60"
    assert "Vary" not in german.headers
    again = client.get("/language.js?language=de", headers={"if-none-match": german["ETag"]})
    assert again.status_code == 304


def test_a_language_that_is_not_there_is_english(client: Client) -> None:
    assert client.get("/language.js?language=xx")["Content-Language"] == "en"


def test_only_pages_in_another_language_load_the_texts_of_scripts(client: Client, event: Event) -> None:
    assert "/language.js" not in client.get("/").content.decode()
    assert "/language.js?language=de" in client.get("/", headers=GERMAN).content.decode()


def test_dates_and_numbers_are_written_as_the_language_does() -> None:
    template = Template("{{ day|date:'DATE_FORMAT' }} {{ count|floatformat:'0g' }}")
    written = {}
    for language in ("en", "de"):
        with translation.override(language):
            written[language] = template.render(Context({"day": date(2026, 5, 1), "count": 1200}))
    assert written == {"en": "1 May 2026 1,200", "de": "1. Mai 2026 1.200"}


@pytest.mark.parametrize(("query", "language"), [("", "en"), ("?language=de", "de"), ("?language=xx", "en")])
def test_a_poster_is_in_the_language_of_its_address(
    staff_client: Client, event: Event, query: str, language: str
) -> None:
    page = staff_client.get(f"/events/city-run/poster/{query}", headers=GERMAN).content.decode()
    assert f'<html lang="{language}">' in page
    assert ("Finde alle Fotos" in page) is (language == "de")


class TestScripts:
    pytestmark = IN_BROWSER

    @pytest.mark.parametrize(
        ("locale", "words", "one", "many"),
        [
            ("en", "Tick this box first", "You are in 1 photo", "You are in 2 photos"),
            ("de", "Setz zuerst dieses Häkchen", "Du bist auf 1 Foto", "Du bist auf 2 Fotos"),
        ],
    )
    def test_speak_the_language_of_the_page(
        self,
        visit: Callable[..., Page],
        live_server: LiveServer,
        event: Event,
        locale: str,
        words: str,
        one: str,
        many: str,
    ) -> None:
        page = visit(locale=locale)
        page.goto(f"{live_server}/events/city-run/")
        page.locator("label:has(#taken)").click()
        expect(page.locator("#first")).to_contain_text(words)
        said = page.evaluate(
            """async () => {
                const { interpolate, ngettext } = await import("/static/language.js");
                return [1, 2].map((n) => interpolate(ngettext("You are in %s photo", "You are in %s photos", n), [n]));
            }"""
        )
        assert said == [one, many]

    def test_the_chosen_language_stays(self, visit: Callable[..., Page], live_server: LiveServer, event: Event) -> None:
        page = visit(locale="en")
        page.goto(f"{live_server}/credits/")
        page.get_by_role("button", name="Deutsch").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Quellen")
        page.get_by_role("link", name="Veranstaltungen").click()
        expect(page.get_by_role("button", name="English")).to_be_visible()
