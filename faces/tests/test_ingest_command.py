"""`manage.py ingest`."""

from __future__ import annotations

import io
import json
import os
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command

from conftest import GREEN, RED
from events.models import Event, Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pytest_django.fixtures import Settings

    Painter = Callable[..., io.BytesIO]


def ingest(*arguments: str | Path) -> tuple[dict[str, int], str]:
    """Run the command; return the counts it printed, and its error output."""
    out, err = io.StringIO(), io.StringIO()
    call_command("ingest", *map(str, arguments), stdout=out, stderr=err)
    counts: dict[str, int] = json.loads(out.getvalue())
    return counts, err.getvalue()


@pytest.fixture
def photos(tmp_path: Path, paint: Painter) -> Path:
    folder = tmp_path / "photos"
    (folder / "deeper").mkdir(parents=True)
    (folder / "a.png").write_bytes(paint(RED).getvalue())
    (folder / "b.jpg").write_bytes(paint(RED, GREEN, file_format="JPEG").getvalue())
    (folder / "deeper" / "c.webp").write_bytes(paint(GREEN, file_format="WEBP").getvalue())
    (folder / "deeper" / "d.heic").write_bytes(paint(file_format="HEIF").getvalue())
    return folder


def test_a_folder_is_taken_in_found_and_grouped(event: Event, photos: Path) -> None:
    counts, errors = ingest("city-run", photos)
    assert counts == {"images_processed": 4, "faces_detected": 4, "new_faces_found": 2, "total_faces_known": 2}
    assert errors == ""


def test_a_second_run_changes_nothing(event: Event, photos: Path) -> None:
    ingest("city-run", photos)
    before = list(Image.objects.values())
    counts, _ = ingest("city-run", photos)
    assert counts == {"images_processed": 0, "faces_detected": 0, "new_faces_found": 0, "total_faces_known": 2}
    assert list(Image.objects.values()) == before


def test_single_files(event: Event, photos: Path) -> None:
    assert ingest("city-run", photos / "a.png", photos / "b.jpg")[0]["images_processed"] == 2


def test_broken_files_are_named_with_their_reason_and_stop_nothing(event: Event, photos: Path) -> None:
    (photos / "notes.jpg").write_text("not a photo")
    whole = (photos / "b.jpg").read_bytes()
    (photos / "cut.jpg").write_bytes(whole[: len(whole) - 600])
    counts, errors = ingest("city-run", photos)
    assert counts["total_faces_known"] == 2
    assert "notes.jpg: not_an_image: This is not a photo" in errors
    assert "cut.jpg: truncated: The file ends too early" in errors


def test_without_a_path_the_drop_folder_and_what_is_pending(
    event: Event, photos: Path, settings: Settings, add: Callable[..., Image]
) -> None:
    add("pending.png", GREEN)
    settings.STORAGE_PATH.mkdir(exist_ok=True)
    photos.rename(settings.STORAGE_PATH / "city-run")
    assert ingest("city-run")[0]["images_processed"] == 5
    assert ingest("city-run")[0]["images_processed"] == 0


def test_an_unknown_event_is_an_error_that_lists_those_there_are(event: Event, photos: Path) -> None:
    with pytest.raises(CommandError, match=r"no event 'nosuch' \(there are: city-run\).*--create"):
        ingest("nosuch", photos)


def test_an_event_can_be_created_on_the_way(event: Event, photos: Path, settings: Settings) -> None:
    settings.FACE_ENGINE = "fake"
    ingest("new-run", "--create", photos)
    created = Event.objects.get(slug="new-run")
    assert (created.access, created.images.count()) == ("draft", 4)


@pytest.mark.parametrize("slug", ["My Event!", "../x", "", "x" * 61])
@pytest.mark.django_db
def test_an_event_needs_a_proper_slug(photos: Path, slug: str) -> None:
    with pytest.raises(CommandError, match="No event can be called"):
        ingest(slug, "--create", photos)
    assert not Event.objects.exists()


def test_an_empty_path_is_not_the_current_folder(event: Event) -> None:
    with pytest.raises(CommandError, match="a path is empty"):
        ingest("city-run", "")


def test_ctrl_c_says_how_to_go_on(event: Event, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("faces.pipeline.index_batch", interrupt)
    with pytest.raises(CommandError, match="Run it again to go on"):
        ingest("city-run", photos)
    assert event.images.pending().count() == 4


def test_what_cannot_be_read_is_named_and_stops_nothing(event: Event, photos: Path) -> None:
    (photos / "gone.jpg").symlink_to(photos / "nowhere")
    (photos / "itself.jpg").symlink_to(photos / "itself.jpg")
    os.mkfifo(photos / "pipe.jpg")
    counts, errors = ingest("city-run", photos)
    assert counts["images_processed"] == 4
    assert "gone.jpg: unreadable: The file cannot be read" in errors
    assert "itself.jpg: unreadable" in errors


def test_a_path_that_is_not_there_is_an_error_before_anything_happens(event: Event, photos: Path) -> None:
    with pytest.raises(CommandError, match="no file or folder"):
        ingest("city-run", photos, "nowhere")
    assert not Image.objects.exists()


def test_an_engine_that_cannot_work_is_an_error_and_nothing_is_lost(event: Event, photos: Path) -> None:
    Event.objects.update(engine="crystal-ball")
    with pytest.raises(CommandError, match=r"The photos are stored, and pending\..*crystal-ball"):
        ingest("city-run", photos)
    assert event.images.pending().count() == 4


def test_names_do_not_reach_the_terminal_as_commands(event: Event, photos: Path) -> None:
    (photos / "two\nlines \x1b[31m.jpg").write_text("not a photo")
    assert "two" in (errors := ingest("city-run", photos)[1])
    assert "two\n" not in errors
    assert "\x1b" not in errors.replace("\x1b[31;1m", "").replace("\x1b[0m", "")
