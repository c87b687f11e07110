"""All faces of an event clustered anew, within what must hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from faces import constraints
from faces.clustering import Clusters, attach, cluster, rows_of_each
from faces.thresholds import thresholds

if TYPE_CHECKING:
    from events.models import Event
    from faces.clustering import Rows
    from faces.thresholds import Thresholds
    from faces.vectors import Faces

EXACT = 20_000
"""Beyond so many faces, clustering does not begin with single faces, but with the cores of the present persons."""

CORE = 0.1
"""Faces of one person that are more similar than a group needs, by this, stay together then."""

WEAK, STRONG = 2, 3
"""A group of at most 2 faces joins one of at least 3 that it is less similar to than two groups must be."""


def partition(event: Event, faces: Faces) -> Rows:
    """Return a label for each face, from 0 on; those of one label are one person."""
    if not len(faces.ids):
        return np.zeros(0, np.intp)
    decided = constraints.Decided(event, faces.ids)
    claims = decided.claims
    constraints.add_photos(claims, faces)
    constraints.add_persons(claims, event, faces)
    limits = thresholds(event)
    everyone = Clusters.of_faces(faces.embeddings, claims)
    labels = decided.labels
    if len(faces.ids) > EXACT:
        labels = _cores(everyone.merged(labels), labels, faces, 1 - limits.group + CORE)
    return grown(everyone.merged(labels), limits)[labels]


def grown(clusters: Clusters, limits: Thresholds) -> Rows:
    """Return a label for each cluster: those of one person are united, and weak groups join strong ones."""
    labels = cluster(clusters, 1 - limits.group)
    groups = clusters.merged(labels)
    joined = join_strong(groups, groups, 1 - limits.join)
    return np.unique(np.where(joined < 0, np.arange(len(joined)), joined)[labels], return_inverse=True)[1]


def join_strong(groups: Clusters, to: Clusters, min_similarity: float) -> Rows:
    """Return for each weak group the row of the strong one in `to` that it joins, or -1."""
    weak, strong = np.flatnonzero(groups.sizes <= WEAK), np.flatnonzero(to.sizes >= STRONG)
    joined = np.full(len(groups.sizes), -1)
    found = attach(groups.only(weak), to.only(strong), min_similarity)
    joined[weak[found >= 0]] = strong[found[found >= 0]]
    return joined


def _cores(clusters: Clusters, labels: Rows, faces: Faces, min_similarity: float) -> Rows:
    """Return new labels that unite what is clearly the same inside each present person.

    The nearest of all others is looked for once for every core instead of for every face.
    """
    persons = faces.persons[np.unique(labels, return_index=True)[1]]
    cores = np.arange(len(persons))
    for rows in rows_of_each(persons):
        if persons[rows[0]] and len(rows) > 1:
            cores[rows] = rows[cluster(clusters.only(rows), min_similarity)]
    return np.unique(cores, return_inverse=True)[1][labels]
