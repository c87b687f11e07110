"""New faces join the persons that are there, or found new ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import F
from django.db.models.functions import Coalesce

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
    united, claims = _constraints(event, faces, known)
    limits = thresholds(event)
    new = Clusters.of_faces(faces.embeddings, claims).merged(united)
    clustered = cluster(new, 1 - limits.group)
    groups, labels = new.merged(clustered), clustered[united]
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


def _constraints(event: Event, faces: Faces, known: _Known) -> tuple[Rows, list[Claims]]:
    """Return a label for each new face, the same for those that must be one person, and what each of them claims.

    What may contradict that is added to the known persons.
    """
    united = np.arange(len(faces.ids))
    claims: list[Claims] = [{} for _ in faces.ids]
    if DecisionFace.objects.filter(image_face__in=faces.ids.tolist()).exists():
        united, claims = _decided(event, faces, known)
    constraints.add_photos(claims, faces)
    # Faces come photo by photo; but staff may have removed one from its person.
    beside = ImageFace.objects.filter(image__in=faces.images.tolist()).exclude(face=None)
    shared = set(beside.values_list("image__pk", flat=True))
    for row in [row for row, image in enumerate(faces.images.tolist()) if image in shared]:
        claims[row].setdefault(("photo", int(faces.images[row])), int(faces.ids[row]))
    known.add((person, {("photo", image): pk}) for pk, image, person in beside.values_list("pk", "image", "face"))
    return united, claims


def _decided(event: Event, faces: Faces, known: _Known) -> tuple[Rows, list[Claims]]:
    everyone = embeddings_of(event).order_by("pk").values_list("pk", Coalesce("image_face__face", 0))
    ids, persons = np.array(list(everyone), np.int64).T
    decided = constraints.Decided(event, ids)
    claims = decided.claims
    known.add((person, claimed) for person, claimed in zip(persons.tolist(), claims, strict=True) if person)
    rows = np.searchsorted(ids, faces.ids)
    return np.unique(decided.labels[rows], return_inverse=True)[1], [claims[row] for row in rows.tolist()]


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
