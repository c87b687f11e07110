"""A process that hangs on a photo ends."""

from __future__ import annotations

import subprocess
import sys

from django.conf import settings

PROGRAM = """
import time
from faces import watchdog
watchdog.PATIENCE = 0.5
with watchdog.watched(lambda: False) as stop:
    for _ in range(4):
        stop()
        time.sleep(0.2)
time.sleep(0.8)
print("worked for longer than that, and idled", flush=True)
with watchdog.watched(lambda: False) as stop:
    stop()
    time.sleep(30)
"""


def test_it_ends_with_a_traceback_and_neither_long_work_nor_idling_does() -> None:
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=settings.BASE_DIR, capture_output=True, text=True, check=False, timeout=20
    )
    assert run.stdout == "worked for longer than that, and idled\n"
    assert run.returncode == 1
    assert "Timeout" in run.stderr
    assert "line 13 in <module>" in run.stderr
