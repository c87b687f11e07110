"""How good a grouping and an embedding are: pure functions over arrays.

Everywhere, `persons` holds the true person of each face and `groups` the group it was put in, as numbers. A share
of nothing is 1: who claims nothing is never wrong, and who has nothing to find has found it all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Labels = NDArray[np.int64]


def share(part: float, whole: float) -> float:
    """Return part / whole, or 1 where there is nothing to share."""
    return float(part / whole) if whole else 1.0


def f_score(precision: float, recall: float) -> float:
    """Return the harmonic mean of precision and recall."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def pairwise(persons: Labels, groups: Labels) -> tuple[float, float]:
    """Return precision and recall of the claim "these two faces are one person", over all pairs of faces."""
    right = _pairs(_together(persons, groups)[2])
    return share(right, _pairs(_sizes(groups))), share(right, _pairs(_sizes(persons)))


def bcubed(persons: Labels, groups: Labels) -> tuple[float, float]:
    """Return B³ precision and recall (Bagga and Baldwin, 1998).

    For each face: how much of its group is its person, and how much of its person is in its group; the means
    over all faces. Unlike pairs, a large person does not outweigh the small ones.
    """
    person, group, common = _together(persons, groups)
    precision = (common**2 / _sizes(groups)[group]).sum()
    recall = (common**2 / _sizes(persons)[person]).sum()
    return share(precision, len(persons)), share(recall, len(persons))


def groups_per_person(persons: Labels, groups: Labels) -> float:
    """Return in how many groups a person is, on average; 1 is right."""
    return share(len(_together(persons, groups)[0]), len(_sizes(persons)))


def mixed_persons(persons: Labels, groups: Labels) -> float:
    """Return the share of persons who have a face in a group that holds another person's face, too; 0 is right."""
    person, group, _ = _together(persons, groups)
    if not len(person):
        return 0.0
    mixed = np.bincount(group)[group] > 1
    return share(len(np.unique(person[mixed])), len(_sizes(persons)))


def tar_at_far(persons: Labels, embeddings: NDArray[np.float32], rates: Sequence[float]) -> dict[float, float]:
    """Return for each false accept rate the true accept rate, over all pairs of faces.

    The threshold is the lowest cosine similarity at which at most this share of the pairs of different persons
    is accepted. Rates that so few pairs cannot tell (less than one pair to accept) are left out.
    """
    same, different = _similarities(persons, embeddings)
    accepted = {rate: int(rate * len(different)) for rate in rates}
    return {
        rate: share((same > np.partition(different, -count - 1)[-count - 1]).sum(), len(same))
        for rate, count in accepted.items()
        if 0 < count < len(different)
    }


def _similarities(persons: Labels, embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the similarities of all pairs of one person, and of all others."""
    same, different = [np.empty(0, np.float32)], [np.empty(0, np.float32)]
    for row in range(len(persons) - 1):
        similar = embeddings[row + 1 :] @ embeddings[row]
        own = persons[row + 1 :] == persons[row]
        same.append(similar[own])
        different.append(similar[~own])
    return np.concatenate(same), np.concatenate(different)


def _together(persons: Labels, groups: Labels) -> tuple[Labels, Labels, Labels]:
    """Return every combination that occurs: person and group, both numbered from 0, and its count of faces."""
    numbered = np.stack([np.unique(labels, return_inverse=True)[1] for labels in (persons, groups)])
    (person, group), count = np.unique(numbered, axis=1, return_counts=True)
    return person, group, count


def _sizes(labels: Labels) -> Labels:
    return np.unique(labels, return_counts=True)[1]


def _pairs(sizes: Labels) -> int:
    return int((sizes * (sizes - 1) // 2).sum())
