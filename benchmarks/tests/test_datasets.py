from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from benchmarks.datasets import DatasetError, Label, matches, read
from faces.engine import Box

if TYPE_CHECKING:
    from pathlib import Path

PHOTO = (400, 300)


def test_a_folder_per_person(tmp_path: Path) -> None:
    for name in ("Ann/1.jpg", "Ann/2.jpg", "Bob/1.jpg", ".hidden/1.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    dataset = read(tmp_path)
    assert [photo.labels[0].person for photo in dataset.photos] == ["Ann", "Ann", "Bob"]
    assert not dataset.has_boxes
    assert [photo.path.name for photo in read(tmp_path, limit=1).photos] == ["1.jpg", "2.jpg"]


def test_photos_with_their_truth(tmp_path: Path) -> None:
    (tmp_path / "truth.csv").write_text(
        "photo,person,x,y,w,h\nb.jpg,Bob,1,2,3,4\na.jpg,Ann,5,6,7,8\nb.jpg,Ann,0,0,9,9\n"
    )
    dataset = read(tmp_path)
    assert dataset.has_boxes
    assert [photo.path for photo in dataset.photos] == [tmp_path / "photos" / "a.jpg", tmp_path / "photos" / "b.jpg"]
    assert dataset.photos[1].labels == (Label("Bob", Box(1, 2, 3, 4)), Label("Ann", Box(0, 0, 9, 9)))


def test_a_folder_of_neither_kind(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="neither"):
        read(tmp_path)


def test_overlap_is_intersection_over_union() -> None:
    assert Box(0, 0, 10, 10).overlap(Box(5, 0, 10, 10)) == pytest.approx(50 / 150)
    assert Box(0, 0, 10, 10).overlap(Box(20, 20, 10, 10)) == 0


def test_a_label_takes_the_box_that_overlaps_most() -> None:
    labels = [Label("Ann", Box(100, 100, 50, 50)), Label("Bob", Box(200, 100, 50, 50))]
    boxes = [Box(205, 100, 50, 50), Box(90, 90, 70, 70), Box(101, 101, 50, 50), Box(300, 0, 20, 20)]
    assert matches(labels, boxes, PHOTO) == [2, 0]


def test_a_tight_detection_in_a_loose_label_matches_by_its_centre() -> None:
    assert matches([Label("Ann", Box(0, 0, 100, 100))], [Box(40, 40, 20, 20)], PHOTO) == [0]
    assert matches([Label("Ann", Box(0, 0, 100, 100))], [Box(140, 40, 20, 20)], PHOTO) == [None]


def test_one_detection_is_one_person() -> None:
    labels = [Label("Ann", Box(100, 100, 50, 50)), Label("Bob", Box(105, 100, 50, 50))]
    assert matches(labels, [Box(104, 100, 50, 50)], PHOTO) == [None, 0]


def test_without_a_box_it_is_the_largest_and_most_central_face() -> None:
    labels = [Label("Ann")]
    assert matches(labels, [Box(180, 130, 40, 40), Box(190, 140, 80, 80)], PHOTO) == [1]
    assert matches(labels, [Box(0, 0, 50, 50), Box(180, 130, 40, 40)], PHOTO) == [1]
    assert matches(labels, [], PHOTO) == [None]
