"""Photos with known people, in one of two layouts.

- A folder per person, as LFW: in each photo the largest, most central face is that person; who else is in the photo
  is not known.
- `photos/` and `truth.csv` with the columns `photo,person,x,y,w,h` (pixels of the upright photo): one line per
  labelled face. There may be others in the photos, whom nobody labelled.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from faces.engine import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MIN_OVERLAP = 0.3
"""Labels are looser or tighter than what a detector draws around a face."""


@dataclass(frozen=True, slots=True)
class Label:
    """Who is in a photo; without a box it is the largest, most central face."""

    person: str
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    path: Path
    labels: tuple[Label, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    name: str
    photos: tuple[Photo, ...]

    @property
    def has_boxes(self) -> bool:
        return any(label.box for photo in self.photos for label in photo.labels)


class DatasetError(Exception):
    """The folder is not in one of the layouts."""


def read(folder: Path, limit: int | None = None) -> Dataset:
    """Return the dataset, or the photos of its first people only, by name.

    Raises:
        DatasetError: the folder has none of the layouts.
    """
    truth = folder / "truth.csv"
    photos = _from_truth(truth) if truth.is_file() else _from_folders(folder)
    people = sorted({label.person for photo in photos for label in photo.labels})
    if not people:
        raise DatasetError(f"{folder} has neither a truth.csv nor a folder per person.")
    wanted = set(people[:limit])
    return Dataset(
        folder.resolve().name,
        tuple(photo for photo in photos if any(label.person in wanted for label in photo.labels)),
    )


def matches(labels: Sequence[Label], boxes: Sequence[Box], size: tuple[int, int]) -> list[int | None]:
    """Return for each label the number of the detected box that shows its face, or None where there is none.

    `size` is the photo's width and height. A detection belongs to the label that it overlaps most, by at least
    `MIN_OVERLAP`, or to one that holds its centre; and to one only.
    """
    if any(label.box is None for label in labels):
        return [_main_face(boxes, size) for _ in labels]
    found: list[int | None] = [None] * len(labels)
    for _, label, box in sorted(_candidates(labels, boxes), reverse=True):
        if found[label] is None and box not in found:
            found[label] = box
    return found


def _from_folders(folder: Path) -> list[Photo]:
    return [
        Photo(path, (Label(person.name),))
        for person in _visible(folder)
        if person.is_dir()
        for path in _visible(person)
        if path.is_file()
    ]


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def _from_truth(truth: Path) -> list[Photo]:
    labels: dict[str, list[Label]] = defaultdict(list)
    with truth.open(newline="") as file:
        for row in csv.DictReader(file):
            box = Box(float(row["x"]), float(row["y"]), float(row["w"]), float(row["h"]))
            labels[row["photo"]].append(Label(row["person"], box))
    return [Photo(truth.parent / "photos" / name, tuple(known)) for name, known in sorted(labels.items())]


def _main_face(boxes: Sequence[Box], size: tuple[int, int]) -> int | None:
    """Return the largest face, with extra weight on the centre, as the authors of FaceNet's weights chose it."""

    def weight(number: int) -> float:
        x, y = _centre(boxes[number])
        off_centre = (x - size[0] / 2) ** 2 + (y - size[1] / 2) ** 2
        return boxes[number].width * boxes[number].height - 2 * off_centre

    return max(range(len(boxes)), key=weight, default=None)


def _candidates(labels: Sequence[Label], boxes: Sequence[Box]) -> Iterable[tuple[float, int, int]]:
    for number, label in enumerate(labels):
        for place, box in enumerate(boxes):
            if label.box and ((common := label.box.overlap(box)) >= MIN_OVERLAP or _holds(label.box, box)):
                yield common, number, place


def _holds(label: Box, box: Box) -> bool:
    x, y = _centre(box)
    return label.x <= x <= label.x + label.width and label.y <= y <= label.y + label.height


def _centre(box: Box) -> tuple[float, float]:
    return box.x + box.width / 2, box.y + box.height / 2
