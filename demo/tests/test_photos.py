from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
import pytest

from demo import photos
from demo.album import ALBUM, Photo, Shot
from events import pictures

if TYPE_CHECKING:
    from pathlib import Path

SMALL = (300, 240)
COURSES = (Photo(1, Shot("course", (), SMALL)), Photo(2, Shot("course", (), SMALL, "dusk", text="FINISH")))

pytestmark = pytest.mark.usefixtures("few_courses")


@pytest.fixture
def few_courses(monkeypatch: pytest.MonkeyPatch) -> None:
    """An album of two small photos without portraits."""
    monkeypatch.setattr(photos, "ALBUM", COURSES)


@pytest.mark.engine
@pytest.mark.parametrize("layout", ["solo", "lineup", "wall", "strip", "podium"])
def test_a_photo_is_the_same_every_time(layout: str) -> None:
    people = {"solo": ("biden",)}.get(layout, ("person_b_1", "obama2", "person_a_1"))
    photo = Photo(7, Shot(layout, people, SMALL, tilt=5))

    assert photos.encode(photo) == photos.encode(photo)


@pytest.mark.engine
def test_the_heic_photo_is_the_same_every_time() -> None:
    [photo] = [photo for photo in ALBUM if photo.shot.file_format == "HEIF"]

    assert photos.encode(photo) == photos.encode(photo)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_turned_photo_is_upright_to_its_viewer(orientation: int) -> None:
    photo = Photo(1, Shot("course", (), SMALL, orientation=orientation))

    file = io.BytesIO(photos.encode(photo))

    info, seen = pictures.read_info(file), pictures.load(file, 300).pixels
    assert (info.width, info.height) == SMALL
    difference = np.abs(seen.astype(int) - np.asarray(photos.compose(photo)))
    assert difference.mean() < 3


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "HEIF"])
def test_every_format_tells_when_it_was_taken(file_format: str) -> None:
    photo = Photo(5, Shot("course", (), SMALL, file_format=file_format))

    info = pictures.read_info(io.BytesIO(photos.encode(photo)))

    assert (info.format, info.taken_at) == (file_format, photo.taken_at)


def test_the_album_is_written_once(tmp_path: Path) -> None:
    made = [photos.write_album(tmp_path / "photos") for _ in range(2)]

    assert made == [2, 0]
    names = sorted(path.name for path in (tmp_path / "photos").iterdir())
    assert names == [".recipe", "CITY-0001.JPG", "CITY-0002.JPG"]


def test_another_recipe_writes_it_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos.write_album(tmp_path)
    (tmp_path / "CITY-0099.JPG").write_text("from an earlier version")
    monkeypatch.setattr(photos, "_recipe", lambda: "another")

    assert photos.write_album(tmp_path) == 2
    assert not (tmp_path / "CITY-0099.JPG").exists()


def test_a_run_that_was_stopped_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(photo: Photo) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        photos.write_album(tmp_path, stop)

    assert photos.write_album(tmp_path) == 2


def test_each_photo_is_announced(tmp_path: Path) -> None:
    announced: list[Photo] = []

    photos.write_album(tmp_path, announced.append)

    assert announced == list(COURSES)
