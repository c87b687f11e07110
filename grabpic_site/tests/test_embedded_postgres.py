"""Real servers, in folders of their own under /tmp: pytest's own are closed to others at every start of pytest,
and a server that root starts runs as somebody else."""

import multiprocessing
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker, Settings

from grabpic_site.embedded_postgres import server
from grabpic_site.embedded_postgres.account import Account, let_read, let_through
from grabpic_site.embedded_postgres.errors import EmbeddedPostgresError
from grabpic_site.embedded_postgres.processes import Inhabitants
from grabpic_site.embedded_postgres.programs import program

CHECKOUT = Path(__file__).parents[2]
ENSURE_RUNNING = (
    "import sys, pathlib; from grabpic_site.embedded_postgres import server;"
    "server.ensure_running(pathlib.Path(sys.argv[1]))"
)
IS_ROOT = os.geteuid() == 0

Connect = Callable[[Path], BaseDatabaseWrapper]


@contextmanager
def private_folder() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="grabpic-test-")).resolve()
    yield path
    for pid_file in path.rglob("postmaster.pid"):
        server.stop(pid_file.parent)
    shutil.rmtree(path)


@pytest.fixture
def folder() -> Iterator[Path]:
    with private_folder() as path:
        yield path


@pytest.fixture
def data_dir(folder: Path) -> Path:
    """Where a database may come to be."""
    return folder / "postgres"


@pytest.fixture(scope="module")
def shared() -> Iterator[Path]:
    """The data folder of a server that may be looked at, stopped and killed, but not taken apart."""
    with private_folder() as path:
        server.ensure_running(path / "postgres")
        yield path / "postgres"


@pytest.fixture
def running(shared: Path) -> Path:
    server.ensure_running(shared)
    return shared


@pytest.fixture
def stopped(shared: Path) -> Path:
    server.stop(shared)
    return shared


def copy(stopped: Path, data_dir: Path) -> Path:
    data_dir.parent.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", stopped, data_dir], check=True)
    return data_dir


def in_another_process(data_dir: Path, **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE_RUNNING, str(data_dir)],
        cwd=CHECKOUT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def query(data_dir: Path, statement: str) -> list[tuple[object, ...]]:
    address = server.ensure_running(data_dir)
    with psycopg.connect(host=str(address), user="postgres", dbname="postgres", autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def postmaster(data_dir: Path) -> int:
    pid = Inhabitants.of(data_dir).postmaster
    assert pid is not None
    return pid


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not is_postgres(pid))


def is_postgres(pid: int) -> bool:
    path = Path(f"/proc/{pid}/stat")
    return path.exists() and ") Z " not in path.read_text()


def wait_until(condition: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.002)


# Starting


def test_it_listens_on_a_unix_socket_that_only_its_owner_reaches(running: Path) -> None:
    assert server.is_running(running)
    assert query(running, "SHOW listen_addresses") == [("",)]
    assert running.stat().st_mode & 0o777 == 0o700
    assert (running / ".s.PGSQL.5432").stat().st_mode & 0o777 == 0o700


def test_pgvector_is_there_and_builds_an_index_in_parallel(running: Path) -> None:
    query(running, "CREATE EXTENSION vector")
    assert query(running, "SELECT extversion >= '0.8.4' FROM pg_extension WHERE extname = 'vector'") == [(True,)]
    query(running, "CREATE TABLE faces AS SELECT ARRAY[i, 1, 2]::vector(3) AS v FROM generate_series(1, 100) i")
    build = "CREATE INDEX ON faces USING hnsw (v vector_cosine_ops)"
    query(running, f"SET min_parallel_table_scan_size = 0; SET maintenance_work_mem = '128MB'; {build}")


def test_the_machine_s_language_and_postgres_variables_do_not_matter(data_dir: Path) -> None:
    process = in_another_process(data_dir, LC_ALL="xx_XX.latin1", PGPORT="1", PGDATA="/nowhere", PGHOST="nowhere")
    assert process.wait(20) == 0
    assert query(data_dir, "SELECT pg_encoding_to_char(encoding), datlocale FROM pg_database LIMIT 1") == [
        ("UTF8", "C.UTF-8")
    ]


def test_it_keeps_neither_the_output_nor_the_terminal_of_the_process_that_started_it(stopped: Path) -> None:
    process = in_another_process(stopped)
    assert process.communicate(timeout=20) is not None  # ends only when nobody holds the pipes any more
    assert os.getsid(postmaster(stopped)) != os.getsid(0)
    assert server.is_running(stopped)


def test_a_running_server_is_found_without_starting_anything(running: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_bring_up", None)
    assert server.ensure_running(running) == running


def test_several_processes_at_once_start_one_server(data_dir: Path) -> None:
    processes = [in_another_process(data_dir) for _ in range(4)]
    assert [process.wait(30) for process in processes] == [0, 0, 0, 0]
    starts = (data_dir / "log").read_text().count("ready to accept connections")
    assert starts == 1


def test_two_data_folders_have_two_servers(folder: Path, stopped: Path) -> None:
    one, other = (copy(stopped, folder / name / "postgres") for name in ("one", "other"))
    query(one, "CREATE TABLE here ()")
    assert query(other, "SELECT to_regclass('here')") == [(None,)]
    assert postmaster(one) != postmaster(other)


@pytest.mark.parametrize("name", ["a" * 100, "with, comma", "$HOME 'quoted' `x` \\"])
def test_any_path_will_do(folder: Path, stopped: Path, name: str) -> None:
    data_dir = copy(stopped, folder / name / "postgres")
    address = server.ensure_running(data_dir)
    assert query(data_dir, "SELECT 1") == [(1,)]
    assert address.stat().st_mode & 0o777 == 0o700
    if address != data_dir:
        server.stop(data_dir)
        address.rmdir()


def test_a_socket_folder_that_others_may_write_to_is_not_trusted(folder: Path, stopped: Path) -> None:
    data_dir = copy(stopped, folder / ("a" * 100) / "postgres")
    open_to_all = server.socket_dir(data_dir)
    open_to_all.mkdir()
    open_to_all.chmod(0o777)
    with pytest.raises(EmbeddedPostgresError, match="not a private folder"):
        server.ensure_running(data_dir)
    open_to_all.rmdir()


def test_its_log_quotes_no_row_that_was_refused(running: Path) -> None:
    query(running, "CREATE TABLE IF NOT EXISTS people (name text NOT NULL, age int CHECK (age > 0))")
    with pytest.raises(psycopg.errors.CheckViolation):
        query(running, "INSERT INTO people VALUES ('Jane Doe', -1)")
    log = (running / "log").read_text()
    assert 'new row for relation "people" violates check constraint' in log
    assert "Jane Doe" not in log


# Stopping


def test_stop(stopped: Path) -> None:
    assert not server.is_running(stopped)
    assert not server.stop(stopped)
    server.ensure_running(stopped)
    assert server.stop(stopped)
    assert not server.is_running(stopped)


def test_there_is_nothing_to_stop_in_a_new_checkout(data_dir: Path) -> None:
    assert not server.is_running(data_dir)
    assert not server.stop(data_dir)


# After a crash


def test_after_a_kill_the_next_call_recovers_what_was_committed(running: Path) -> None:
    query(running, "CREATE TABLE kept AS SELECT 42 AS answer")
    kill(postmaster(running))
    assert not server.is_running(running)
    assert query(running, "SELECT answer FROM kept") == [(42,)]
    assert "automatic recovery in progress" in (running / "log").read_text()


def test_a_backend_that_outlives_the_server_does_not_stop_the_next(running: Path) -> None:
    address = server.ensure_running(running)
    with psycopg.connect(host=str(address), user="postgres", dbname="postgres") as connection:
        connection.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 100000000000)")
        wait_until(lambda: query(running, "SELECT 1 FROM pg_stat_activity WHERE query LIKE '%series(1, 1%'"))
        kill(postmaster(running))
        assert query(running, "SELECT 1") == [(1,)]
        connection.close()


@pytest.fixture
def stranger(stopped: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A living process of the server's user that has nothing to do with it."""
    process = subprocess.Popen(["sleep", "60"], user=stopped.stat().st_uid if IS_ROOT else None)
    yield process
    assert process.poll() is None
    process.kill()
    process.wait()


@pytest.mark.parametrize("content", ["", "{pid}\n", "{pid}\n{data_dir}\n1\n5432\n{data_dir}\n\n1 1\nready\n"])
def test_a_stale_pid_file_does_not_matter_whomever_it_names(
    stopped: Path, stranger: subprocess.Popen[bytes], content: str
) -> None:
    for name in ("postmaster.pid", ".s.PGSQL.5432.lock"):
        (stopped / name).write_text(content.format(pid=stranger.pid, data_dir=stopped))
    assert not server.stop(stopped)
    assert query(stopped, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("moment", [".postgres.new-*/global", "postgres", "postgres/postmaster.pid"])
def test_the_starting_process_may_be_killed_at_any_moment(folder: Path, data_dir: Path, moment: str) -> None:
    (folder / ".postgres.new-earlier/pg_wal").mkdir(parents=True)  # as a killed initdb leaves it
    process = in_another_process(data_dir)
    wait_until(lambda: list(folder.glob(moment)))
    process.kill()
    process.wait()
    assert query(data_dir, "SELECT 1") == [(1,)]
    assert list(folder.glob(".postgres.new-*")) == []


def test_a_folder_deleted_under_its_server_is_made_anew(stopped: Path) -> None:
    server.ensure_running(stopped)
    old = postmaster(stopped)
    shutil.rmtree(stopped)
    assert query(stopped, "SELECT 1") == [(1,)]
    assert not is_postgres(old)  # nobody could ever reach or stop it again


def test_a_copy_that_is_readable_for_all_is_closed_again(stopped: Path) -> None:
    stopped.chmod(0o755)
    server.ensure_running(stopped)
    assert stopped.stat().st_mode & 0o777 == 0o700


# Failing


def test_a_server_that_cannot_start_is_explained_by_the_end_of_its_log(stopped: Path, data_dir: Path) -> None:
    copy(stopped, data_dir)
    (data_dir / "postgresql.conf").write_text("no_such_setting = 1\n")
    with pytest.raises(EmbeddedPostgresError, match=r"(?s)no_such_setting.*DATABASE_URL"):
        server.ensure_running(data_dir)


def test_a_folder_with_other_things_in_it_is_left_alone(data_dir: Path) -> None:
    data_dir.mkdir()
    (data_dir / "thesis.txt").write_text("all of it")
    with pytest.raises(EmbeddedPostgresError, match="not empty"):
        server.ensure_running(data_dir)
    assert (data_dir / "thesis.txt").read_text() == "all of it"


# Users


@pytest.mark.skipif(not IS_ROOT, reason="every other test runs as an ordinary user already")
def test_an_ordinary_user_and_then_root_use_the_same_server(data_dir: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(data_dir.parent, nobody.pw_uid, nobody.pw_gid)
    process = multiprocessing.get_context("fork").Process(target=_start_as, args=(nobody, data_dir))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert data_dir.stat().st_uid == nobody.pw_uid
    assert query(data_dir, "SELECT 1") == [(1,)]
    assert server.stop(data_dir)
    server.ensure_running(data_dir)
    assert data_dir.stat().st_uid == nobody.pw_uid


def _start_as(user: pwd.struct_passwd, data_dir: Path) -> None:
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    query(data_dir, "SELECT 1")


@pytest.mark.skipif(not IS_ROOT, reason="only root can become somebody else")
def test_a_user_is_told_that_the_database_belongs_to_another(data_dir: Path) -> None:
    data_dir.mkdir(mode=0o700)
    data_dir.parent.chmod(0o777)
    process = multiprocessing.get_context("fork").Process(target=_fail_as, args=(pwd.getpwnam("nobody"), data_dir))
    process.start()
    process.join()
    assert process.exitcode == 0


def _fail_as(user: pwd.struct_passwd, data_dir: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="belongs to another user"):
        _start_as(user, data_dir)


@pytest.mark.skipif(not IS_ROOT, reason="only root needs another account")
def test_root_runs_it_as_somebody_else_in_a_private_checkout(folder: Path) -> None:
    folder.chmod(0o700)
    server.ensure_running(folder / "var/postgres")
    assert (folder / "var/postgres").stat().st_uid == pwd.getpwnam("pgserver").pw_uid
    assert folder.stat().st_mode & 0o777 == 0o701  # to pass through, not to list


def test_only_what_is_missing_is_granted(folder: Path) -> None:
    stranger = Account(uid=os.geteuid() + 4321, gid=os.getegid() + 4321)
    tree = folder / "bin"
    tree.mkdir(mode=0o700)
    for name, mode in {"postgres": 0o700, "data": 0o600}.items():
        (tree / name).touch(mode=mode)
    let_through(stranger, tree)
    let_read(stranger, tree, folder / "missing")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, tree, *tree.iterdir())}
    assert modes == {folder.name: 0o701, "bin": 0o705, "postgres": 0o705, "data": 0o604}


# Django


@pytest.fixture
def connect(settings: Settings, django_db_blocker: DjangoDbBlocker) -> Iterator[Connect]:
    """Django's connection to the embedded server of a data folder."""
    handler = ConnectionHandler({"default": {"ENGINE": "grabpic_site.embedded_postgres", "NAME": "grabpic"}})

    def connect(data_dir: Path) -> BaseDatabaseWrapper:
        settings.EMBEDDED_POSTGRES_DIR = data_dir
        return handler["default"]

    with django_db_blocker.unblock():
        yield connect
        handler.close_all()


def django_query(connection: BaseDatabaseWrapper, statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchone()


def test_the_first_connection_of_all_starts_the_server_and_makes_the_database(connect: Connect, stopped: Path) -> None:
    assert django_query(connect(stopped), "SELECT current_database()") == ("grabpic",)


def test_a_new_connection_after_a_crash_is_served(connect: Connect, stopped: Path) -> None:
    connection = connect(stopped)
    django_query(connection, "SELECT 1")
    kill(postmaster(stopped))
    with pytest.raises(OperationalError):
        django_query(connection, "SELECT 1")
    connection.close()
    assert django_query(connection, "SELECT 1") == (1,)


def test_a_crash_of_a_part_of_the_server_is_waited_out(connect: Connect, stopped: Path) -> None:
    django_query(connect(stopped), "SELECT 1")
    connect(stopped).close()
    ((pid,),) = query(stopped, "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
    os.kill(int(str(pid)), signal.SIGKILL)  # the server sends everybody away and recovers
    assert django_query(connect(stopped), "SELECT 1") == (1,)


def test_a_server_that_cannot_start_is_an_operational_error_to_django(connect: Connect, data_dir: Path) -> None:
    data_dir.write_text("not a folder")
    with pytest.raises(OperationalError, match="DATABASE_URL"):
        connect(data_dir).ensure_connection()


def test_dbshell_runs_the_psql_that_came_with_the_server(connect: Connect, running: Path) -> None:
    connection = connect(running)
    arguments, _ = connection.client.settings_to_cmd_args_env(connection.settings_dict, ["-c", "SELECT 1"])
    assert arguments[0] == str(program("psql"))
    assert arguments[1:] == ["-U", "postgres", "-h", str(running), "-p", "5432", "-c", "SELECT 1", "grabpic"]


def test_the_command_starts_looks_and_stops(
    stopped: Path, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.EMBEDDED_POSTGRES_DIR = stopped
    for action in ("status", "start", "status", "stop", "stop"):
        call_command("embedded_postgres", action)
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"PostgreSQL in {stopped} does not run",
        f"PostgreSQL runs; its socket is in {stopped}",
        f"PostgreSQL in {stopped} runs",
        "PostgreSQL stopped",
        "PostgreSQL was not running",
    ]


def test_the_command_reports_a_failure_without_a_traceback(data_dir: Path, settings: Settings) -> None:
    settings.EMBEDDED_POSTGRES_DIR = data_dir
    data_dir.write_text("not a folder")
    with pytest.raises(CommandError, match="DATABASE_URL"):
        call_command("embedded_postgres", "start")
