"""What a web process does before its first selfie."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks import web
from faces import engine
from grabpic_site import gunicorn_conf
from grabpic_site.gunicorn_conf import warm_up

if TYPE_CHECKING:
    import pytest
    from pytest_django.fixtures import Settings


def test_loads_the_engine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    built: dict[str, engine.FaceEngine] = {}
    monkeypatch.setattr(engine, "_engines", built)
    settings.FACE_ENGINE = "fake"
    warm_up()
    assert set(built) == {"fake"}


def test_serves_without_an_engine(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    settings.FACE_ENGINE = "crystal-ball"
    warm_up()
    assert "There is no face engine 'crystal-ball'" in caplog.text


def test_the_benchmark_keeps_every_thread_busy() -> None:
    assert gunicorn_conf.workers * gunicorn_conf.threads == web.CLIENTS
