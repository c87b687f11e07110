"""Photos arrive in random order and in batches, as uploads do; every batch is grouped as soon as it is in."""

from __future__ import annotations

import copy
import itertools
import uuid
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from events.models import Event, Image
from faces import joining
from faces.models import Embedding, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from numpy.typing import NDArray

    T = TypeVar("T")

BATCHES = 10, 20
"""At least and at most so many, where there are as many photos."""


def in_batches(photos: Sequence[T], random: Random) -> list[list[T]]:
    """Return the photos in random order, cut into batches at random places."""
    order = random.sample(photos, len(photos))
    count = max(1, min(random.randint(*BATCHES), len(order)))
    cuts = sorted(random.sample(range(1, len(order)), count - 1))
    return [order[start:end] for start, end in itertools.pairwise([0, *cuts, len(order)])]


def join(event: Event) -> None:
    """Have new faces join the persons that are there, or found new ones, as in a large event between consolidations."""
    while joining.join(event) is not None:
        pass


def groups(event: Event, faces: Iterable[int]) -> NDArray[np.int64]:
    """Return the group that each of these faces (keys) is in; one without a person is a group of its own."""
    persons = dict(ImageFace.objects.filter(image__event=event).values_list("pk", "face"))
    return np.array([persons[face] or -face for face in faces], np.int64)


class Recording:
    """The photos of an event with their faces and embeddings, which can arrive again without being looked at."""

    def __init__(self, event: Event) -> None:
        self._event = event
        self._photos = {photo.pk: photo for photo in event.images.prefetch_related("faces__embedding")}

    @property
    def photos(self) -> list[int]:
        """Their keys."""
        return list(self._photos)

    def arrive(self, batches: Iterable[Sequence[int]], group: Callable[[Event], object]) -> Arrived:
        """Have these photos (keys) arrive in a new event, and `group` each batch."""
        number = Event.objects.count()
        event = Event.objects.create(slug=f"again-{number}", name=f"Again {number}", engine=self._event.engine)
        faces: dict[int, int] = {}
        for batch in batches:
            faces |= _add(event, [self._photos[photo] for photo in batch])
            group(event)
        return Arrived(event, faces)


class Arrived:
    """An event whose photos were recorded; `faces` leads from the key of each recorded face to that of its copy."""

    def __init__(self, event: Event, faces: dict[int, int]) -> None:
        self.event = event
        self._copies = faces
        self._originals = {new: old for old, new in faces.items()}

    def groups(self, recorded: Iterable[int]) -> NDArray[np.int64]:
        """Return the group that the copy of each of the recorded faces is in."""
        return groups(self.event, [self._copies[face] for face in recorded])

    def recorded(self, faces: Iterable[int]) -> list[int]:
        """Return the recorded faces that these ones of the event are copies of."""
        return [self._originals[face] for face in faces]


def _add(event: Event, photos: Sequence[Image]) -> dict[int, int]:
    """Copy the photos into the event, with faces that have no person; return the faces' old and new keys."""
    images = Image.objects.bulk_create([_image(event, photo) for photo in photos])
    pairs = [(old, _face(image, old)) for photo, image in zip(photos, images, strict=True) for old in photo.faces.all()]
    ImageFace.objects.bulk_create([face for _, face in pairs])
    Embedding.objects.bulk_create(
        [
            Embedding(image_face=face, event=event, engine=event.engine, vector=old.embedding.vector)
            for old, face in pairs
        ]
    )
    return {old.pk: face.pk for old, face in pairs}


def _image(event: Event, photo: Image) -> Image:
    image = copy.copy(photo)
    image.pk, image.event, image.image_id = None, event, uuid.uuid4()
    image.storage_key = str(image.image_id)
    return image


def _face(image: Image, recorded: ImageFace) -> ImageFace:
    face = copy.copy(recorded)
    face.pk, face.image, face.face = None, image, None
    return face
