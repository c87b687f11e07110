from __future__ import annotations

import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import psutil
import pytest

from demo import server
from demo.server import Server, ServerError, check_port_is_free, free_port, running
from demo.visitor import Site

if TYPE_CHECKING:
    from pathlib import Path


def test_a_taken_port_is_refused_with_advice() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]

        with pytest.raises(ServerError, match=f"make demo PORT={port + 1}"):
            check_port_is_free(port)


def test_a_free_port_is_fine() -> None:
    check_port_is_free(free_port())


def test_the_server_runs_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with running(free_port(), tmp_path / "demo" / "server.log") as web:
        assert web.site.get("/api/v1/health").json() == {"status": "ok"}
        family = [web.process.pid, *(child.pid for child in psutil.Process(web.process.pid).children())]

    assert len(family) == 2
    assert not any(psutil.pid_exists(pid) for pid in family)


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    web = _process("print('no such thing'); raise SystemExit(3)", tmp_path, free_port())
    web.process.wait()

    with pytest.raises(ServerError, match=r"did not start(.|\n)*no such thing"):
        web.wait_until_ready()
    with pytest.raises(ServerError, match="exit code 3"):
        web.wait()


def test_a_server_that_never_answers_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "PATIENCE", 0.2)
    web = _process("import time; time.sleep(60)", tmp_path, free_port())

    with pytest.raises(ServerError, match="The web server is not ready"):
        web.wait_until_ready()
    web.stop()


def test_a_server_that_ignores_the_request_to_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE", 0.2)
    deaf = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
    )
    web = _process(deaf, tmp_path, free_port())
    while "deaf" not in web.log.read_text():
        assert web.process.poll() is None

    web.stop()

    assert web.process.returncode == -9


def _process(program: str, folder: Path, port: int) -> Server:
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([sys.executable, "-c", program], stdout=output, stderr=output)
    return Server(process, Site(port), log)
