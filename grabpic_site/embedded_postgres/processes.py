"""Which processes live in a data folder. Looks at every process: for when nobody answers."""

import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Inhabitants:
    """The pids of the PostgreSQL processes in a data folder: the postmaster, and the others."""

    postmaster: int | None
    others: frozenset[int]

    @classmethod
    def of(cls, data_dir: Path) -> "Inhabitants":
        """Known by their working folder, which is the data folder for as long as they live.

        The pid in postmaster.pid proves nothing by itself: after a crash it may be anybody's. A folder
        deleted under a running server keeps its inhabitants too; the new folder's postmaster.pid does not
        name them.
        """
        pids = {
            process.pid
            for process in psutil.process_iter(["name", "cwd"])
            if process.info["name"] == "postgres" and process.info["cwd"] == str(data_dir)
        }
        recorded = _recorded_pid(data_dir)
        return cls(recorded if recorded in pids else None, frozenset(pids - {recorded}))

    def expel(self) -> None:
        """Have the others quit at once: backends of a postmaster that is gone, or of a folder that is.

        They would leave by themselves, but one in a long computation only after it, and no server starts
        before.
        """
        for pid in self.others:
            send(pid, signal.SIGQUIT)


def _recorded_pid(data_dir: Path) -> int | None:
    try:
        first_line = (data_dir / "postmaster.pid").read_text().partition("\n")[0]
    except FileNotFoundError:
        return None
    return int(first_line) if first_line.isdecimal() else None


def send(pid: int, number: signal.Signals) -> None:
    with suppress(psutil.NoSuchProcess):
        psutil.Process(pid).send_signal(number)
