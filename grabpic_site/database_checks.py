"""System checks for a PostgreSQL that is not ours: `manage.py migrate` and `check --database default` run them."""

import re
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DEFAULT_DB_ALIAS, connections

OLDEST_POSTGRESQL = 15
OLDEST_PGVECTOR = "0.8.4"  # earlier ones can overrun memory and corrupt HNSW indexes in vacuum and parallel builds


@register(Tags.database)
def check_postgresql(*, app_configs: object, databases: Sequence[str] | None, **kwargs: Any) -> Sequence[CheckMessage]:
    """What the default database lacks. Connects to it; a failure to connect is raised, not reported."""
    connection = connections[DEFAULT_DB_ALIAS]
    if DEFAULT_DB_ALIAS not in (databases or []) or connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        server_version = int(cursor.fetchone()[0]) // 10_000
        cursor.execute("SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'")
        available, installed = cursor.fetchone() or (None, None)
    return shortcomings(server_version, available, installed)


def shortcomings(server_version: int, available: str | None, installed: str | None) -> list[Error]:
    """What is wrong with a server of this major version, with the extension `vector` in these versions.

    `available` is what the server could install, `installed` what the database has; None is not at all.
    """
    errors = []
    if server_version < OLDEST_POSTGRESQL:
        errors.append(_server_too_old(server_version))
    if available is None:
        errors.append(_no_pgvector())
    elif is_too_old(installed or available):
        errors.append(_pgvector_too_old(installed or available, update_suffices=not is_too_old(available)))
    return errors


def is_too_old(version: str) -> bool:
    """Tell whether a version of pgvector is older than what Grabpic needs."""
    return _numbers(version) < _numbers(OLDEST_PGVECTOR)


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)]


def _server_too_old(version: int) -> Error:
    return Error(
        f"The database runs PostgreSQL {version}; Grabpic needs {OLDEST_POSTGRESQL} or newer.",
        hint="Upgrade the server, or unset DATABASE_URL to use the embedded PostgreSQL.",
        id="grabpic.E001",
    )


def _no_pgvector() -> Error:
    return Error(
        "The database server has no pgvector (the extension `vector`).",
        hint=(
            "On your own server install the package postgresql-<version>-pgvector, or run the image "
            "pgvector/pgvector. Hosted ones offer it among their extensions; on Supabase enable `vector` "
            "under Database > Extensions."
        ),
        id="grabpic.E002",
    )


def _pgvector_too_old(version: str, *, update_suffices: bool) -> Error:
    upgrade = "Upgrade pgvector on the server (a hosted one: upgrade the project's PostgreSQL), then run"
    return Error(
        f"The database has pgvector {version}; Grabpic needs {OLDEST_PGVECTOR} or newer, since earlier ones "
        "can corrupt an HNSW index.",
        hint=f"{'Run' if update_suffices else upgrade} `ALTER EXTENSION vector UPDATE` in the database.",
        id="grabpic.E003",
    )
