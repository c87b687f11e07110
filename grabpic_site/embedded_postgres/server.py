"""Start, stop and look at the PostgreSQL server of a data folder. Knows nothing of Django.

Access control is the file system's: there is no TCP port and no password, only a unix socket in a folder of
mode 0700 that belongs to the account the server runs as. Whoever may enter that folder is the database's
superuser.
"""

import fcntl
import hashlib
import os
import shlex
import shutil
import signal
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg import pq, sql
from psycopg.conninfo import make_conninfo

from grabpic_site.embedded_postgres.account import Account, let_read, let_through, server_account
from grabpic_site.embedded_postgres.errors import ADVICE, EmbeddedPostgresError
from grabpic_site.embedded_postgres.processes import Inhabitants, send
from grabpic_site.embedded_postgres.programs import installation, log_tail, run

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
    # Parallel queries share memory; that of POSIX is /dev/shm, 64 MB in a container.
    "dynamic_shared_memory_type": "sysv" if sys.platform == "linux" else "posix",
    "log_checkpoints": "off",
    # Neither the row that was refused nor the statement: there are names and vectors in both.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}


def ensure_running(data_dir: Path) -> Path:
    """The folder with the socket of the server of `data_dir`, started (and created) if it does not answer.

    Any number of processes may call this at once. When the server answers it costs a few milliseconds and
    starts no process. Otherwise it returns as soon as the server accepts connections, crash recovery included.

    Raises EmbeddedPostgresError, with the end of the server's log, when that takes more than `PATIENCE` s.
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
    return _is_private(folder, data_dir) and pq.PGconn.ping(_conninfo(folder).encode()) == pq.Ping.OK


def stop(data_dir: Path) -> bool:
    """Stop the server of `data_dir`, disconnecting everybody; whether there was one.

    Raises EmbeddedPostgresError when it does not stop within `PATIENCE` s.
    """
    data_dir = data_dir.resolve()
    if not data_dir.exists():
        return False
    with _failures_explained(data_dir), _locked(data_dir):
        postmaster = Inhabitants.of(data_dir).postmaster
        if postmaster is not None:
            send(postmaster, signal.SIGINT)  # a fast shutdown: roll back, disconnect, write a checkpoint
            _wait_until_gone(postmaster, data_dir)
    return postmaster is not None


def ensure_database(data_dir: Path, name: str) -> None:
    """Create the database `name` on the running server of `data_dir`, if it is missing."""
    with psycopg.connect(_conninfo(socket_dir(data_dir.resolve())), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
            return
        # Another process may be faster; either error says so.
        with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def socket_dir(data_dir: Path) -> Path:
    """The folder of the server's socket: the data folder, unless its path will not do for an address.

    The other place is /tmp and not $TMPDIR, because every process of the site has to arrive at the same one.
    """
    address = os.fsencode(data_dir / f".s.PGSQL.{PORT}")
    has_comma = b"," in address  # which libpq would read as the end of one host and the start of another
    if len(address) <= LONGEST_SOCKET_PATH and not has_comma:
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path("/tmp") / f"grabpic-postgres-{digest}"  # noqa: S108 (_is_private looks at what is there)


def _conninfo(folder: Path) -> str:
    return make_conninfo(host=str(folder), port=PORT, user=SUPERUSER, dbname="postgres", connect_timeout=10)


def _is_private(folder: Path, data_dir: Path) -> bool:
    """Whether only the owner of `data_dir` can have put a socket into `folder`, or may open one there."""
    try:
        info, owner = folder.lstat(), data_dir.stat().st_uid
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return False
    return stat.S_ISDIR(info.st_mode) and not info.st_mode & 0o077 and info.st_uid == owner


@contextmanager
def _locked(data_dir: Path) -> Iterator[int]:
    """One process at a time may create, start or stop. The kernel frees the lock when its holders die."""
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
            f"{error}\nPerhaps {data_dir} belongs to another user: run Grabpic as that user. {ADVICE}"
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
            _wait_for(inhabitants)
        elif not (data_dir / "PG_VERSION").exists():
            _create(data_dir, account, lock)
        else:
            _start(data_dir, account)


def _wait_for(inhabitants: Inhabitants) -> None:
    """A postmaster is starting, recovering or leaving; without one, the others have no business here."""
    if inhabitants.postmaster is None:
        inhabitants.expel()
    time.sleep(0.05)


def _wait_until_gone(postmaster: int, data_dir: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while Inhabitants.of(data_dir).postmaster == postmaster:
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(f"PostgreSQL (process {postmaster}) does not stop.\n{log_tail(data_dir)}")
        time.sleep(0.05)


def _not_answering(data_dir: Path, inhabitants: Inhabitants) -> EmbeddedPostgresError:
    return EmbeddedPostgresError(
        f"PostgreSQL in {data_dir} (process {inhabitants.postmaster}) does not accept connections in "
        f"{socket_dir(data_dir)} after {PATIENCE} s.\n{log_tail(data_dir)}\n"
        f"Try `python manage.py embedded_postgres stop`. {ADVICE}"
    )


def _create(data_dir: Path, account: Account | None, lock: int) -> None:
    """Make the cluster beside its place and move it there when it is whole, as initdb may be killed.

    initdb inherits the lock: when only its caller was killed, the next one waits for it to end before
    clearing up behind it.
    """
    if data_dir.exists() and any(data_dir.iterdir()):
        raise EmbeddedPostgresError(f"{data_dir} is not empty, and not a database either: move it away. {ADVICE}")
    prefix = f".{data_dir.name}.new-"
    for leftover in data_dir.parent.glob(f"{prefix}*"):
        shutil.rmtree(leftover)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=data_dir.parent))
    if account is not None:
        os.chown(folder, account.uid, account.gid)
        _open_the_way(account, folder)
    # The same everywhere, whatever the machine's LANG: a locale built into PostgreSQL.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    arguments = [*locale, "--auth=trust", f"--username={SUPERUSER}"]
    run("initdb", *arguments, data_dir=folder, account=account, pass_fds=[lock])
    folder.rename(data_dir)


def _start(data_dir: Path, account: Account | None) -> None:
    """To be called when nobody lives in `data_dir`, with the lock held."""
    folder = socket_dir(data_dir)
    data_dir.chmod(0o700)  # a copied one may be open to all: PostgreSQL refuses that, and we rely on it
    if account is not None:
        _open_the_way(account, data_dir)
    if folder != data_dir:
        _make_private(folder, data_dir)
    # What a dead server left says nothing, yet PostgreSQL would refuse to start when the pid in there is
    # somebody else's by now, or when the file is empty.
    (data_dir / "postmaster.pid").unlink(missing_ok=True)
    (folder / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
    settings = {**SETTINGS, "unix_socket_directories": f'"{folder}"'}
    options = " ".join(shlex.quote(f"--{name}={value}") for name, value in settings.items())
    arguments = ["start", "--wait", f"--timeout={PATIENCE}", "--log=log", f"--options={options}"]
    run("pg_ctl", *arguments, data_dir=data_dir, account=account)


def _open_the_way(account: Account, folder: Path) -> None:
    """Let `account` reach `folder` and the programs, which may lie in a checkout that is private to root."""
    programs = installation()
    let_through(account, folder)
    let_through(account, programs)
    libraries = programs.parent.with_name(f"{programs.parent.name}.libs")
    let_read(account, programs, libraries)


def _make_private(folder: Path, data_dir: Path) -> None:
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        owner = data_dir.stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
    if not _is_private(folder, data_dir):
        raise EmbeddedPostgresError(f"{folder} is not a private folder of the database's user: remove it.")
