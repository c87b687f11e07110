"""A watched folder: what is complete, and once only."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from events.ingest import photos_in
from events.watching import AGAIN, LOOK_EVERY, SETTLED, STALLED, Watch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "card"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(folder: Path, clock: Clock) -> Watch:
    return Watch(lambda: photos_in(folder) if folder.is_dir() else [folder], clock)


def look(watch: Watch, clock: Clock, after: float = SETTLED) -> list[str]:
    """Look once more, take what is offered, and return its names."""
    clock.time += after
    offered = watch.complete()
    for path in offered:
        watch.take(path)
    return [path.name for path in offered]


def test_a_file_is_offered_once_when_it_has_not_changed_for_a_while(watch: Watch, clock: Clock, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"photo")
    assert look(watch, clock) == []
    assert look(watch, clock, SETTLED / 2) == []
    assert look(watch, clock, SETTLED / 2) == ["a.jpg"]
    assert look(watch, clock, AGAIN * 2) == []


def test_a_file_that_grows_is_left_alone_until_it_is_complete(watch: Watch, clock: Clock, folder: Path) -> None:
    with (folder / "a.jpg").open("ab", buffering=0) as file:
        for _ in range(5):
            file.write(b"more")
            assert look(watch, clock) == []
    assert look(watch, clock) == ["a.jpg"]


def test_a_file_that_goes_on_growing_later_is_offered_again(watch: Watch, clock: Clock, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"half")
    assert [*look(watch, clock), *look(watch, clock)] == ["a.jpg"]
    (folder / "a.jpg").write_bytes(b"the whole photo")
    assert [*look(watch, clock), *look(watch, clock)] == ["a.jpg"]


def test_a_file_that_was_not_taken_is_offered_again_a_minute_later(watch: Watch, clock: Clock, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"photo")
    look(watch, clock)
    clock.time += SETTLED
    assert [path.name for path in watch.complete()] == ["a.jpg"]
    assert look(watch, clock, AGAIN / 2) == []
    assert look(watch, clock, AGAIN) == ["a.jpg"]


@pytest.mark.parametrize("name", ["a.jpg.part", "a.jpg.CRDOWNLOAD", ".a.jpg", "a.tmp"])
def test_what_is_called_unfinished_is(watch: Watch, clock: Clock, folder: Path, name: str) -> None:
    (folder / name).write_bytes(b"photo")
    assert [*look(watch, clock), *look(watch, clock)] == []
    (folder / name).rename(folder / "b.jpg")
    assert [*look(watch, clock), *look(watch, clock)] == ["b.jpg"]


def test_deleted_files_are_no_matter(watch: Watch, clock: Clock, folder: Path) -> None:
    for name in ("before.jpg", "after.jpg"):
        (folder / name).write_bytes(b"photo")
    look(watch, clock)
    (folder / "before.jpg").unlink()
    assert look(watch, clock) == ["after.jpg"]
    (folder / "after.jpg").unlink()
    assert look(watch, clock) == []


def test_a_folder_that_went_away_may_come_back(watch: Watch, clock: Clock, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"photo")
    assert [*look(watch, clock), *look(watch, clock)] == ["a.jpg"]
    elsewhere = folder.with_name("pocket")
    folder.rename(elsewhere)
    assert [*look(watch, clock), *look(watch, clock)] == ["card"], "is offered itself, so that somebody says so"
    shutil.copy(elsewhere / "a.jpg", elsewhere / "b.jpg")
    elsewhere.rename(folder)
    assert [*look(watch, clock), *look(watch, clock)] == ["b.jpg"], "what was taken is known still"


def test_a_folder_that_goes_away_in_the_middle_of_a_look_ends_the_look(clock: Clock, folder: Path) -> None:
    (folder / "a.jpg").write_bytes(b"photo")

    def vanishing() -> Iterator[Path]:
        yield folder / "a.jpg"
        raise OSError(116, "Stale file handle")

    watch = Watch(vanishing, clock)
    assert [*look(watch, clock), *look(watch, clock)] == ["a.jpg"]


def test_a_slow_look_is_followed_by_a_long_pause(clock: Clock) -> None:
    def slow() -> Iterator[Path]:
        clock.time += 10
        yield from ()

    watch = Watch(slow, clock)
    assert watch.pause == LOOK_EVERY
    watch.complete()
    assert watch.pause == 40


def test_what_may_be_half_a_photo_is_offered_once_more_when_it_grows_or_has_stalled(
    watch: Watch, clock: Clock, folder: Path
) -> None:
    photo = folder / "a.jpg"
    photo.write_bytes(b"ha")
    watch.complete()
    clock.time += SETTLED
    assert watch.complete() == [photo]
    assert watch.doubts(photo)
    assert look(watch, clock, STALLED / 2) == []
    photo.write_bytes(b"half")
    assert watch.complete() == []
    clock.time += SETTLED
    assert watch.complete() == [photo]
    assert watch.doubts(photo), "it is another version"
    clock.time += STALLED
    assert watch.complete() == [photo]
    assert not watch.doubts(photo), "nobody writes it any more"
