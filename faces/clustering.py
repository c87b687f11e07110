"""Average-linkage clustering of face embeddings by reciprocal nearest neighbours: pure functions over arrays.

Sumengen et al., "Scaling Hierarchical Agglomerative Clustering to Billion-sized Datasets", 2021. The mean similarity
of all pairs between two clusters is the dot product of their mean vectors, and a merged cluster is never nearer to a
third than the nearer of its parts was. So clusters that are each other's nearest merge in any order, or at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from faces.engine import Embeddings

    Rows = NDArray[np.intp]

BLOCK_ROWS = 256

TIE_BREAK = 3e-3
TIE_BREAK_DIMENSIONS = 16

ORDER_DIMENSIONS = 8
"""Rows that are equal in the first so many dimensions are taken to be equal when they are sorted."""


def cluster(embeddings: Embeddings, min_similarity: float) -> Rows:
    """Return a label for each row, from 0 on, such that rows of one label are one person.

    Two groups become one while the mean similarity (dot product) of all pairs between them is at least
    `min_similarity`, the most similar groups first; so the order of the rows does not matter, and one
    misleading pair cannot bridge two people.
    """
    order = np.lexsort(embeddings[:, :ORDER_DIMENSIONS].T)
    labels = np.empty_like(order)
    labels[order] = _Clusters(_made_distinct(embeddings, order), min_similarity).run()
    return labels


def _made_distinct(embeddings: Embeddings, order: Rows) -> Embeddings:
    """Return the rows in this order, with dimensions added in which no two are alike.

    Else thousands of equal faces would all have the same nearest one, and merge one by one.
    """
    noise = np.random.default_rng(0).standard_normal((len(order), TIE_BREAK_DIMENSIONS), np.float32)
    noise *= TIE_BREAK / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = np.empty((len(order), embeddings.shape[1] + TIE_BREAK_DIMENSIONS), np.float32)
    vectors[:, TIE_BREAK_DIMENSIONS:], vectors[:, :TIE_BREAK_DIMENSIONS] = embeddings[order], noise
    return vectors


class _Clusters:
    """The clusters that may still grow: row by row the mean vector, size, name, nearest other and its similarity.

    A cluster whose nearest one has changed is not `fresh`; it is searched for only when another waits for it. So a
    person's core grows without a search for each of the others of the person at each step.
    """

    def __init__(self, vectors: Embeddings, min_similarity: float) -> None:
        self.min_similarity = min_similarity
        self.means = vectors
        self.sizes = np.ones(len(vectors), np.float32)
        self.names, self.parents = np.arange(len(vectors)), np.arange(len(vectors))
        self.nearest = np.zeros(len(vectors), np.intp)
        self.similarity = np.full(len(vectors), -np.inf, np.float32)
        self.fresh = np.zeros(len(vectors), bool)

    def run(self) -> Rows:
        """Merge until nothing is similar enough, and return the label of each row."""
        while len(self.means):
            self._search(self._awaited())
            self._search(self._merge())
        while (self.parents != (above := self.parents[self.parents])).any():
            self.parents = above
        return np.unique(self.parents, return_inverse=True)[1]

    def _awaited(self) -> Rows:
        """Return the clusters that are the nearest of others but not fresh; else all that are not fresh."""
        awaited = np.zeros_like(self.fresh)
        awaited[self.nearest[self.fresh]] = True
        awaited &= ~self.fresh
        return np.flatnonzero(awaited if awaited.any() else ~self.fresh)

    def _search(self, clusters: Rows) -> None:
        for start in range(0, len(clusters), BLOCK_ROWS):
            rows = clusters[start : start + BLOCK_ROWS]
            similarity = self.means[rows] @ self.means.T
            similarity[np.arange(len(rows)), rows] = -np.inf
            self.nearest[rows], self.similarity[rows] = similarity.argmax(axis=1), similarity.max(axis=1)
        self.fresh[clusters] = True

    def _merge(self) -> Rows:
        """Merge those that are each other's nearest, drop those that nothing is similar to; return those that grew."""
        left, right = self._mutual()
        share = self.sizes[right] / (self.sizes[left] + self.sizes[right])
        self.means[left] += (self.means[right] - self.means[left]) * share[:, None]
        self.sizes[left] += self.sizes[right]
        self.parents[self.names[right]] = self.names[left]
        kept = ~self.fresh | (self.similarity >= self.min_similarity)
        kept[left], kept[right] = True, False
        changed = ~kept
        changed[left] = True
        stale = changed | changed[self.nearest]
        self.fresh[stale], self.similarity[stale] = False, -np.inf
        return self._keep(kept)[left]

    def _mutual(self) -> tuple[Rows, Rows]:
        # Rounding may make three clusters each other's nearest in a ring: the most similar pair is mutual in any case.
        best = self.similarity.argmax()
        self.nearest[self.nearest[best]] = best
        other, rows = self.nearest, np.arange(len(self.nearest))
        similar = np.maximum(self.similarity, self.similarity[other]) >= self.min_similarity
        left = np.flatnonzero(similar & self.fresh & self.fresh[other] & (other[other] == rows) & (rows < other))
        return left, other[left]

    def _keep(self, kept: NDArray[np.bool_]) -> Rows:
        """Move the last ones into the gaps, so that no copy of all is made; return the new row of each."""
        count = np.count_nonzero(kept)
        gaps, last = np.flatnonzero(~kept[:count]), count + np.flatnonzero(kept[count:])
        numbers = np.where(kept, np.arange(len(kept)), 0)
        numbers[last] = gaps
        self.nearest = numbers[self.nearest]
        for name in ("means", "sizes", "names", "nearest", "similarity", "fresh"):
            column = getattr(self, name)
            column[gaps] = column[last]
            setattr(self, name, column[:count])
        return numbers
