"""Which faces of an event are the same person: gives every face its `Face`."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db import connection, transaction
from django.db.models import BinaryField, F, Func
from pgvector import HalfVector

from events.models import Event
from faces.clustering import cluster
from faces.models import Embedding, Face
from faces.thresholds import clarity, thresholds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from faces.engine import Embeddings

CHUNK = 1000
"""So many faces or persons go to or from the database at a time."""


class _Sent(Func):
    """A half-precision vector in pgvector's binary format: its text would cost a Python number for each dimension."""

    function = "halfvec_send"
    output_field = BinaryField()


@dataclass(frozen=True, slots=True)
class _Faces:
    """The event's faces, row by row.

    `persons` holds each face's present person, or None for a new face; `sizes` counts them. `coverless` are those whose
    best photo was deleted. Each embedding is as long as its clarity.
    """

    ids: NDArray[np.int64]
    persons: list[int | None]
    qualities: NDArray[np.float64]
    clarities: NDArray[np.float32]
    embeddings: Embeddings
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
    labels = cluster(faces.embeddings, 1 - thresholds(event).group)
    members = np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1])
    new = _write(event, faces, members, _keepers(faces, members))
    event.faces.filter(image_faces=None).delete()
    return new


def _embeddings(event: Event) -> QuerySet[Embedding]:
    return Embedding.objects.filter(event=event, engine=event.engine)


def _load(event: Event, coverless: set[int]) -> _Faces:
    columns = [("id", "i8"), ("person", "i8"), ("quality", "f8"), ("width", "f8"), ("height", "f8")]
    rows = _rows(event)
    first = next(rows)
    dtype = np.dtype([*columns, ("vector", "f4", len(first[-1]))])
    # Without a count made before, since workers add faces meanwhile.
    table = np.fromiter(chain([first], rows), dtype)
    persons = [person or None for person in table["person"].tolist()]
    clarities = clarity(table["width"], table["height"])
    table["vector"] *= clarities[:, None]
    return _Faces(
        ids=table["id"],
        persons=persons,
        qualities=table["quality"],
        clarities=clarities,
        embeddings=table["vector"],
        sizes=Counter(persons),
        coverless=coverless,
    )


def _rows(event: Event) -> Iterator[tuple[Any, ...]]:
    """Yield the columns of each face, 0 for no person, and its embedding."""
    fields = (f"image_face__{field}" for field in ("face", "quality", "width", "height"))
    found = _embeddings(event).order_by("pk").values_list("pk", *fields, _Sent(F("vector")))
    for pk, person, *sizes, sent in found.iterator(chunk_size=CHUNK):
        yield pk, person or 0, *sizes, HalfVector.from_binary(sent).to_numpy()


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


def _write(event: Event, faces: _Faces, members: list[NDArray[np.intp]], keepers: list[int | None]) -> int:
    """Make each group the given person, or a new one where there is none; return how many are new."""
    groups = [
        (rows, person)
        for rows, person in zip(members, keepers, strict=True)
        if person in faces.coverless or faces.sizes[person] != len(rows) or _moved(faces, rows, person)
    ]
    persons = [_person(event, faces, rows, person) for rows, person in groups]
    Face.objects.bulk_create(
        persons,
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=("id",),
        update_fields=("engine", "embedding", "cover"),
    )
    _assign(
        [
            (int(faces.ids[row]), face.pk)
            for (rows, person), face in zip(groups, persons, strict=True)
            for row in _moved(faces, rows, person)
        ]
    )
    return keepers.count(None)


def _moved(faces: _Faces, rows: NDArray[np.intp], person: int | None) -> list[int]:
    return [row for row in rows.tolist() if person is None or faces.persons[row] != person]


def _person(event: Event, faces: _Faces, rows: NDArray[np.intp], person: int | None) -> Face:
    mean = (faces.embeddings[rows] / faces.clarities[rows, None]).mean(axis=0)
    cover = int(faces.ids[rows[faces.qualities[rows].argmax()]])
    return Face(pk=person, event=event, engine=event.engine, embedding=mean / np.linalg.norm(mean), cover_id=cover)


def _assign(persons: list[tuple[int, int]]) -> None:
    """Give faces (the first of each pair) their persons (the second)."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE faces_imageface SET face_id = person "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS assigned (face, person) WHERE id = face",
            [[face for face, _ in persons], [person for _, person in persons]],
        )
