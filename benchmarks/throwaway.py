"""A database and a media folder that exist for one benchmark only, so that no user's data is touched."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connection
from django.test import override_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "grabpic_benchmark"


@contextmanager
def throwaway_site() -> Iterator[None]:
    """Inside, every query goes to a new, migrated, empty database and every stored file to a temporary folder.

    Both are gone afterwards, whatever happened inside; a database that a killed benchmark left behind is replaced.
    Two cannot run on one server at a time.
    """
    with TemporaryDirectory(prefix=f"{DATABASE}_") as folder, _media(Path(folder)), _database():
        yield


def _media(folder: Path) -> override_settings:
    default: Any = settings.STORAGES["default"]
    storage = {**default, "OPTIONS": {**default["OPTIONS"], "location": folder / "media"}}
    return override_settings(STORAGE_PATH=folder, STORAGES={**settings.STORAGES, "default": storage})


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
