"""Settings of the S3 storage that cannot work are named before anybody uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from events.checks import check_retention, check_shorter_ways, check_storage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django.fixtures import Settings


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Only those in the variables: no files, no metadata service."""
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


@pytest.mark.parametrize(
    ("bucket", "endpoint", "region", "errors"),
    [
        ("", "", "", []),
        ("photos", "", "", []),
        ("photos", "https://s3.example.org:9000", "eu-central-1", []),
        ("", "https://s3.example.org", "", ["grabpic.E004"]),
        ("", "", "eu-central-1", ["grabpic.E004"]),
        ("photos", "s3.example.org", "", ["grabpic.E005"]),
        ("photos", "s3://bucket", "", ["grabpic.E005"]),
    ],
)
def test_what_belongs_together_is_set_together(
    settings: Settings, bucket: str, endpoint: str, region: str, errors: list[str]
) -> None:
    settings.S3_BUCKET, settings.S3_ENDPOINT_URL, settings.S3_REGION = bucket, endpoint, region
    found = check_storage()
    assert [error.id for error in found] == errors
    assert all(error.hint for error in found)


@pytest.mark.parametrize("missing", [["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], ["AWS_SECRET_ACCESS_KEY"]])
def test_a_bucket_needs_both_keys(settings: Settings, monkeypatch: pytest.MonkeyPatch, missing: list[str]) -> None:
    settings.S3_BUCKET = "photos"
    for name in missing:
        monkeypatch.delenv(name)
    assert [error.id for error in check_storage()] == ["grabpic.E006"]


@pytest.mark.parametrize(("days", "problems"), [(1, 0), (0, 2), (-1, 2)])
def test_what_is_kept_is_kept_for_a_day(settings: Settings, days: int, problems: int) -> None:
    settings.RETENTION_DAYS = settings.AUDIT_DAYS = days
    assert [error.id for error in check_retention()] == ["grabpic.E007"] * problems


@pytest.mark.parametrize(
    ("prefix", "signed", "bucket", "errors"),
    [
        ("/protected/", False, "", []),
        ("", True, "photos", []),
        ("protected", False, "", ["grabpic.E012"]),
        ("/protected", False, "", ["grabpic.E012"]),
        ("/protected/", False, "photos", ["grabpic.E012"]),
        ("", True, "", ["grabpic.E013"]),
    ],
)
def test_photos_leave_by_ways_that_are_there(
    settings: Settings, prefix: str, signed: bool, bucket: str, errors: list[str]
) -> None:
    settings.ACCEL_REDIRECT, settings.S3_SIGNED_URLS, settings.S3_BUCKET = prefix, signed, bucket
    assert [error.id for error in check_shorter_ways()] == errors
