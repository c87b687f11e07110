"""Settings from the environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def setting(name: str, **environment: str) -> str:
    """Return a setting as a process with this environment sees it."""
    return settings(name, **environment)[0]


def settings(*names: str, **environment: str) -> list[str]:
    """Return settings as one process with this environment sees them."""
    values = ", ".join(f"settings.{name}" for name in names)
    program = f"from grabpic_site import settings; print({values}, sep='\\n')"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return result.stdout.splitlines()


def test_the_example_documents_every_variable_and_no_other() -> None:
    read = set(re.findall(r'env\.\w+\(\s*"(\w+)"', (ROOT / "grabpic_site/settings.py").read_text()))
    documented = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    engine_own = {"GRABPIC_ENGINE_THREADS"}
    assert documented - engine_own == read


def test_an_example_that_is_copied_changes_nothing(tmp_path: Path) -> None:
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    names = ("DEBUG", "ALLOWED_HOSTS", "STORAGE_PATH", "SIMILARITY_THRESHOLD", "FACE_ENGINE", "DATABASES", "STORAGES")
    assert settings(*names, **example) == settings(*names)


def test_the_threshold_is_a_number_or_nothing() -> None:
    assert setting("SIMILARITY_THRESHOLD", SIMILARITY_THRESHOLD="") == "None"
    assert setting("SIMILARITY_THRESHOLD", SIMILARITY_THRESHOLD="0.4") == "0.4"


def test_a_database_url_replaces_the_embedded_server() -> None:
    databases = setting("DATABASES", DATABASE_URL="postgresql://me:secret@db.example.org:5433/photos?sslmode=require")
    for part in ("django.db.backends.postgresql", "db.example.org", "5433", "photos", "'sslmode': 'require'"):
        assert part in databases


def test_a_bucket_replaces_the_local_disk() -> None:
    assert "events.storage.LocalStorage" in setting("STORAGES")
    storages = setting("STORAGES", S3_BUCKET="photos", S3_ENDPOINT_URL="https://s3.example.org", S3_REGION="eu-1")
    for part in ("events.s3.S3Storage", "'photos'", "'https://s3.example.org'", "'eu-1'"):
        assert part in storages


def test_the_log_is_for_programs_unless_somebody_looks_on() -> None:
    assert setting("LOG_FORMAT") == "json"
    assert setting("LOG_FORMAT", DEBUG="true") == "text"
    assert setting("LOG_FORMAT", DEBUG="true", LOG_FORMAT="json") == "json"


def test_libraries_never_say_what_they_send() -> None:
    levels = ("LOGGING['root']['level']", "LOGGING['loggers']['faces']['level']")
    assert settings(*levels, LOG_LEVEL="DEBUG") == ["INFO", "DEBUG"]


def test_behind_https_cookies_are_secure() -> None:
    assert setting("SESSION_COOKIE_SECURE", HTTPS="true") == "True"
    assert setting("SECURE_PROXY_SSL_HEADER", HTTPS="true") == "('HTTP_X_FORWARDED_PROTO', 'https')"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MAX_MEGAPIXELS", "abc"),
        ("MAX_UPLOAD_MB", ""),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_URL", "nonsense"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_in_one_line(name: str, value: str) -> None:
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith(f"A setting is wrong: {name}")
    assert "Traceback" not in result.stderr
