"""German for every text of attendees' pages and scripts, compiled, and not out of date."""

from __future__ import annotations

import ast
import gettext
import hashlib
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils import translation

from faces import consent

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings

GERMAN = settings.LOCALE_PATHS[0] / "de" / "LC_MESSAGES"
DOMAINS = ["django", "djangojs"]
SOURCES = ["events", "faces", "grabpic_site", "static", "templates"]
FIELD = re.compile(r'^(\w+)(?:\[\d\])? ((?:".*"\n?)+)', re.MULTILINE)
PLACE = re.compile(r"%\(\w+\)s|%s|<[^>]+>")

CONSENT = {"2026-11": "195b932544c4b923"}
"""By version: the SHA-256 of the words in every language, its first 16 digits."""


def entries(domain: str) -> list[tuple[list[str], list[str]]]:
    """Return the texts of the .po file with their German: one of each, or the singular and the plural."""
    found = []
    for entry in (GERMAN / f"{domain}.po").read_text().split("\n\n")[1:]:
        fields = [(name, "".join(map(ast.literal_eval, lines.splitlines()))) for name, lines in FIELD.findall(entry)]
        english, german = ([text for name, text in fields if name.startswith(kind)] for kind in ("msgid", "msgstr"))
        found.append((english, german))
    return found


@pytest.mark.parametrize("domain", DOMAINS)
def test_what_is_compiled_is_what_is_written(domain: str) -> None:
    with (GERMAN / f"{domain}.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert len(entries(domain)) > 10
    for english, german in entries(domain):
        one, *plural = english
        forms = [compiled.ngettext(one, plural[0], count) for count in (1, 2)] if plural else [compiled.gettext(one)]
        assert forms == german


@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_keeps_its_places_and_markup(domain: str) -> None:
    for english, german in entries(domain):
        assert len(english) == len(german)
        for text, translated in zip(english, german, strict=True):
            assert sorted(PLACE.findall(translated)) == sorted(PLACE.findall(text))


@pytest.mark.skipif(shutil.which("xgettext") is None, reason="gettext is not installed (Debian: apt install gettext)")
@pytest.mark.parametrize("domain", DOMAINS)
def test_every_text_has_its_german(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, domain: str
) -> None:
    for source in SOURCES:
        shutil.copytree(settings.BASE_DIR / source, tmp_path / source, ignore=shutil.ignore_patterns("tests"))
    shutil.copytree(settings.LOCALE_PATHS[0], tmp_path / "locale")
    settings.LOCALE_PATHS = [tmp_path / "locale"]
    monkeypatch.chdir(tmp_path)
    call_command("makemessages", locale=["de"], domain=domain, verbosity=0)
    for missing in ("--untranslated", "--only-fuzzy", "--only-obsolete"):
        arguments = ["msgattrib", missing, "--no-wrap", f"locale/de/LC_MESSAGES/{domain}.po"]
        listed = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
        texts = [line for line in listed.splitlines() if re.match(r'(#~ )?msgid ".+', line)]
        assert texts == [], f"{missing}: run `make messages`, translate, run it again"


def test_words_of_consent_belong_to_their_version() -> None:
    """Other words, in any language, are another consent: give them another `consent.VERSION`, and add it here."""
    words = []
    for language, _ in settings.LANGUAGES:
        with translation.override(language):
            words.append(str(consent.WORDS))
    assert len(set(words)) == len(settings.LANGUAGES)
    assert CONSENT[consent.VERSION] == hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
