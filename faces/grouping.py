"""Which faces of an event are the same person: gives every face its `Face`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import transaction

from events.models import Event
from faces.clustering import cluster
from faces.models import Embedding, Face, ImageFace
from faces.thresholds import clarity, max_mean_distance

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from faces.engine import Embeddings


@dataclass(frozen=True, slots=True)
class _Faces:
    """The event's faces, row by row.

    `persons` holds each face's present person, or None for a new face; `sizes` counts them. `coverless` are those whose
    best photo was deleted.
    """

    ids: NDArray[np.int64]
    persons: list[int | None]
    qualities: NDArray[np.float64]
    embeddings: Embeddings
    clarities: NDArray[np.float32]
    sizes: Counter[int | None]
    coverless: set[int]


@transaction.atomic
def group(event: Event) -> int:
    """Give every face of the event a person, and return how many persons are new.

    All faces are clustered anew, so the result does not depend on the order of arrival. A person keeps its
    `grab_id` as long as most of its faces stay together; faces that did not change hands are not written.
    One grouping at a time per event: the event's row is locked until the transaction ends.
    """
    Event.objects.select_for_update(no_key=True).get(pk=event.pk)
    # Photos may have been deleted since.
    event.faces.filter(image_faces=None).delete()
    coverless = set(event.faces.filter(cover=None).values_list("pk", flat=True))
    if not coverless and not _embeddings(event).filter(image_face__face=None).exists():
        return 0
    faces = _load(event, coverless)
    labels = cluster(faces.embeddings * faces.clarities[:, None], 1 - max_mean_distance(event))
    members = [np.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    keepers = _keepers(faces, members)
    new = [_assign(event, faces, rows, person) for rows, person in zip(members, keepers, strict=True)]
    event.faces.filter(image_faces=None).delete()
    return sum(new)


def _embeddings(event: Event) -> QuerySet[Embedding]:
    return Embedding.objects.filter(event=event, engine=event.engine)


def _load(event: Event, coverless: set[int]) -> _Faces:
    rows = _embeddings(event).order_by("pk")
    fields = ("face", "quality", "width", "height")
    ids, vectors, persons, qualities, widths, heights = zip(
        *rows.values_list("pk", "vector", *(f"image_face__{field}" for field in fields)), strict=True
    )
    return _Faces(
        ids=np.array(ids),
        persons=list(persons),
        qualities=np.array(qualities),
        embeddings=np.array(vectors, dtype=np.float32),
        clarities=clarity(widths, heights),
        sizes=Counter(persons),
        coverless=coverless,
    )


def _keepers(faces: _Faces, members: list[NDArray[np.intp]]) -> list[int | None]:
    """Return for each group the person it continues: the pair with most faces in common first."""
    common = [
        (count, label, person)
        for label, rows in enumerate(members)
        for person, count in Counter(faces.persons[row] for row in rows).items()
        if person is not None
    ]
    keepers: list[int | None] = [None] * len(members)
    taken = set()
    for _, label, person in sorted(common, key=lambda entry: (-entry[0], entry[1:])):
        if keepers[label] is None and person not in taken:
            keepers[label] = person
            taken.add(person)
    return keepers


def _assign(event: Event, faces: _Faces, rows: NDArray[np.intp], person: int | None) -> bool:
    """Make these rows one person, the given one or a new one; tell whether it is new."""
    changed = [row for row in rows if person is None or faces.persons[row] != person]
    if not changed and faces.sizes[person] == len(rows) and person not in faces.coverless:
        return False
    mean = faces.embeddings[rows].mean(axis=0)
    values = {
        "engine": event.engine,
        "embedding": mean / np.linalg.norm(mean),
        "cover_id": faces.ids[rows[faces.qualities[rows].argmax()]],
    }
    if person is None:
        person = Face.objects.create(event=event, **values).pk
        created = True
    else:
        Face.objects.filter(pk=person).update(**values)
        created = False
    ImageFace.objects.filter(pk__in=faces.ids[changed].tolist()).update(face=person)
    return created
