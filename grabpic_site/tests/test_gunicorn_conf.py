"""What a web process does before its first selfie."""

from __future__ import annotations

import socket
import struct
from types import SimpleNamespace
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


def test_ends_connections_that_stall() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        gunicorn_conf.when_ready(SimpleNamespace(LISTENERS=[listener]))
        with socket.create_connection(listener.getsockname()), listener.accept()[0] as accepted:
            patience = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.calcsize("ll"))
    assert struct.unpack("ll", patience) == (gunicorn_conf.STALLED, 0)
