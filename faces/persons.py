"""The rows of persons follow from their faces: centroid, representative embedding and cover; and who takes over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db import connection
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from faces.clustering import rows_of_each
from faces.models import Centroid, Face, FaceAlias, ImageFace
from faces.vectors import CHUNK, Sent, embeddings_of, load, received

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from events.models import Event
    from faces.clustering import Rows
    from faces.vectors import Faces

MOVED = 0.01
"""A representative is rewritten when its person's centroid is further away, in cosine distance: its index is costly."""

ROUNDING = 1e-3
"""Half precision."""


@dataclass(frozen=True, slots=True)
class Group:
    """Faces (keys of ImageFace) that are one person: `person` is its key, 0 for a new one."""

    person: int
    faces: NDArray[np.int64]
    mean: NDArray[np.float32]
    cover: int
    hidden: bool

    @property
    def direction(self) -> NDArray[np.float32]:
        return np.asarray(self.mean / np.linalg.norm(self.mean), np.float32)


@dataclass(frozen=True, slots=True)
class _Row:
    """What is stored of a person."""

    cover: int | None
    cover_chosen: bool
    embedding: NDArray[np.float16]
    mean: NDArray[np.float16] | None
    size: int | None


def groups_of(event: Event, faces: Faces, labels: Rows, persons: Sequence[int]) -> list[Group]:
    """Return the group of each label; `persons` holds the person that it continues, 0 for a new one."""
    hidden = np.isin(faces.persons, list(event.faces.filter(hidden=True).values_list("pk", flat=True)))
    return [
        Group(
            person,
            faces.ids[rows],
            faces.embeddings[rows].mean(axis=0),
            int(faces.ids[rows[faces.qualities[rows].argmax()]]),
            bool(hidden[rows].any()),
        )
        for rows, person in zip(rows_of_each(labels), persons, strict=True)
    ]


def store(event: Event, groups: Sequence[Group]) -> list[int]:
    """Write the rows of these persons as far as they have changed, and return their keys."""
    known = _known(event, [group.person for group in groups if group.person])
    rows = [_face(event, group, known.get(group.person)) for group in groups]
    pairs = list(zip(rows, groups, strict=True))
    Face.objects.bulk_create([face for face, group in pairs if not group.person], batch_size=CHUNK)
    Face.objects.bulk_create(
        [face for face, group in pairs if group.person and _is_stale(face, group, known[group.person])],
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=("id",),
        update_fields=("engine", "embedding", "cover", "cover_chosen"),
    )
    store_centroids(
        (face.pk, group.mean, len(group.faces))
        for face, group in pairs
        if not group.person or _has_new_mean(group, known[group.person])
    )
    return [face.pk for face in rows]


def store_centroids(rows: Iterable[tuple[int, NDArray[np.float32], int]]) -> None:
    """Write the centroid of persons: key, mean and size."""
    Centroid.objects.bulk_create(
        (Centroid(face_id=person, mean=mean, size=size) for person, mean, size in rows),
        batch_size=CHUNK,
        update_conflicts=True,
        unique_fields=("face",),
        update_fields=("mean", "size"),
    )


def assign(faces: Iterable[int], persons: Iterable[int]) -> None:
    """Give each of these faces its person; all are keys."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE faces_imageface SET face_id = person "
            "FROM unnest(%s::bigint[], %s::bigint[]) AS assigned (face, person) WHERE id = face",
            [[int(face) for face in faces], [int(person) for person in persons]],
        )


def succeed(event: Event, heirs: Mapping[int, int]) -> None:
    """Delete persons (keys) who became part of others; their grab_ids, and a name that would be lost, go there."""
    gone = {face.pk: face for face in event.faces.filter(pk__in=heirs).defer("embedding")}
    for pk, face in gone.items():
        FaceAlias.objects.filter(face=pk).update(face=heirs[pk])
        if face.name:
            event.faces.filter(pk=heirs[pk], name="").update(name=face.name)
    FaceAlias.objects.bulk_create(FaceAlias(grab_id=face.grab_id, face_id=heirs[pk]) for pk, face in gone.items())
    event.faces.filter(pk__in=gone).delete()


def refresh(event: Event, persons: Iterable[int]) -> None:
    """Write anew what follows from the faces of these persons (keys), and delete those who have none left.

    To be called inside the transaction that moved the faces, under the lock of the event's row.
    """
    wanted = list(persons)
    if not wanted:
        return
    faces = load(embeddings_of(event).filter(image_face__face__in=wanted))
    found, labels = np.unique(faces.persons, return_inverse=True)
    store(event, groups_of(event, faces, labels, found.tolist()))
    left = event.faces.filter(pk__in=set(wanted) - set(found.tolist()))
    left.filter(image_faces=None).delete()
    # The others have faces that cannot be compared (`manage.py reembed --allow-missing`): nobody is to join them.
    Centroid.objects.filter(face__in=left).delete()
    own = ImageFace.objects.filter(face=OuterRef("pk")).order_by("-quality", "pk").values("pk")[:1]
    left.exclude(cover__face=F("pk")).update(cover=Subquery(own), cover_chosen=False)


def shrunk(event: Event) -> list[int]:
    """Return the persons who are not what their faces make them: photos have been deleted."""
    suspects = _unlike(event.faces.all(), ImageFace.objects.all())
    # Faces without a vector of the engine (`manage.py reembed --allow-missing`) are no part of a centroid. Looked at
    # again, since to leave them out from the start would cost a look at every vector.
    return _unlike(event.faces.filter(pk__in=suspects), ImageFace.objects.filter(embedding__engine=event.engine))


def _unlike(persons: QuerySet[Face], faces: QuerySet[ImageFace]) -> list[int]:
    """Return those who have no cover, or not as many of these faces as their centroid was made of."""
    counts = faces.filter(face=OuterRef("pk")).order_by().values("face").annotate(count=Count("*")).values("count")
    counted = persons.annotate(count=Coalesce(Subquery(counts), 0), size=Coalesce("centroid__size", 0))
    return list(counted.exclude(size=F("count"), cover__isnull=False).values_list("pk", flat=True))


def _known(event: Event, persons: Sequence[int]) -> dict[int, _Row]:
    stored = event.faces.filter(pk__in=persons).values_list(
        "pk", "cover", "cover_chosen", Sent(F("embedding")), Sent(F("centroid__mean")), "centroid__size"
    )
    return {
        pk: _Row(cover, chosen, received(embedding), received(mean) if mean else None, size)
        for pk, cover, chosen, embedding, mean, size in stored.iterator(chunk_size=CHUNK)
    }


def _face(event: Event, group: Group, known: _Row | None) -> Face:
    chosen = known is not None and known.cover_chosen and known.cover in group.faces
    return Face(
        pk=group.person or None,
        event=event,
        engine=event.engine,
        embedding=group.direction,
        cover_id=known.cover if known and chosen else group.cover,
        cover_chosen=chosen,
        hidden=group.hidden,
    )


def _is_stale(face: Face, group: Group, known: _Row) -> bool:
    if face.cover_id != known.cover or len(known.embedding) != len(group.mean):
        return True
    return bool(known.embedding.astype(np.float32) @ group.direction < 1 - MOVED)


def _has_new_mean(group: Group, known: _Row) -> bool:
    if known.mean is None or known.size != len(group.faces) or len(known.mean) != len(group.mean):
        return True
    return bool(np.abs(known.mean - group.mean).max() > ROUNDING)
