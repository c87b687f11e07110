"""Which selfies the benchmark of accuracy takes, and how right the photos are that they lead to."""

from __future__ import annotations

import io
from collections import Counter, defaultdict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

from benchmarks import metrics
from benchmarks.labelled import NOBODY
from faces import search
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.arrival import Arrived
    from benchmarks.labelled import Faces, LabelledEvent
    from faces.engine import Box
    from faces.models import Face

SELFIE_BORDER = 0.5
"""Of a box's width and height, added on each side."""

TOGETHER = search.MOST_SELFIES
"""Selfies that are compared together, beside each of them alone."""


@dataclass(frozen=True, slots=True)
class Selfie:
    """A face to search with; `photos` holds the photos that should be found: none, for a stranger to the event."""

    person: int
    image: int
    row: int
    photos: frozenset[int]


@dataclass(frozen=True, slots=True)
class Answer:
    """How many photos a search showed: with the person, with other labelled people only, and at all."""

    right: int
    wrong: int
    shown: int


def choose(run: LabelledEvent) -> list[Selfie]:
    """Return the clearest face of each person in two or more photos, and of every other one in a single photo."""
    count = Counter(run.numbers[label.person] for photo in run.photos.values() for label in photo.labels)
    clearest = {person: rows[0] for person, rows in _by_clarity(run.faces).items()}
    image = {person: int(run.faces.images[row]) for person, row in clearest.items()}
    single = sorted(person for person in clearest if count[person] == 1 and len(run.photos[image[person]].labels) == 1)
    chosen = [person for person in clearest if count[person] > 1 or person in single[::2]]
    left = _photos_without(run, {image[person] for person in chosen})
    return [Selfie(person, image[person], clearest[person], frozenset(left[person])) for person in chosen]


def choose_threes(run: LabelledEvent) -> list[tuple[Selfie, ...]]:
    """Return the three clearest faces, each in a photo of its own, of each person in three photos or more.

    Who is in exactly three is a stranger to the event without them.
    """
    chosen = {person: rows[:TOGETHER] for person, rows in _by_clarity(run.faces).items() if len(rows) >= TOGETHER}
    image = {row: int(run.faces.images[row]) for rows in chosen.values() for row in rows}
    left = _photos_without(run, set(image.values()))
    return [
        tuple(Selfie(person, image[row], row, frozenset(left[person])) for row in rows)
        for person, rows in chosen.items()
    ]


def search_with(selfies: Sequence[Selfie], run: LabelledEvent, gallery: Arrived) -> tuple[Answer, Answer]:
    """Return what the sure tier shows, and what both tiers show, of one person's selfies together."""
    selfie = selfies[0]
    with ExitStack() as files:
        found = search.find(gallery.event, *(files.enter_context(_file(run, each)) for each in selfies))
    sure, maybe = _tiers(found)
    answers = []
    for persons in (sure, [*sure, *maybe]):
        faces = ImageFace.objects.filter(face__in=persons).values_list("pk", flat=True)
        answers.append(judge(run.faces, np.isin(run.faces.ids, gallery.recorded(faces)), selfie))
    return answers[0], answers[1]


def judge(faces: Faces, shown: NDArray[np.bool_], selfie: Selfie) -> Answer:
    """Count the photos of the faces shown: right with the person's own face, else wrong with another's."""
    rows = faces.only(shown)
    own = rows.persons == selfie.person
    right = set(rows.images[own])
    return Answer(len(right), len(set(rows.images[rows.known & ~own]) - right), len(set(rows.images)))


def sure_values(selfies: Sequence[Selfie], answers: Sequence[Answer]) -> dict[str, float]:
    return _values(selfies, answers, "sure") | {"strangers_shown": _strangers_shown(selfies, answers)}


def all_values(selfies: Sequence[Selfie], answers: Sequence[Answer]) -> dict[str, float]:
    return _values(selfies, answers, "all") | {"strangers_shown_all": _strangers_shown(selfies, answers)}


def nothing_found(selfies: Sequence[Selfie], answers: Sequence[Answer]) -> dict[str, float]:
    """Return the share of the selfies, of people in the event, that were shown nothing at all."""
    known = [answer for selfie, answer in zip(selfies, answers, strict=True) if selfie.photos]
    return {"nothing_found": sum(not answer.shown for answer in known) / max(1, len(known))}


def _values(selfies: Sequence[Selfie], answers: Sequence[Answer], tier: str) -> dict[str, float]:
    known = [answer for selfie, answer in zip(selfies, answers, strict=True) if selfie.photos]
    right, wrong = sum(answer.right for answer in known), sum(answer.wrong for answer in known)
    return {
        f"{tier}_precision": metrics.share(right, right + wrong),
        f"{tier}_recall": metrics.share(right, sum(len(selfie.photos) for selfie in selfies)),
    }


def _strangers_shown(selfies: Sequence[Selfie], answers: Sequence[Answer]) -> float:
    strangers = [answer for selfie, answer in zip(selfies, answers, strict=True) if not selfie.photos]
    return sum(answer.wrong > 0 for answer in strangers) / max(1, len(strangers))


def _tiers(found: search.Match | search.NoMatch) -> tuple[list[Face], list[Face]]:
    """Return the persons that are surely shown, and those that may be."""
    if isinstance(found, search.NoMatch):
        return [], []
    return [each.face for each in found.sure], [each.face for each in found.maybe]


def _by_clarity(faces: Faces) -> dict[int, list[int]]:
    """Return the rows of each person's clearest face in each photo, the clearest first."""
    rows: dict[int, dict[int, int]] = defaultdict(dict)
    for row in np.argsort(-faces.qualities, kind="stable"):
        rows[int(faces.persons[row])].setdefault(int(faces.images[row]), int(row))
    rows.pop(NOBODY, None)
    return {person: list(photos.values()) for person, photos in rows.items()}


def _photos_without(run: LabelledEvent, taken: set[int]) -> dict[int, set[int]]:
    """Return each person's photos, apart from those taken."""
    photos: dict[int, set[int]] = defaultdict(set)
    for image in run.photos.keys() - taken:
        for label in run.photos[image].labels:
            photos[run.numbers[label.person]].add(image)
    return photos


def _file(run: LabelledEvent, selfie: Selfie) -> IO[bytes]:
    """Return the photo's file, or a new one of the part around the person's box."""
    photo = run.photos[selfie.image]
    person = next(label for label in photo.labels if run.numbers[label.person] == selfie.person)
    return _cut(photo.path, person.box) if person.box else photo.path.open("rb")


def _cut(path: Path, box: Box) -> IO[bytes]:
    """Return a JPEG of the part of a photo around a box."""
    with Picture.open(path) as picture:
        upright = ImageOps.exif_transpose(picture).convert("RGB")
    across, down = box.width * SELFIE_BORDER, box.height * SELFIE_BORDER
    left, top = max(0, round(box.x - across)), max(0, round(box.y - down))
    right = min(upright.width, round(box.x + box.width + across))
    bottom = min(upright.height, round(box.y + box.height + down))
    file = io.BytesIO()
    upright.crop((left, top, right, bottom)).save(file, "JPEG", quality=95)
    return file
