"""Average-linkage clustering of face embeddings, on a sparse graph: pure functions over arrays."""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faces.engine import Embeddings

ASSUMED_SIMILARITY = 0.1
"""Stands for the similarity of every pair below the floor: about the mean of two strangers who look a little alike."""

MARGIN_BELOW = 0.15
"""Pairs this much less similar than the threshold still count with their true value."""

BLOCK_ROWS = 2048


def cluster(embeddings: Embeddings, min_similarity: float) -> NDArray[np.intp]:
    """Return a label for each row, such that rows of one label are one person.

    Two groups become one while the mean cosine similarity of all pairs between them is at least
    `min_similarity`, the most similar groups first; so the order of the rows does not matter, and one
    misleading pair cannot bridge two people.
    """
    merges = _Merges(len(embeddings), min_similarity)
    for left, right, similarity in _similar_pairs(embeddings, min_similarity - MARGIN_BELOW):
        merges.add_pairs(left, right, similarity)
    return merges.run()


def _similar_pairs(
    embeddings: Embeddings, floor: float
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
    """Yield every pair (left < right) of at least this similarity, in blocks that fit the memory."""
    for start in range(0, len(embeddings), BLOCK_ROWS):
        similarity = embeddings[start : start + BLOCK_ROWS] @ embeddings[start:].T
        left, right = np.nonzero(np.triu(similarity >= floor, k=1))
        yield left + start, right + start, similarity[left, right]


class _Merges:
    """Groups being merged, best pair first.

    For each pair of groups that have a similar pair between them, `excess` holds the sum over their pairs of
    (similarity - ASSUMED_SIMILARITY), so that the mean is one division away whatever the groups' sizes.
    """

    def __init__(self, count: int, min_similarity: float) -> None:
        self.min_similarity = min_similarity
        self.members: dict[int, list[int]] = {row: [row] for row in range(count)}
        self.excess: dict[int, dict[int, float]] = {row: {} for row in range(count)}
        self.count = count

    def add_pairs(self, left: NDArray[np.intp], right: NDArray[np.intp], similarity: NDArray[np.float32]) -> None:
        for a, b, value in zip(left.tolist(), right.tolist(), similarity.tolist(), strict=True):
            self.excess[a][b] = self.excess[b][a] = value - ASSUMED_SIMILARITY

    def run(self) -> NDArray[np.intp]:
        heap = [
            (-self._mean(a, b), a, b)
            for a, others in self.excess.items()
            for b in others
            if a < b and self._mean(a, b) >= self.min_similarity
        ]
        heapify(heap)
        while heap:
            _, a, b = heappop(heap)
            # A group that was merged since has a new number.
            if a in self.members and b in self.members:
                for entry in self._merge(a, b):
                    heappush(heap, entry)
        return self._labels()

    def _mean(self, a: int, b: int) -> float:
        return ASSUMED_SIMILARITY + self.excess[a][b] / (len(self.members[a]) * len(self.members[b]))

    def _merge(self, a: int, b: int) -> Iterator[tuple[float, int, int]]:
        """Make one group of two, and yield its entries for the heap."""
        new, self.count = self.count, self.count + 1
        self.members[new] = self.members.pop(a) + self.members.pop(b)
        self.excess[new] = {}
        for old in (a, b):
            for other, excess in self.excess.pop(old).items():
                if other not in (a, b):
                    del self.excess[other][old]
                    self.excess[new][other] = self.excess[new].get(other, 0.0) + excess
        for other, excess in self.excess[new].items():
            self.excess[other][new] = excess
            mean = self._mean(new, other)
            if mean >= self.min_similarity:
                yield -mean, other, new

    def _labels(self) -> NDArray[np.intp]:
        labels = np.empty(sum(map(len, self.members.values())), dtype=np.intp)
        for label, rows in enumerate(self.members.values()):
            labels[rows] = label
        return labels
