"""An event whose photos show known people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.arrival import in_batches
from benchmarks.datasets import DatasetError, matches
from events import ingest
from events.models import Event
from faces import grouping, pipeline
from faces.engine import Box
from faces.models import Embedding

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from random import Random

    from numpy.typing import NDArray

    from benchmarks.datasets import Dataset, Photo

NOBODY = -1
"""The person of a face without a label."""


@dataclass(frozen=True, slots=True)
class Faces:
    """The faces of an event in the order of arrival, row by row; `persons` holds numbers, or NOBODY."""

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    persons: NDArray[np.int64]
    qualities: NDArray[np.float64]
    embeddings: NDArray[np.float32]

    def only(self, rows: NDArray[np.bool_]) -> Faces:
        return Faces(self.ids[rows], self.images[rows], self.persons[rows], self.qualities[rows], self.embeddings[rows])

    @property
    def known(self) -> NDArray[np.bool_]:
        """Whether each has a label."""
        return np.not_equal(self.persons, NOBODY)


class LabelledEvent:
    """An event into which the dataset's photos came in batches; each was indexed and grouped at once.

    `photos` leads from the key of each photo to what is known of it, and `numbers` from each person's name to the
    number. `labelled` is how many of the labelled faces were found.

    Raises:
        DatasetError: no face was found.
        EngineError: the engine cannot be used.
    """

    def __init__(self, dataset: Dataset, engine: str, random: Random) -> None:
        self.event = Event.objects.create(slug=f"run-{Event.objects.count()}", name=engine, engine=engine)
        people = sorted({label.person for photo in dataset.photos for label in photo.labels})
        self.numbers = {person: number for number, person in enumerate(people)}
        self.photos: dict[int, Photo] = {}
        for batch in in_batches(dataset.photos, random):
            self.photos |= dict(_add(self.event, batch))
            _group(self.event)
        persons = self._persons()
        self.labelled = len(persons)
        self.faces = self._read(persons)

    def _read(self, persons: dict[int, int]) -> Faces:
        rows = list(
            Embedding.objects.filter(event=self.event)
            .order_by("pk")
            .values_list("pk", "image_face__image", "image_face__quality", "vector")
        )
        if not rows:
            raise DatasetError("No face was found.")
        ids, images, qualities, vectors = zip(*rows, strict=True)
        return Faces(
            np.array(ids),
            np.array(images),
            np.array([persons.get(pk, NOBODY) for pk in ids]),
            np.array(qualities),
            np.array(vectors, np.float32),
        )

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


def _group(event: Event) -> None:
    """Look at the pending photos, and give every new face its person."""
    pipeline.check_engine(event)
    while pipeline.index_batch(event):
        pass
    grouping.group(event)


def _add(event: Event, photos: Sequence[Photo]) -> Iterator[tuple[int, Photo]]:
    """Put the photos in, and yield each with its key; not those that the event will not have."""
    for photo in photos:
        outcome = ingest.add_path(event, photo.path)
        if isinstance(outcome, ingest.Added):
            yield outcome.image.pk, photo
