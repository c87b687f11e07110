"""The demo's own web server: gunicorn on 127.0.0.1, gone when the demo is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

from demo.visitor import Site, VisitError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 60
"""Seconds for the server to answer."""

GRACE = 10
"""Seconds for the server to end by itself."""


class ServerError(Exception):
    """The web server does not run; the message says what to do."""


class Server:
    """A running gunicorn."""

    def __init__(self, process: subprocess.Popen[bytes], site: Site, log: Path) -> None:
        self.process, self.site, self.log = process, site, log

    def wait(self) -> None:
        """Return never, as long as the server runs; ServerError when it ends."""
        code = self.process.wait()
        raise ServerError(f"The web server ended (exit code {code}). {self._end_of_log()}")

    def wait_until_healthy(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (problem := self._problem()) is not None:
            if self.process.poll() is not None:
                raise ServerError(f"The web server did not start. {self._end_of_log()}")
            if time.monotonic() > deadline:
                raise ServerError(f"The web server does not answer after {PATIENCE} s: {problem}. {self._end_of_log()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the server: kindly, and after a while by force."""
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def _problem(self) -> str | None:
        try:
            answer = self.site.get("/api/v1/health")
        except VisitError as error:
            return str(error)
        return None if answer.status == 200 else f"/api/v1/health answers {answer.status}"

    def _end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(["The end of its log:", *lines])


def check_port_is_free(port: int) -> None:
    """Raise ServerError when something listens on the port already."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = error.strerror or str(error)
            raise ServerError(
                f"Port {port} of {HOST} cannot be used ({reason}). Choose another one: `make demo PORT={port + 1}`."
            ) from error


def free_port() -> int:
    """Return a port that nobody uses at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(port: int, log: Path) -> Iterator[Server]:
    """Run the web server, and end it whatever happens.

    Raises:
        ServerError: it does not answer within `PATIENCE` seconds.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        process = _start(port, output.fileno())
    server = Server(process, Site(port, HOST), log)
    try:
        server.wait_until_healthy()
        yield server
    finally:
        server.stop()


def _start(port: int, output: int) -> subprocess.Popen[bytes]:
    config = settings.BASE_DIR / "grabpic_site" / "gunicorn_conf.py"
    command = [sys.executable, "-m", "gunicorn", "--config", str(config), "--bind", f"{HOST}:{port}"]
    # A session of its own: Ctrl-C reaches the demo alone, which then ends the server.
    return subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env={**os.environ, **_environment()},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )


def _environment() -> dict[str, str]:
    """Return what the demo's server needs whatever .env says: plain HTTP on this machine's own address."""
    return {"HTTPS": "false", "ALLOWED_HOSTS": f"{HOST},localhost", "PYTHONUNBUFFERED": "1"}
