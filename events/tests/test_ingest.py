"""How a photo gets in."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError, IntegrityError

from events import ingest
from events.ingest import Added, Duplicate, Refused
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]


def stored_files(settings: Settings) -> list[Path]:
    return [path for path in (settings.STORAGE_PATH / ".grabpic").rglob("*") if path.is_file()]


def test_a_new_photo_is_stored_and_pending(event: Event, paint: Painter) -> None:
    file = paint()
    outcome = ingest.add(event, file, "IMG_1.png")
    assert isinstance(outcome, Added)
    image = Image.objects.get()
    assert (image.file_name, image.width, image.height, image.state) == ("IMG_1.png", 400, 300, "pending")
    with default_storage.open(image.storage_key) as stored:
        assert stored.read() == file.getvalue()


def test_the_same_content_is_one_photo_whatever_its_name(event: Event, paint: Painter) -> None:
    first = ingest.add(event, paint(), "a.png")
    second = ingest.add(event, paint(), "b.png")
    assert isinstance(first, Added)
    assert second == Duplicate(first.image)
    assert Image.objects.count() == 1


def test_a_photo_whose_file_is_gone_gets_it_back(event: Event, paint: Painter) -> None:
    first = ingest.add(event, paint(), "a.png")
    assert isinstance(first, Added)
    default_storage.delete(first.image.storage_key)
    Image.objects.update(state="failed", failure_code="file_missing")
    assert ingest.add(event, paint(), "a.png") == Added(first.image)
    assert default_storage.exists(first.image.storage_key)
    assert Image.objects.get().state == "pending"


def test_two_events_may_have_the_same_photo(event: Event, other_event: Event, paint: Painter) -> None:
    assert isinstance(ingest.add(event, paint(), "a.png"), Added)
    assert isinstance(ingest.add(other_event, paint(), "a.png"), Added)


def test_what_is_no_photo_is_refused_and_leaves_nothing(event: Event, settings: Settings) -> None:
    outcome = ingest.add(event, io.BytesIO(b"text"), "notes.jpg")
    assert isinstance(outcome, Refused)
    assert (outcome.file_name, outcome.code) == ("notes.jpg", "not_an_image")
    assert not Image.objects.exists()
    assert stored_files(settings) == []


def test_a_file_over_the_limit_is_refused(event: Event, settings: Settings, paint: Painter) -> None:
    settings.MAX_UPLOAD_MB = 0
    outcome = ingest.add(event, paint(), "a.png")
    assert isinstance(outcome, Refused)
    assert outcome.code == "file_too_large"


def test_what_a_database_cannot_take_is_left_out_of_the_name(event: Event, paint: Painter) -> None:
    outcome = ingest.add(event, paint(), "half\udce9 a \x00name\n.png")
    assert isinstance(outcome, Added)
    assert outcome.image.file_name == "half a name.png"


def test_a_photo_for_an_event_that_is_gone_is_refused(
    event: Event, paint: Painter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def event_goes(self: Image) -> None:
        raise IntegrityError("events_image_event_id_fk")

    monkeypatch.setattr(Image, "save", event_goes)
    outcome = ingest.add(event, paint(), "a.png")
    assert isinstance(outcome, Refused)
    assert outcome.code == "event_gone"
    assert stored_files(settings) == []


def test_a_file_that_cannot_be_read_is_refused_by_name(event: Event, tmp_path: Path) -> None:
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    outcome = ingest.add_path(event, tmp_path / "gone.jpg")
    assert isinstance(outcome, Refused)
    assert (outcome.file_name, outcome.code) == ("gone.jpg", "unreadable")


def test_folders_that_lead_in_circles_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in ingest.photos_in(tmp_path)] == ["a.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "!!!.jpg",
        "😀.jpg",
        "..",
        "..jpg",
        "…",
        "a/b\\c.png",
        "photo\r\nX-Evil: 1.png",
        "",
        ".png",
        "фото 1.jpg",
        "x" * 400 + ".jpg",
    ],
)
def test_any_file_name_is_harmless(event: Event, paint: Painter, name: str) -> None:
    outcome = ingest.add(event, paint(), name)
    assert isinstance(outcome, Added)
    folder, image_id, base = outcome.image.storage_key.split("/")
    assert (folder, image_id) == ("photos", str(outcome.image.image_id))
    assert base.startswith(outcome.image.image_id.hex[:8])
    assert base.endswith(".png")
    assert not set(base) & set("\r\n\\ ")


def test_a_photo_that_arrives_twice_at_once_is_one(
    event: Event, paint: Painter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_process_is_faster(*args: Any) -> Image:
        monkeypatch.undo()
        assert isinstance(ingest.add(event, paint(), "first.png"), Added)
        return describe(*args)

    describe = ingest._describe
    monkeypatch.setattr(ingest, "_describe", other_process_is_faster)
    outcome = ingest.add(event, paint(), "second.png")
    assert isinstance(outcome, Duplicate)
    assert outcome.image.file_name == "first.png"
    assert len(stored_files(settings)) == 1


def test_no_file_stays_behind_when_the_row_cannot_be_written(
    event: Event, paint: Painter, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Image) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(Image, "save", fail)
    with pytest.raises(DatabaseError):
        ingest.add(event, paint(), "a.png")
    assert stored_files(settings) == []


def test_folders_are_read_in_order_without_hidden_files(tmp_path: Path) -> None:
    for name in ("b/2.jpg", "a.jpg", ".hidden.jpg", ".grabpic/x.jpg", "b/1.jpg"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert [path.name for path in ingest.photos_in(tmp_path)] == ["a.jpg", "1.jpg", "2.jpg"]


def test_the_drop_folder_is_the_events_own(event: Event, other_event: Event, settings: Settings) -> None:
    for name in ("city-run/mine.jpg", "other-run/theirs.jpg", "loose.jpg"):
        path = settings.STORAGE_PATH / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    # The default event, the newest, also gets what lies directly in STORAGE_PATH.
    assert [path.name for path in ingest.drop_folder_photos(event)] == ["mine.jpg", "loose.jpg"]
    assert [path.name for path in ingest.drop_folder_photos(other_event)] == ["theirs.jpg"]
