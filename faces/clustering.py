"""Average-linkage clustering of face embeddings by reciprocal nearest neighbours: pure functions over arrays.

Sumengen et al., "Scaling Hierarchical Agglomerative Clustering to Billion-sized Datasets", 2021. The mean similarity
of all pairs between two clusters is the dot product of their mean vectors, and a merged cluster is never nearer to a
third than the nearer of its parts was. So clusters that are each other's nearest merge in any order, or at once. That
some clusters must not merge changes nothing about it: such a pair only counts as not similar.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from faces.engine import Embeddings

    Rows = NDArray[np.intp]

BLOCK_ROWS = 256

TIE_BREAK = 3e-3
TIE_BREAK_DIMENSIONS = 16

CANDIDATES = 8
"""So many of the most similar persons are considered for a face that joins one."""

ORDER_DIMENSIONS = 8
"""Rows that are equal in the first so many dimensions are taken to be equal when they are sorted."""


Claims = dict[Hashable, Hashable]
"""What is known of a cluster; two that claim different values for the same key are never one person."""


@dataclass(slots=True)
class Clusters:
    """Clusters row by row: the mean of their vectors, how many these are, and what they claim.

    The mean similarity of all pairs between two clusters is the dot product of their means.
    """

    means: Embeddings
    sizes: NDArray[np.float32]
    claims: list[Claims]

    @classmethod
    def of_faces(cls, embeddings: Embeddings, claims: list[Claims] | None = None) -> Clusters:
        """Return one cluster for each face."""
        count = len(embeddings)
        return cls(embeddings, np.ones(count, np.float32), claims or [{} for _ in range(count)])

    def only(self, rows: Rows) -> Clusters:
        """Return the clusters in these rows; they share what they claim."""
        return Clusters(self.means[rows], self.sizes[rows], [self.claims[row] for row in rows.tolist()])

    def merged(self, labels: Rows) -> Clusters:
        """Return one cluster for each label (from 0 on): the means of means, and everything that is claimed."""
        count = int(labels.max(initial=-1)) + 1
        sizes = np.bincount(labels, self.sizes, count).astype(np.float32)
        means = np.empty((count, self.means.shape[1]), np.float32)
        for label, rows in enumerate(rows_of_each(labels)):
            means[label] = self.sizes[rows] @ self.means[rows] / sizes[label]
        claims: list[Claims] = [{} for _ in range(count)]
        for label, claimed in zip(labels.tolist(), self.claims, strict=True):
            claims[label].update(claimed)
        return Clusters(means, sizes, claims)


def rows_of_each(values: NDArray[np.int64]) -> list[Rows]:
    """Return the rows of each value that occurs, in ascending order of the values."""
    order = np.argsort(values, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(values[order])) + 1) if len(order) else []


def cluster(clusters: Clusters, min_similarity: float) -> Rows:
    """Return a label for each row, from 0 on, such that rows of one label are one person.

    Two groups become one while the mean similarity (dot product) of all pairs between them is at least
    `min_similarity` and their claims do not contradict each other, the most similar groups first; so the order of the
    rows does not matter, and one misleading pair cannot bridge two people.
    """
    order = np.lexsort(clusters.means[:, :ORDER_DIMENSIONS].T)
    labels = np.empty_like(order)
    labels[order] = _Growing(clusters, order, min_similarity).run()
    return labels


def attach(clusters: Clusters, to: Clusters, min_similarity: float) -> Rows:
    """Return for each cluster the row of `to` that it joins, or -1; the most similar ones first.

    The claims of those that join are added to `to`, so that two faces of one photo do not both join the same person.
    """
    joined = np.full(len(clusters.means), -1)
    for _, row, target in sorted(_candidates(clusters, to, min_similarity), reverse=True):
        if joined[row] < 0 and not contradict(clusters.claims[row], to.claims[target]):
            joined[row] = target
            to.claims[target].update(clusters.claims[row])
    return joined


def contradict(left: Claims, right: Claims) -> bool:
    """Tell whether two clusters claim different values for the same key."""
    if len(left) > len(right):
        left, right = right, left
    return any(key in right and right[key] != value for key, value in left.items())


def _candidates(clusters: Clusters, to: Clusters, min_similarity: float) -> Iterator[tuple[float, int, int]]:
    """Yield similarity and rows of the most similar pairs of each cluster."""
    few = min(CANDIDATES, len(to.means))
    for start in range(0, len(clusters.means), BLOCK_ROWS):
        similarity = clusters.means[start : start + BLOCK_ROWS] @ to.means.T
        nearest = np.argpartition(-similarity, few - 1, axis=1)[:, :few] if few else np.empty((0, 0), np.intp)
        for row, targets in enumerate(nearest):
            for target in targets[similarity[row, targets] >= min_similarity].tolist():
                yield float(similarity[row, target]), start + row, target


def _made_distinct(embeddings: Embeddings, order: Rows) -> Embeddings:
    """Return the rows in this order, with dimensions added in which no two are alike.

    Else thousands of equal faces would all have the same nearest one, and merge one by one.
    """
    noise = np.random.default_rng(0).standard_normal((len(order), TIE_BREAK_DIMENSIONS), np.float32)
    noise *= TIE_BREAK / np.linalg.norm(noise, axis=1, keepdims=True)
    vectors = np.empty((len(order), embeddings.shape[1] + TIE_BREAK_DIMENSIONS), np.float32)
    vectors[:, TIE_BREAK_DIMENSIONS:], vectors[:, :TIE_BREAK_DIMENSIONS] = embeddings[order], noise
    return vectors


def _united(left: Claims, right: Claims) -> Claims:
    """Return all claims of both, in the larger of the two."""
    small, large = (left, right) if len(left) < len(right) else (right, left)
    large.update(small)
    return large


class _Growing:
    """The clusters that may still grow: row by row the mean vector, size, name, nearest other and its similarity.

    A cluster whose nearest one has changed is not `fresh`; it is searched for only when another waits for it. So a
    person's core grows without a search for each of the others of the person at each step.
    """

    def __init__(self, clusters: Clusters, order: Rows, min_similarity: float) -> None:
        count = len(order)
        self.min_similarity = min_similarity
        self.means, self.sizes = _made_distinct(clusters.means, order), clusters.sizes[order]
        self.claims = [dict(clusters.claims[row]) for row in order]
        self.names, self.parents = np.arange(count), np.arange(count)
        self.nearest = np.zeros(count, np.intp)
        self.similarity = np.full(count, -np.inf, np.float32)
        self.fresh = np.zeros(count, bool)

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
            for place in np.flatnonzero(self.similarity[rows] >= self.min_similarity):
                self._avoid(rows[place], similarity[place])
        self.fresh[clusters] = True

    def _avoid(self, row: np.intp, similarity: NDArray[np.float32]) -> None:
        """Let the row's nearest be one that it may merge with."""
        claims = self.claims[self.names[row]]
        while self.similarity[row] > -np.inf and contradict(claims, self.claims[self.names[self.nearest[row]]]):
            similarity[self.nearest[row]] = -np.inf
            self.nearest[row], self.similarity[row] = similarity.argmax(), similarity.max()

    def _merge(self) -> Rows:
        """Merge those that are each other's nearest, drop those that nothing is similar to; return those that grew."""
        left, right = self._mutual()
        share = self.sizes[right] / (self.sizes[left] + self.sizes[right])
        self.means[left] += (self.means[right] - self.means[left]) * share[:, None]
        self.sizes[left] += self.sizes[right]
        self.parents[self.names[right]] = self.names[left]
        for kept_name, gone in zip(self.names[left].tolist(), self.names[right].tolist(), strict=True):
            self.claims[kept_name] = _united(self.claims[kept_name], self.claims[gone])
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
