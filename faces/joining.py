"""New faces join the persons that are there, or found new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import F

from faces import constraints
from faces.clustering import Clusters, attach, cluster
from faces.models import Centroid, DecisionFace, ImageFace
from faces.partition import join_strong
from faces.persons import assign, groups_of, store, store_centroids
from faces.thresholds import thresholds
from faces.vectors import Sent, embeddings_of, load, received

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from events.models import Event
    from faces.clustering import Claims, Rows
    from faces.persons import Group
    from faces.vectors import Faces

BATCH = 2000
"""So many new faces join at a time; others can see the persons in between."""


def join(event: Event) -> int | None:
    """Give a batch of new faces their persons; return how many persons are new, None where there was no new face.

    To be called under the lock of the event's row. The rows of known persons are not touched, but for their centroids.
    """
    faces = load(embeddings_of(event).filter(image_face__face=None), BATCH)
    if not len(faces.ids):
        return None
    known = _known(event, faces.embeddings.shape[1])
    claims = _claims(event, faces, known)
    limits = thresholds(event)
    new = Clusters.of_faces(faces.embeddings, claims)
    labels = cluster(new, 1 - limits.group)
    groups = new.merged(labels)
    joined = attach(groups, known.clusters, 1 - limits.group)
    rest = np.flatnonzero(joined < 0)
    joined[rest] = join_strong(groups.only(rest), known.clusters, 1 - limits.join)
    return _write(event, faces, labels, joined, known)


@dataclass(frozen=True, slots=True)
class _Known:
    """The persons of the event, row by row."""

    persons: list[int]
    clusters: Clusters

    def add(self, claims: Iterable[tuple[int, Claims]]) -> None:
        """Add what persons claim."""
        rows = {person: row for row, person in enumerate(self.persons)}
        for person, claimed in claims:
            if person in rows:
                self.clusters.claims[rows[person]].update(claimed)


def _known(event: Event, dimension: int) -> _Known:
    centroids = Centroid.objects.filter(face__event=event).order_by("face")
    rows = list(centroids.values_list("face", "size", Sent(F("mean"))))
    means = np.array([received(sent) for *_, sent in rows], np.float32).reshape(len(rows), dimension)
    sizes = np.array([size for _, size, _ in rows], np.float32)
    return _Known([row[0] for row in rows], Clusters(means, sizes, [{} for _ in rows]))


def _claims(event: Event, faces: Faces, known: _Known) -> list[Claims]:
    """Return what the new faces claim, and add to the known persons what may contradict it."""
    claims: list[Claims] = [{} for _ in faces.ids]
    if DecisionFace.objects.filter(image_face__in=faces.ids.tolist()).exists():
        claims = _decided(event, faces, known)
    constraints.add_photos(claims, faces)
    # Faces come photo by photo; but staff may have removed one from its person.
    beside = ImageFace.objects.filter(image__in=faces.images.tolist()).exclude(face=None)
    shared = set(beside.values_list("image__pk", flat=True))
    for row in [row for row, image in enumerate(faces.images.tolist()) if image in shared]:
        claims[row].setdefault(("photo", int(faces.images[row])), int(faces.ids[row]))
    known.add((person, {("photo", image): pk}) for pk, image, person in beside.values_list("pk", "image", "face"))
    return claims


def _decided(event: Event, faces: Faces, known: _Known) -> list[Claims]:
    everyone = list(embeddings_of(event).order_by("pk").values_list("pk", "image_face__face"))
    decided = constraints.Decided(event, np.array([pk for pk, _ in everyone], np.int64))
    claims = dict(zip((pk for pk, _ in everyone), decided.claims, strict=True))
    known.add((person, claims[pk]) for pk, person in everyone if person)
    return [claims[pk] for pk in faces.ids.tolist()]


def _write(event: Event, faces: Faces, labels: Rows, joined: Rows, known: _Known) -> int:
    """Write the persons of the new groups down; `joined` holds the row of the known person each joins, or -1."""
    groups = groups_of(event, faces, labels, [known.persons[row] if row >= 0 else 0 for row in joined.tolist()])
    founded = [group for group in groups if not group.person]
    new = iter(store(event, founded))
    persons = [group.person or next(new) for group in groups]
    assign(faces.ids, np.array(persons)[labels])
    store_centroids(_grown([group for group in groups if group.person], known))
    return len(founded)


def _grown(groups: Sequence[Group], known: _Known) -> Iterator[tuple[int, NDArray[np.float32], int]]:
    """Yield the new centroid of each person that groups have joined: key, mean and size."""
    rows = {person: row for row, person in enumerate(known.persons)}
    sums: dict[int, tuple[NDArray[np.float32], float]] = {}
    for group in groups:
        row = rows[group.person]
        before = float(known.clusters.sizes[row])
        total, size = sums.get(group.person, (known.clusters.means[row] * before, before))
        sums[group.person] = total + group.mean * len(group.faces), size + len(group.faces)
    for person, (total, size) in sums.items():
        yield person, total / size, int(size)
