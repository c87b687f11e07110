"""The faces of a crowd that never was: vectors as alike, and as different, as those of real faces.

Measured with facenet+sface on the 4,426 labelled faces of 1,473 people in lfw-dev, each person with the same weight:
cosine similarity of two faces of one person 0.654 ± 0.109, one in a hundred below 0.359; of two people 0.085 ± 0.089,
one in a hundred thousand above 0.482. A face's vector is the sum of a direction that all faces share, one that is the
person's, and one of its own, whose length says how bad a photo it is. The constants below were fitted to these
figures; `tests/test_population.py` measures what they give.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.datasets import DatasetError
from events.models import Image
from faces.models import Embedding, ImageFace

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from events.models import Event
    from faces.engine import Embeddings

MEASURED = "facenet+sface"
"""The engine whose vectors these resemble."""

DIMENSION = 640

COMMON = 0.36
"""Length of what all faces share, where a person's own direction has what is missing to 1."""

PERSON_DECAY, FACE_DECAY = 36.0, 110.0
"""The variance of the dimensions falls by e within so many: there are about twice as many effective dimensions."""

NOISE_MEDIAN, NOISE_SPREAD = 0.695, 0.33
"""Of the length of a face's own direction: log-normal."""

ATTENDANCE = 2.0
"""Shape of the gamma distribution that says how often each person is photographed."""

FACES_PER_PHOTO = 3

CHUNK = 1000
"""So many vectors go to the database at a time: one statement of many more takes twice as long for each."""

SIDE = 100
"""Of each box, in pixels."""

LANDMARKS = [(30, 40), (70, 40), (50, 60), (35, 80), (65, 80)]
"""Of a face that looks into the camera, from the corner of its box."""


class Crowd:
    """`persons` holds the numbers of the people in each photo, different ones: (photos, FACES_PER_PHOTO)."""

    def __init__(self, faces: int, people: int, seed: int) -> None:
        """Raise DatasetError where there are fewer people than faces in a photo, or fewer than two photos."""
        if people < FACES_PER_PHOTO or faces < 2 * FACES_PER_PHOTO:
            raise DatasetError(f"Take at least {FACES_PER_PHOTO} people and {2 * FACES_PER_PHOTO} faces.")
        self._random = np.random.default_rng(seed)
        self._common = COMMON * self._directions(1, PERSON_DECAY)
        self._people = np.sqrt(1 - COMMON**2) * self._directions(people, PERSON_DECAY)
        self.persons = self._photographed(faces // FACES_PER_PHOTO, people)

    def vectors(self, persons: NDArray[np.int64]) -> Embeddings:
        """Return a new face of each of these people: (n, DIMENSION)."""
        lengths = self._random.lognormal(np.log(NOISE_MEDIAN), NOISE_SPREAD, (len(persons), 1)).astype(np.float32)
        return _unit(self._common + self._people[persons] + lengths * self._directions(len(persons), FACE_DECAY))

    def _directions(self, count: int, decay: float) -> Embeddings:
        scales = np.exp(-np.arange(DIMENSION) / (2 * decay)).astype(np.float32)
        return _unit(self._random.standard_normal((count, DIMENSION), np.float32) * scales)

    def _photographed(self, photos: int, people: int) -> NDArray[np.int64]:
        often = self._random.gamma(ATTENDANCE, size=people)
        persons = np.zeros((photos, FACES_PER_PHOTO), np.int64)
        while len(twice := np.flatnonzero((np.diff(np.sort(persons), axis=1) == 0).any(axis=1))):
            persons[twice] = self._random.choice(people, (len(twice), FACES_PER_PHOTO), p=often / often.sum())
        return persons


def add(event: Event, crowd: Crowd, persons: NDArray[np.int64]) -> list[int]:
    """Add indexed photos, without files, of the people of each row; return the keys of their faces."""
    first = event.images.count()
    images = Image.objects.bulk_create([_image(event, first + number) for number in range(len(persons))])
    faces = ImageFace.objects.bulk_create(
        [_face(image, place) for image in images for place in range(persons.shape[1])]
    )
    Embedding.objects.bulk_create(
        [
            Embedding(image_face=face, event=event, engine=event.engine, vector=vector)
            for face, vector in zip(faces, crowd.vectors(persons.ravel()), strict=True)
        ],
        batch_size=CHUNK,
    )
    return [face.pk for face in faces]


def _unit(rows: NDArray[np.float32]) -> Embeddings:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _image(event: Event, number: int) -> Image:
    name, size = f"{number}.jpg", (3 * SIDE) * FACES_PER_PHOTO
    return Image(
        event=event,
        file_name=name,
        storage_key=f"{event.slug}/{name}",
        sha256=name,
        width=size,
        height=size,
        state=Image.State.INDEXED,
    )


def _face(image: Image, place: int) -> ImageFace:
    x, y = SIDE + 3 * SIDE * place, SIDE
    landmarks = [(x + right, y + down) for right, down in LANDMARKS]
    return ImageFace(image=image, x=x, y=y, width=SIDE, height=SIDE, landmarks=landmarks, score=0.9, quality=0.8)
