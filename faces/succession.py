"""Which person each group of faces continues, and who takes over from the persons that none continues."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faces.clustering import Rows


def keepers(persons: NDArray[np.int64], labels: Rows) -> list[int]:
    """Return for each label (from 0 on) the person it continues, 0 for a new one.

    `persons` holds each face's present person, 0 for none. The pair with most faces in common comes first, so that a
    person stays with its largest part.
    """
    kept = [0] * (int(labels.max(initial=-1)) + 1)
    taken = set()
    for label, person, _ in _common(persons, labels):
        if not kept[label] and person not in taken:
            kept[label] = person
            taken.add(person)
    return kept


def heirs(persons: NDArray[np.int64], labels: Rows) -> dict[int, int]:
    """Return for each person that no label continues the label that has most of its faces."""
    kept = set(keepers(persons, labels))
    found: dict[int, int] = {}
    for label, person, _ in _common(persons, labels):
        if person not in kept:
            found.setdefault(person, label)
    return found


def _common(persons: NDArray[np.int64], labels: Rows) -> list[tuple[int, int, int]]:
    """Return label, person and how many faces they have in common, most first."""
    known = persons > 0
    counts = Counter(zip(labels[known].tolist(), persons[known].tolist(), strict=True))
    return sorted(((*pair, count) for pair, count in counts.items()), key=lambda entry: (-entry[2], entry[:2]))
