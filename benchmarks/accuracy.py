"""How well are people found and told apart? The real pipeline, grouping and search, against photos with known people.

For each engine: every photo goes in, in random order; detection and grouping are measured. Then each person's
clearest photo leaves the event, for those who are in two or more; what is left is grouped anew, and the photo taken
out is the selfie of a search. Every other person of those in one photo only leaves the event, too: a stranger to it,
who should be shown nothing.

In a folder per person the whole file is the selfie. With a `truth.csv` it is cut out around the person's box, half
as wide again on every side, so that mostly one face is in it. Faces nobody labelled take part in everything, but
count neither as right nor as wrong.

"classic" is the algorithm of `benchmarks.classic`, in the order of arrival, on the very faces and embeddings of one
of our engines (FaceNet: the family of models it used); its search shows the photos of the nearest identity, if that
is near enough. Its own detector and its image-by-image work are measured by `benchmarks.ingest`.
"""

from __future__ import annotations

import io
import random
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

import numpy as np
from PIL import Image as Picture
from PIL import ImageOps

from benchmarks import metrics
from benchmarks.classic import ClassicIdentities
from benchmarks.datasets import DatasetError, matches
from benchmarks.report import Figure
from events import ingest
from events.models import Event
from faces import grouping, pipeline, search
from faces.engine import Box
from faces.models import Embedding, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.datasets import Dataset, Photo

SEED = 1
SELFIE_BORDER = 0.5
"""Of a box's width and height, added on each side."""

NOBODY = -1
"""The person of a face without a label."""

FALSE_ACCEPT_RATES = (1e-3, 1e-4, 1e-5)


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of an event in the order of arrival, row by row; `persons` holds numbers, or NOBODY."""

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    persons: NDArray[np.int64]
    groups: NDArray[np.int64]
    qualities: NDArray[np.float64]
    embeddings: NDArray[np.float32]

    def only(self, rows: NDArray[np.bool_]) -> Faces:
        return Faces(
            self.ids[rows],
            self.images[rows],
            self.persons[rows],
            self.groups[rows],
            self.qualities[rows],
            self.embeddings[rows],
        )


@dataclass(frozen=True, slots=True)
class Selfie:
    """A face to search with; `photos` holds the photos that should be found: none, for a stranger to the event."""

    person: int
    image: int
    row: int
    photos: frozenset[int]


@dataclass(frozen=True, slots=True)
class Answer:
    """Photos that a search showed: those with the person, and those with only others."""

    right: int
    wrong: int


class Run:
    """One engine's event with every photo of the dataset in it, indexed and grouped."""

    def __init__(self, dataset: Dataset, engine: str) -> None:
        self.engine = engine
        self.event = Event.objects.create(slug=f"run-{Event.objects.count()}", name=engine, engine=engine)
        self.numbers = _number_people(dataset)
        self.photos = dict(_add(self.event, dataset))
        pipeline.ingest(self.event)
        self.labelled, self.faces = self._read()

    def selfies(self) -> list[Selfie]:
        """Return the clearest face of each person in two or more photos, and of every other one in a single photo."""
        count = Counter(self.numbers[label.person] for photo in self.photos.values() for label in photo.labels)
        clearest = self._clearest()
        single = sorted(person for person in clearest if count[person] == 1 and self._is_alone(clearest[person]))
        chosen = {person: row for person, row in clearest.items() if count[person] > 1 or person in single[::2]}
        left = self._photos_without({int(self.faces.images[row]) for row in chosen.values()})
        return [
            Selfie(person, int(self.faces.images[row]), row, frozenset(left[person])) for person, row in chosen.items()
        ]

    def hold_out(self, selfies: Sequence[Selfie]) -> None:
        """Take the selfies' photos out of the event, and group what is left as if they had never been there."""
        self.event.images.filter(pk__in=[selfie.image for selfie in selfies]).delete()
        ImageFace.objects.filter(image__event=self.event).update(face=None)
        self.event.faces.all().delete()
        grouping.group(self.event)

    def selfie_file(self, selfie: Selfie) -> IO[bytes]:
        """Return the photo's file, or a new one of the part around the person's box."""
        photo = self.photos[selfie.image]
        person = next(label for label in photo.labels if self.numbers[label.person] == selfie.person)
        return _cut(photo.path, person.box) if person.box else photo.path.open("rb")

    def _clearest(self) -> dict[int, int]:
        """Return the row of each person's clearest face."""
        rows = np.argsort(self.faces.qualities, kind="stable")
        best = {int(self.faces.persons[row]): int(row) for row in rows}
        best.pop(NOBODY, None)
        return best

    def _is_alone(self, row: int) -> bool:
        return len(self.photos[int(self.faces.images[row])].labels) == 1

    def _photos_without(self, taken: set[int]) -> dict[int, set[int]]:
        """Return each person's photos, apart from those taken."""
        photos: dict[int, set[int]] = defaultdict(set)
        for image in self.photos.keys() - taken:
            for label in self.photos[image].labels:
                photos[self.numbers[label.person]].add(image)
        return photos

    def _read(self) -> tuple[int, Faces]:
        """Return how many labelled faces were found, and every face with its person."""
        rows = list(
            Embedding.objects.filter(event=self.event)
            .order_by("pk")
            .values_list("pk", "image_face__image", "image_face__face", "image_face__quality", "vector")
        )
        if not rows:
            raise DatasetError("No face was found.")
        persons = self._persons()
        ids, images, groups, qualities, vectors = zip(*rows, strict=True)
        faces = Faces(
            np.array(ids),
            np.array(images),
            np.array([persons.get(pk, NOBODY) for pk in ids]),
            np.array(groups),
            np.array(qualities),
            np.array(vectors, np.float32),
        )
        return len(persons), faces

    def _persons(self) -> dict[int, int]:
        """Return the person of each face that has a label."""
        persons = {}
        for image in self.event.images.prefetch_related("faces"):
            found, labels = list(image.faces.all()), self.photos[image.pk].labels
            boxes = [Box(face.x, face.y, face.width, face.height) for face in found]
            for label, place in zip(labels, matches(labels, boxes, (image.width, image.height)), strict=True):
                if place is not None:
                    persons[found[place].pk] = self.numbers[label.person]
        return persons


def measure(
    dataset: Dataset, engines: Iterable[str], classic_engine: str, log: Callable[[str], object]
) -> list[Figure]:
    """Measure each engine, then the classic algorithm on the embeddings of `classic_engine`, on one database.

    Raises:
        DatasetError: no face was found, or nobody is in two photos.
        EngineError: an engine cannot be used.
    """
    figures: list[Figure] = []
    names = dict.fromkeys(engines)
    for name in dict.fromkeys((*names, classic_engine)):
        log(f"{name}: {len(dataset.photos)} photos …")
        run = Run(dataset, name)
        if name in names:
            figures += _as_figures(dataset, name, _measure_engine(dataset, run))
        if name == classic_engine:
            classic = _measure_classic(run)
    return [*figures, *_as_figures(dataset, "classic", classic)]


def _as_figures(dataset: Dataset, subject: str, values: dict[str, float]) -> Iterator[Figure]:
    for metric, value in values.items():
        unit = "groups" if metric == "groups_per_person" else "share"
        yield Figure("accuracy", dataset.name, subject, metric, value, unit)


def _measure_engine(dataset: Dataset, run: Run) -> dict[str, float]:
    """Measure everything; afterwards the event lacks the selfies' photos."""
    labels = sum(len(photo.labels) for photo in run.photos.values())
    known = run.faces.only(run.faces.persons != NOBODY)
    rates = metrics.tar_at_far(known.persons, known.embeddings, FALSE_ACCEPT_RATES)
    values = {"detection_recall": metrics.share(run.labelled, labels)} if dataset.has_boxes else {}
    values |= _grouping_values(known.persons, known.groups)
    values |= _search_values(run)
    return values | {f"tar_at_far_{rate:.0e}".replace("e-0", "e-"): tar for rate, tar in rates.items()}


def _grouping_values(persons: NDArray[np.int64], groups: NDArray[np.int64]) -> dict[str, float]:
    pairs, items = metrics.pairwise(persons, groups), metrics.bcubed(persons, groups)
    return {
        "pairwise_precision": pairs[0],
        "pairwise_recall": pairs[1],
        "bcubed_precision": items[0],
        "bcubed_recall": items[1],
        "bcubed_f": metrics.f_score(*items),
        "groups_per_person": metrics.groups_per_person(persons, groups),
        "mixed_persons": metrics.mixed_persons(persons, groups),
    }


def _search_values(run: Run) -> dict[str, float]:
    selfies = run.selfies()
    run.hold_out(selfies)
    return _retrieval_values(selfies, [_search(run, selfie) for selfie in selfies])


def _search(run: Run, selfie: Selfie) -> Answer:
    with run.selfie_file(selfie) as file:
        found = search.find(run.event, file)
    persons = found.faces if isinstance(found, search.Match) else []
    shown = ImageFace.objects.filter(face__in=persons).values_list("pk", flat=True)
    return _judge(run.faces, np.isin(run.faces.ids, list(shown)), selfie)


def _measure_classic(run: Run) -> dict[str, float]:
    selfies = run.selfies()
    known = run.faces.persons != NOBODY
    groups = _classic_groups(run.faces)[0]
    left = run.faces.only(~np.isin(run.faces.images, [selfie.image for selfie in selfies]))
    left_groups, identities = _classic_groups(left)
    answers = [
        _judge(left, left_groups == identities.find(run.faces.embeddings[selfie.row]), selfie) for selfie in selfies
    ]
    return _grouping_values(run.faces.persons[known], groups[known]) | _retrieval_values(selfies, answers)


def _classic_groups(faces: Faces) -> tuple[NDArray[np.int64], ClassicIdentities]:
    identities = ClassicIdentities(faces.embeddings.shape[1])
    return np.array([identities.add(vector) for vector in faces.embeddings], np.int64), identities


def _judge(faces: Faces, shown: NDArray[np.bool_] | bool, selfie: Selfie) -> Answer:
    """Count the photos of the faces shown: right with the person's own face, else wrong with another's."""
    rows = faces.only(np.broadcast_to(shown, faces.ids.shape) & (faces.persons != NOBODY))
    own = rows.persons == selfie.person
    right = set(rows.images[own])
    return Answer(len(right), len(set(rows.images[~own]) - right))


def _retrieval_values(selfies: Sequence[Selfie], answers: Sequence[Answer]) -> dict[str, float]:
    known = [answer for selfie, answer in zip(selfies, answers, strict=True) if selfie.photos]
    strangers = [answer for selfie, answer in zip(selfies, answers, strict=True) if not selfie.photos]
    right, wrong = sum(answer.right for answer in known), sum(answer.wrong for answer in known)
    values = {
        "sure_precision": metrics.share(right, right + wrong),
        "sure_recall": metrics.share(right, sum(len(selfie.photos) for selfie in selfies)),
        "nothing_found": sum(not answer.right + answer.wrong for answer in known) / max(1, len(known)),
    }
    return values | {"strangers_shown": sum(answer.wrong > 0 for answer in strangers) / max(1, len(strangers))}


def _number_people(dataset: Dataset) -> dict[str, int]:
    people = sorted({label.person for photo in dataset.photos for label in photo.labels})
    return {person: number for number, person in enumerate(people)}


def _add(event: Event, dataset: Dataset) -> Iterator[tuple[int, Photo]]:
    """Put the photos in, in random order, and yield each with its row; not those the event will not have."""
    photos = list(dataset.photos)
    random.Random(SEED).shuffle(photos)  # noqa: S311
    for photo in photos:
        outcome = ingest.add_path(event, photo.path)
        if isinstance(outcome, ingest.Added):
            yield outcome.image.pk, photo


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
