import pytest
from django.db import connection

from grabpic_site.database_checks import check_postgresql, shortcomings


def ids(server_version: int, available: str | None, installed: str | None) -> list[str | None]:
    return [error.id for error in shortcomings(server_version, available, installed)]


@pytest.mark.parametrize("installed", [None, "0.8.4", "0.8.5"])
def test_a_recent_server_is_fine_with_the_extension_created_or_not(installed: str | None) -> None:
    assert ids(15, "0.8.5", installed) == []


def test_versions_are_compared_as_numbers() -> None:
    assert ids(18, "0.10.0", "0.10.0") == []
    assert ids(18, "1.0", "1.0") == []


def test_an_old_server_is_told_to_upgrade() -> None:
    assert ids(14, "0.8.5", None) == ["grabpic.E001"]


def test_a_missing_extension_says_where_to_get_it() -> None:
    (error,) = shortcomings(18, None, None)
    assert error.id == "grabpic.E002"
    assert error.hint is not None
    assert "Supabase" in error.hint


def test_an_old_extension_beside_a_new_package_needs_an_update_only() -> None:
    (error,) = shortcomings(18, "0.8.5", "0.8.3")
    assert error.id == "grabpic.E003"
    assert error.hint == "Run `ALTER EXTENSION vector UPDATE` in the database."


@pytest.mark.parametrize("installed", [None, "0.8.0"])
def test_an_old_package_has_to_be_upgraded_first(installed: str | None) -> None:
    (error,) = shortcomings(18, "0.8.0", installed)
    assert error.hint is not None
    assert error.hint.startswith("Upgrade pgvector on the server")


def test_everything_at_once() -> None:
    assert ids(14, None, None) == ["grabpic.E001", "grabpic.E002"]


@pytest.mark.django_db
def test_the_database_of_the_tests_has_no_shortcomings() -> None:
    assert connection.vendor == "postgresql"
    assert check_postgresql(app_configs=None, databases=["default"]) == []


def test_nothing_is_asked_of_a_database_that_is_not_being_checked() -> None:
    assert check_postgresql(app_configs=None, databases=None) == []
