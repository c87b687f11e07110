"""The process that uploads: `manage.py ingest … --add-only`, to be held up, killed and started again."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import threading
from typing import IO, TYPE_CHECKING

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType
    from typing import Self

ACKNOWLEDGED = {"added", "known already"}
"""What the command says of a file, behind its path, once it is safe."""


class Uploader:
    """Uploads the photos into the event; `allowed` says after how many it is held up.

    `acknowledged` are the paths of those that it said to be in.
    """

    def __init__(self, slug: str, photos: Sequence[Path]) -> None:
        self.acknowledged: set[str] = set()
        self.allowed = math.inf
        manage = str(settings.BASE_DIR / "manage.py")
        options = ["--add-only", "--verbosity", "2"]
        self._command = [sys.executable, manage, "ingest", slug, *map(str, photos), *options]

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.kill()

    @property
    def is_done(self) -> bool:
        """Whether it has gone through all the photos."""
        return self._process.poll() == 0

    @property
    def is_held_up(self) -> bool:
        return len(self.acknowledged) >= self.allowed

    def tend(self) -> None:
        """Hold it up where it must not go on, and start it again if it died; to be called often."""
        if self._process.poll():
            self._reader.join()
            self._start()
        self._process.send_signal(signal.SIGSTOP if self.is_held_up else signal.SIGCONT)

    def kill(self) -> None:
        """End it without a warning, and take down what it still had said."""
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _start(self) -> None:
        self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, args=[self._process.stdout], daemon=True)
        self._reader.start()

    def _read(self, lines: IO[str]) -> None:
        for line in lines:
            path, _, outcome = line.rstrip("\n").rpartition(": ")
            if outcome in ACKNOWLEDGED:
                self.acknowledged.add(path)
