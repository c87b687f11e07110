"""Whether all that the site needs works."""

from __future__ import annotations

from threading import Event as Signal
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection, connections

from grabpic_site import readiness
from grabpic_site.embedded_postgres import server
from grabpic_site.readiness import FAILS, NO_ANSWER, Finding, Readiness
from grabpic_site.tests.test_embedded_postgres import kill, postmaster, private_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from django.test import Client
    from pytest_django import DjangoDbBlocker
    from pytest_django.fixtures import Settings

READY = "/api/v1/health/ready"
WELL = Finding(True, "Fine.")


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that has the site look anew, with some of its checks replaced."""

    def look_anew(**checks: Callable[[], Finding]) -> None:
        monkeypatch.setattr(readiness, "SITE", Readiness({**readiness.CHECKS, **checks}))

    return look_anew


@pytest.fixture
def fake_engine(settings: Settings) -> None:
    settings.FACE_ENGINE = "fake"


def ask(client: Client) -> tuple[int, dict[str, Any]]:
    response = client.get(READY)
    return response.status_code, response.json()


@pytest.mark.django_db
def test_all_works(client: Client, site: Callable[..., None], fake_engine: None) -> None:
    site(queue=lambda: WELL)
    status, answer = ask(client)
    assert (status, answer["status"]) == (200, "ready")
    assert list(answer["checks"]) == ["database", "pgvector", "storage", "queue", "engine"]
    assert answer["checks"]["pgvector"]["detail"].startswith("pgvector 0.")
    assert answer["checks"]["engine"] == {"ok": True, "detail": "fake is loaded."}


@pytest.mark.django_db
@pytest.mark.usefixtures("dead_s3", "fake_engine")
def test_a_dead_storage(client: Client, site: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    site(queue=lambda: WELL)
    status, answer = ask(client)
    assert (status, answer["code"], answer["detail"]) == (503, "not_ready", "Not ready: storage.")
    assert answer["checks"]["storage"] == {"ok": False, "detail": FAILS.detail}
    assert "Could not connect" in caplog.text
    assert "127.0.0.1" not in str(answer)


@pytest.mark.django_db
def test_an_engine_that_cannot_be_loaded(client: Client, site: Callable[..., None], settings: Settings) -> None:
    settings.FACE_ENGINE = "crystal-ball"
    site(queue=lambda: WELL)
    status, answer = ask(client)
    assert (status, answer["detail"]) == (503, "Not ready: engine.")
    assert "crystal-ball" not in str(answer)


def test_what_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "PATIENCE", 0.3)
    monkeypatch.setattr(readiness, "FRESH", 0)
    asked, go_on = [], Signal()

    def hang() -> Finding:
        asked.append(1)
        go_on.wait(10)
        return WELL

    looking = Readiness({"storage": hang, "engine": lambda: WELL})
    assert looking.findings() == {"storage": NO_ANSWER, "engine": WELL}
    assert looking.findings() == {"storage": NO_ANSWER, "engine": WELL}
    assert len(asked) == 1, "what hangs is not asked again"
    go_on.set()
    assert looking._under_way["storage"].result(10) == WELL
    assert looking.findings()["storage"] == WELL


def test_an_answer_is_good_for_some_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def count() -> Finding:
        asked.append(1)
        return WELL

    looking = Readiness({"database": count})
    for _ in range(5):
        looking.findings()
    assert len(asked) == 1
    monkeypatch.setattr(readiness, "FRESH", 0)
    looking.findings()
    assert len(asked) == 2


def test_nobody_waits_while_somebody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    looking = Readiness({"database": lambda: WELL})
    before = looking.findings()
    monkeypatch.setattr(readiness, "FRESH", 0)
    with looking._looking:
        assert looking.findings() is before


@pytest.mark.django_db
class TestQueue:
    def test_no_worker(self, empty_queue: None, start_worker: Callable[..., None]) -> None:
        start_worker(seconds_silent=60)
        found = readiness.queue()
        assert not found.ok
        assert found.detail == "No worker has been seen for 20 s: start one. Jobs that wait: 0."

    def test_a_worker(self, empty_queue: None, start_worker: Callable[..., None]) -> None:
        start_worker()
        assert readiness.queue() == Finding(True, "Workers: 1. Jobs that wait: 0.")


def test_what_fails_unforeseen_has_its_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> Finding:
        raise RuntimeError("a bug")

    assert Readiness({"queue": fail}).findings() == {"queue": FAILS}
    assert "RuntimeError: a bug" in caplog.text


@pytest.fixture
def database_of_its_own(monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker) -> Iterator[Path]:
    """The data folder of a server that new connections lead to, as to one that is not ours."""
    with private_folder() as folder, django_db_blocker.unblock():
        socket = server.ensure_running(folder / "postgres")
        address = {"HOST": str(socket), "PORT": server.PORT, "USER": server.SUPERUSER, "NAME": "postgres"}
        own = {**connections.settings["default"], **address, "ENGINE": "django.db.backends.postgresql"}
        monkeypatch.setitem(connections.settings, "default", own)
        yield folder / "postgres"


def test_a_database_that_is_killed(
    client: Client, database_of_its_own: Path, fake_engine: None, site: Callable[..., None]
) -> None:
    others = {"pgvector": lambda: WELL, "queue": lambda: WELL}
    site(**others)
    assert ask(client)[0] == 200
    kill(postmaster(database_of_its_own))
    site(**others)
    status, answer = ask(client)
    assert (status, answer["detail"]) == (503, "Not ready: database.")
    assert answer["checks"]["database"] == {"ok": False, "detail": FAILS.detail}
    server.ensure_running(database_of_its_own)
    site(**others)
    assert ask(client)[0] == 200


@pytest.mark.django_db
def test_no_pgvector() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP EXTENSION vector CASCADE")
    assert readiness.pgvector() == Finding(False, "The database has no pgvector: run `manage.py migrate`.")


class TestStorage:
    def test_a_full_disk(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 50_000_000}))
        with pytest.raises(OSError, match="No space left"):
            readiness.storage()

    def test_a_disk_that_takes_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.access", lambda path, mode: False)
        with pytest.raises(PermissionError):
            readiness.storage()

    def test_a_bucket(self, s3: str) -> None:
        assert readiness.storage().ok
        default_storage.bucket.delete()  # type: ignore[attr-defined]
        with pytest.raises(OSError, match="No such file"):
            readiness.storage()
