"""Databases and media folders that exist for one benchmark only, so that no user's data is touched.

Other processes of this site that are started inside, workers for instance, work on the same.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.utils import load_backend
from django.test import override_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "grabpic_benchmark"

EMBEDDED = "grabpic_site.embedded_postgres"


@contextmanager
def throwaway_site(engine: str | None = None) -> Iterator[None]:
    """Inside, every query goes to a new, migrated, empty database and every stored file to a temporary folder.

    Workers load `engine`, or else FACE_ENGINE. All is gone afterwards, whatever happened inside; a database that a
    killed benchmark left behind is replaced. Two cannot run on one server at a time.
    """
    with _folder() as folder, _media(folder), environment(_site(folder, engine)), _database():
        yield


@contextmanager
def private_server_site(engine: str | None = None) -> Iterator[Path]:
    """As `throwaway_site`, on an embedded PostgreSQL server of its own, which may be killed; yield its data folder."""
    with _folder() as folder, _media(folder), environment(_site(folder, engine)), _server(folder / "postgres"):
        yield folder / "postgres"


@contextmanager
def _folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix=f"{DATABASE}_") as folder:
        yield Path(folder)


def _media(folder: Path) -> override_settings:
    # Where the settings of another process would have it, by STORAGE_PATH.
    storage = {**settings.LOCAL_STORAGE, "OPTIONS": {"location": folder / ".grabpic"}}
    return override_settings(STORAGE_PATH=folder, STORAGES={**settings.STORAGES, "default": storage})


def _site(folder: Path, engine: str | None) -> dict[str, str]:
    """Return the environment of other processes; the crew adds the database."""
    return {"STORAGE_PATH": str(folder), "S3_BUCKET": "", "FACE_ENGINE": engine or settings.FACE_ENGINE}


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Inside, this process and those it starts have these environment variables."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


@contextmanager
def _database() -> Iterator[None]:
    own_name, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    connection.settings_dict["TEST"] = {**test, "NAME": DATABASE}
    try:
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        try:
            yield
        finally:
            connection.creation.destroy_test_db(own_name, verbosity=0)
    finally:
        connection.settings_dict["TEST"] = test


@contextmanager
def _server(data_dir: Path) -> Iterator[None]:
    site = {"DATABASE_URL": "", "GRABPIC_DATABASE_NAME": DATABASE, "EMBEDDED_POSTGRES_DIR": str(data_dir)}
    with override_settings(EMBEDDED_POSTGRES_DIR=data_dir), environment(site):
        try:
            with _connected_to_embedded():
                call_command("migrate", verbosity=0)
                yield
        finally:
            call_command("embedded_postgres", "stop", verbosity=0)


@contextmanager
def _connected_to_embedded() -> Iterator[None]:
    before = connections[DEFAULT_DB_ALIAS]
    before.close()
    address = {"NAME": DATABASE, "HOST": "", "PORT": "", "USER": "", "PASSWORD": "", "OPTIONS": {}}
    own = {**before.settings_dict, **address, "ENGINE": EMBEDDED}
    connections[DEFAULT_DB_ALIAS] = load_backend(EMBEDDED).DatabaseWrapper(own, DEFAULT_DB_ALIAS)
    try:
        yield
    finally:
        connections[DEFAULT_DB_ALIAS].close()
        connections[DEFAULT_DB_ALIAS] = before
