"""Backup and restore as docs/production.md has it: dump, lose everything, restore."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, LiteralString

import psycopg
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from psycopg import sql
from psycopg.conninfo import make_conninfo

from conftest import BLUE, RED, new_key, paint_photo
from events import ingest
from faces import pipeline
from faces.tests.selfies import selfie_of, upload
from grabpic_site.embedded_postgres.programs import program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from django.test import Client

    from events.models import Event

RESTORE = ("--no-owner", "--no-comments", "--exit-on-error")

pytestmark = pytest.mark.django_db(transaction=True)


def conninfo(database: str) -> str:
    parameters = connection.get_connection_params()
    names = ("host", "port", "user", "password")
    return make_conninfo(dbname=database, **{name: parameters[name] for name in names if name in parameters})


def run_program(name: str, *arguments: str) -> None:
    subprocess.run([program(name), *arguments], check=True, env={**os.environ, "PGOPTIONS": ""})


def maintain(statement: LiteralString, *names: str) -> None:
    """Execute a statement about databases, to which nobody may be connected meanwhile."""
    connection.close()
    with psycopg.connect(conninfo("postgres"), autocommit=True) as maintenance:
        maintenance.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ANY(%s)", [[*names]]
        )
        maintenance.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


@contextmanager
def everything_lost(database: str) -> Iterator[None]:
    """Inside, there is no such database and no file, unless somebody restores them."""
    aside = f"{database}_aside"
    maintain("DROP DATABASE IF EXISTS {}", aside)
    maintain("ALTER DATABASE {} RENAME TO {}", database, aside)
    shutil.rmtree(settings.STORAGE_PATH)
    try:
        yield
    finally:
        maintain("DROP DATABASE IF EXISTS {}", database)
        maintain("ALTER DATABASE {} RENAME TO {}", aside, database)


def visit(client: Client) -> dict[str, Any]:
    return dict(client.post("/api/v1/auth/selfie", {"file": upload(selfie_of(RED))}).json())


def files(client: Client, found: dict[str, Any]) -> dict[str, bytes]:
    headers = {"Authorization": f"Bearer {found['token']}"}
    images = client.get(f"/api/v1/users/{found['grab_id']}/images", headers=headers).json()["images"]
    return {
        image["file_name"]: b"".join(client.get(f"/api/v1/storage/{image['file_path']}", headers=headers))
        for image in images
    }


def test_the_selfie_matches_after_dump_drop_and_restore(
    client: Client, run: Event, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database, dump, photos = str(connection.settings_dict["NAME"]), tmp_path / "grabpic.dump", tmp_path / "photos"
    key, before = new_key("kiosk"), visit(client)
    own = files(client, before)
    assert before["total"] == len(own) == 3

    run_program("pg_dump", "--format=custom", f"--file={dump}", conninfo(database))
    # Comes while the backup is made, between its two parts.
    ingest.add(run, paint_photo(RED, shade=50), "late.png")
    shutil.copytree(settings.STORAGE_PATH, photos)

    with everything_lost(database):
        shutil.copytree(photos, settings.STORAGE_PATH)
        maintain("CREATE DATABASE {}", database)
        run_program("pg_restore", *RESTORE, f"--dbname={conninfo(database)}", str(dump))
        call_command("migrate", check_unapplied=True, verbosity=0)
        call_command("storage_audit", delete=True, older_than=0)
        assert "Rows without files: 0. Files without rows: 1." in capsys.readouterr().out

        after = visit(client)
        assert (after["grab_id"], after["total"]) == (before["grab_id"], 3)
        assert files(client, after) == own
        assert files(client, before) == own, "the gallery from before is still open"
        progress = client.get("/api/v1/events/city-run/progress", headers={"Authorization": f"Api-Key {key}"}).json()
        assert (progress["images"], progress["indexed"]) == (4, 4)

        assert isinstance(ingest.add(run, paint_photo(RED, BLUE), "new.png"), ingest.Added)
        pipeline.ingest(run)
        assert visit(client)["total"] == 4
