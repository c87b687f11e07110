"""Fixtures of this app's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection

from benchmarks import throwaway

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import DjangoDbBlocker


@pytest.fixture(scope="session")
def _template(django_db_setup: None, django_db_blocker: DjangoDbBlocker, worker_id: str) -> Iterator[None]:
    """Let new databases be copies of a migrated one: that takes a tenth of the time."""
    own_name, test = connection.settings_dict["NAME"], connection.settings_dict["TEST"]
    name = f"grabpic_benchmark_template_{worker_id}"
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"] = {**test, "NAME": name}
        connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
        connection.close()
        connection.settings_dict |= {"NAME": own_name, "TEST": {**test, "TEMPLATE": name}}
    yield
    with django_db_blocker.unblock():
        connection.settings_dict |= {"NAME": name, "TEST": test}
        connection.creation.destroy_test_db(own_name, verbosity=0)


@pytest.fixture
def own_database(
    _template: None, django_db_blocker: DjangoDbBlocker, monkeypatch: pytest.MonkeyPatch, worker_id: str
) -> Iterator[None]:
    """Let the command make its own database, under a name that neither a benchmark nor another test process has."""
    monkeypatch.setattr(throwaway, "DATABASE", f"grabpic_benchmark_test_{worker_id}")
    before = connection.settings_dict["NAME"]
    with django_db_blocker.unblock():
        yield
        connection.close()
    assert connection.settings_dict["NAME"] == before
