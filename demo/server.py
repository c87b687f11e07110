"""The demo's own web server, gunicorn on 127.0.0.1, and its own worker; gone when the demo is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.conf import settings

from demo.visitor import Site, VisitError
from faces import progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HOST = "127.0.0.1"
PATIENCE = 60
"""Seconds for a program to be ready."""

GRACE = 10
"""Seconds for a program to end by itself."""


WEB = {"HTTPS": "false", "ALLOWED_HOSTS": f"{HOST},localhost"}
"""What the demo's server needs whatever .env says: plain HTTP on this machine's own address."""


class ServerError(Exception):
    """A program of the demo does not run; the message says what to do."""


class Program(ABC):
    """A program that runs beside the demo; its output goes to `log`."""

    title = "The program"

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self.process, self.log = process, log

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while (problem := self._problem()) is not None:
            if self.process.poll() is not None:
                raise ServerError(f"{self.title} did not start. {self._end_of_log()}")
            if time.monotonic() > deadline:
                raise ServerError(f"{self.title} is not ready after {PATIENCE} s: {problem}. {self._end_of_log()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """End the program: kindly, and after a while by force."""
        self.process.terminate()
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @abstractmethod
    def _problem(self) -> str | None:
        """Return why the program is not ready yet."""

    def _end_of_log(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(["The end of its log:", *lines])


class Server(Program):
    """A running gunicorn."""

    title = "The web server"

    def __init__(self, process: subprocess.Popen[bytes], site: Site, log: Path) -> None:
        super().__init__(process, log)
        self.site = site

    def wait(self) -> None:
        """Return never, as long as the server runs; ServerError when it ends."""
        code = self.process.wait()
        raise ServerError(f"The web server ended (exit code {code}). {self._end_of_log()}")

    def _problem(self) -> str | None:
        try:
            answer = self.site.get("/api/v1/health")
        except VisitError as error:
            return str(error)
        return None if answer.status == 200 else f"/api/v1/health answers {answer.status}"


class Worker(Program):
    """A running `manage.py worker`."""

    title = "The worker"

    def _problem(self) -> str | None:
        return None if progress.workers_alive() else "it has not signed in"


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
    config = settings.BASE_DIR / "grabpic_site" / "gunicorn_conf.py"
    process = _start(log, "-m", "gunicorn", "--config", str(config), "--bind", f"{HOST}:{port}", environment=WEB)
    server = Server(process, Site(port, HOST), log)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()


@contextmanager
def working(log: Path) -> Iterator[Worker]:
    """Run one worker process, not yet ready, and end it whatever happens."""
    worker = Worker(_start(log, "manage.py", "worker", "--processes", "1"), log)
    try:
        yield worker
    finally:
        worker.stop()


def _start(log: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches the demo alone, which then ends the program.
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=settings.BASE_DIR,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
