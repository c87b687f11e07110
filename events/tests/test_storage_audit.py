"""Rows without files, files without rows: however they came about, the audit finds them."""

from __future__ import annotations

import io
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, transaction
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from events import audit, ingest
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]

ORPHAN = "photos/7c1e/abandoned.jpg"


class Killed(BaseException):
    """The process dies here."""


def run_audit(capsys: pytest.CaptureFixture[str], *options: str) -> tuple[int, str]:
    """Return the exit code and what was printed."""
    code = 0
    try:
        call_command("storage_audit", *options)
    except SystemExit as error:
        code = int(error.code or 0)
    return code, capsys.readouterr().out


def indexed_photo(event: Event, paint: Painter) -> Image:
    """A photo as a worker leaves it."""
    outcome = ingest.add(event, paint(RED), "a.png")
    assert isinstance(outcome, ingest.Added)
    image = outcome.image
    for rendition in (Image.Rendition.PREVIEW, Image.Rendition.THUMBNAIL):
        default_storage.save(image.key_of(rendition), ContentFile(b"jpeg"))
    Image.objects.filter(pk=image.pk).update(state=Image.State.INDEXED, processed_at=timezone.now())
    return image


def test_where_all_fits_there_is_nothing_to_say(
    event: Event, storage: Any, paint: Painter, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed_photo(event, paint)
    ingest.add(event, paint(GREEN), "pending, without renditions.png")
    code, said = run_audit(capsys)
    assert (code, said) == (0, "Photos: 2. Files: 4. Rows without files: 0. Files without rows: 0.\n")


@pytest.mark.parametrize(
    ("rendition", "advice"),
    [("original", "Upload the photo again"), ("preview", "Delete the photo"), ("thumbnail", "Delete the photo")],
)
def test_a_missing_file_is_named_with_what_to_do(
    event: Event, storage: Any, paint: Painter, capsys: pytest.CaptureFixture[str], rendition: str, advice: str
) -> None:
    image = indexed_photo(event, paint)
    storage.delete(image.key_of(rendition))
    for options in ([], ["--delete", "--older-than", "0"]):
        code, said = run_audit(capsys, *options)
        assert code == 1
        assert f"missing {image.key_of(rendition)} (city-run: a.png). {advice}" in said
        assert "Rows without files: 1. Files without rows: 0." in said
    assert Image.objects.count() == 1


def test_a_missing_original_comes_back_by_uploading_it_again(
    event: Event, storage: Any, paint: Painter, capsys: pytest.CaptureFixture[str]
) -> None:
    image = indexed_photo(event, paint)
    storage.delete(image.storage_key)
    ingest.add(event, paint(RED), "again.png")
    assert run_audit(capsys)[0] == 0


def test_files_without_rows_go_when_they_are_old(
    event: Event, storage: Any, paint: Painter, capsys: pytest.CaptureFixture[str]
) -> None:
    indexed_photo(event, paint)
    storage.save(ORPHAN, ContentFile(b"half"))
    assert run_audit(capsys)[0] == 1
    code, said = run_audit(capsys, "--delete")
    assert (code, storage.exists(ORPHAN)) == (1, True), "it may be an upload that has not written its row yet"
    assert "Removed: 0. Left, since younger: 1." in said
    code, said = run_audit(capsys, "--delete", "--older-than", "0")
    assert (code, storage.exists(ORPHAN)) == (0, False)
    assert f"no row  {ORPHAN}" in said
    assert run_audit(capsys)[0] == 0


def test_only_what_is_old_is_removed_from_the_disk(
    settings: Settings, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    photos: Path = settings.STORAGE_PATH / ".grabpic/photos"
    default_storage.save("photos/old/a.jpg", ContentFile(b"half"))
    default_storage.save("photos/young/a.jpg", ContentFile(b"half"))
    for name in ("empty", "young-and-empty"):
        (photos / name).mkdir()
    two_hours_ago = time.time() - 7200
    for path in ("old/a.jpg", "empty"):
        os.utime(photos / path, (two_hours_ago, two_hours_ago))
    assert run_audit(capsys, "--delete")[0] == 1
    assert sorted(path.name for path in photos.iterdir()) == ["young", "young-and-empty"]


def test_a_process_killed_before_its_row_leaves_a_file_that_is_found(
    event: Event, storage: Any, paint: Painter, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def die(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Image, "save", die)
        patch.setattr(ingest, "_discard", die)
        with pytest.raises(Killed):
            ingest.add(event, paint(RED), "a.png")
    code, said = run_audit(capsys, "--delete", "--older-than", "0")
    assert (code, Image.objects.count()) == (0, 0)
    assert "Files without rows: 1." in said
    assert list(storage.walk("photos")) == []


def test_half_a_file_of_a_killed_process_is_found(
    event: Event, settings: Settings, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*args: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", die)
        patch.setattr("events.storage.LocalStorage.delete", die)
        with pytest.raises(Killed):
            ingest.add(event, paint(RED), "a.png")
    (orphan,) = audit.audit().orphans
    assert orphan.key.endswith(".partial")
    audit.clean_up([orphan], timezone.now())
    assert list((settings.STORAGE_PATH / ".grabpic/photos").iterdir()) == []


def test_a_transaction_that_fails_around_it_leaves_a_file_that_is_found(
    event: Event, storage: Any, paint: Painter
) -> None:
    def add_and_fail() -> None:
        with transaction.atomic():
            ingest.add(event, paint(RED), "a.png")
            raise Killed

    with pytest.raises(Killed):
        add_and_fail()
    assert not Image.objects.exists()
    assert len(audit.audit().orphans) == 1


def test_a_connection_that_breaks_at_the_commit_costs_no_file(
    event: Event, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def announce_and_break(*event_ids: int) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr("events.queue.announce", announce_and_break)
    with pytest.raises(OperationalError):
        ingest.add(event, paint(RED), "a.png")
    # Here the row was not committed; nobody could know.
    assert len(audit.audit().orphans) == 1


def test_what_comes_in_meanwhile_is_not_judged(
    event: Event, storage: Any, paint: Painter, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_then_upload(folder: str) -> Any:
        found = list(storage.walk(folder))
        ingest.add(event, paint(BLUE), "late.png")
        Image.objects.filter(pk=waiting.pk).update(state=Image.State.INDEXED, processed_at=timezone.now())
        return found

    outcome = ingest.add(event, paint(RED), "a.png")
    assert isinstance(outcome, ingest.Added)
    waiting = outcome.image
    monkeypatch.setattr(audit, "_storage", lambda: type("Listing", (), {"walk": staticmethod(list_then_upload)}))
    findings = audit.audit()
    assert (findings.missing, findings.orphans) == ([], [])


def test_a_missing_folder_is_no_error(db: None, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert not settings.STORAGE_PATH.exists()
    assert run_audit(capsys, "--delete")[0] == 0


def test_a_storage_that_fails_is_said_so(db: None, dead_s3: None) -> None:
    with pytest.raises(CommandError, match="The storage fails"):
        call_command("storage_audit")


def test_the_audit_asks_for_lists_and_not_for_files(
    event: Event, paint: Painter, s3: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    indexed_photo(event, paint)
    asked = []
    client = default_storage.connection.meta.client  # type: ignore[attr-defined]
    client.meta.events.register("before-call.s3", lambda model, **kwargs: asked.append(model.name))
    audit.audit()
    assert asked == ["ListObjectsV2"]
