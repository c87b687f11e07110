"""Who runs the server when the caller is root: PostgreSQL refuses to run as uid 0."""

import logging
import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from grabpic_site.embedded_postgres.errors import EmbeddedPostgresError

SYSTEM_USER = "pgserver"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Account:
    uid: int
    gid: int

    def bits_for(self, path: Path, rwx: int) -> int:
        """The mode bits that grant this account `rwx` (as in 0o5) on `path`."""
        info = path.stat()
        if info.st_uid == self.uid:
            return rwx << 6
        return rwx << 3 if info.st_gid == self.gid else rwx


def server_account(data_dir: Path) -> Account | None:
    """The account to run the server of `data_dir` as; None is the caller's own.

    Only root gets another: the owner of an existing data folder, so that `sudo manage.py …` in an ordinary
    user's checkout leaves that user's database alone, else the system user `pgserver`, which is created when
    missing.

    Raises EmbeddedPostgresError when that user cannot be created.
    """
    if os.geteuid() != 0:
        return None
    if data_dir.exists() and (info := data_dir.stat()).st_uid != 0:
        return Account(info.st_uid, info.st_gid)
    return _system_account()


def _system_account() -> Account:
    failure = ""
    for _ in range(5):
        try:
            entry = pwd.getpwnam(SYSTEM_USER)
        except KeyError:
            failure = _add_system_user()
            time.sleep(0.1)  # another checkout may hold the lock of /etc/passwd, or be adding the very same user
        else:
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError(
        f"PostgreSQL does not run as root, and no system user {SYSTEM_USER!r} could be created: {failure}\n"
        "Create it by hand, run Grabpic as an ordinary user, or set DATABASE_URL to a PostgreSQL of your own."
    )


def _add_system_user() -> str:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if useradd is None:
        return "there is no `useradd`"
    command = [
        useradd,
        "--system",
        "--user-group",
        "--no-create-home",
        "--shell",
        "/usr/sbin/nologin",
        SYSTEM_USER,
    ]
    return subprocess.run(command, check=False, capture_output=True, text=True).stderr.strip()


def let_through(account: Account, target: Path) -> None:
    """Let `account` pass through the folders above `target`: adds the execute bit only, never the read bit.

    Opening a folder is worth a warning: a clone in a private folder (`mktemp -d`) is no longer quite as
    private.
    """
    for folder in target.parents:
        if _grant(account, folder, 0o1):
            logger.warning("Let the database's user pass through %s (execute bit; it stays unlistable)", folder)


def let_read(account: Account, *trees: Path) -> None:
    """Let `account` read and run what lies in `trees`, where it may not (a checkout under umask 077)."""
    changed = [path for tree in trees for path in _walk(tree) if _grant(account, path, _reading(path))]
    if changed:
        logger.warning("Let the database's user read PostgreSQL's programs in %s", trees[0].parent)


def _walk(tree: Path) -> Iterator[Path]:
    if tree.exists():
        yield tree
        yield from (path for path in tree.rglob("*") if not path.is_symlink())


def _reading(path: Path) -> int:
    return 0o5 if path.stat().st_mode & (stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH) else 0o4


def _grant(account: Account, path: Path, rwx: int) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    wanted = mode | account.bits_for(path, rwx)
    if wanted == mode:
        return False
    path.chmod(wanted)
    return True
