"""The algorithm Grabpic began with, to be measured against: greedy identities of one vector each.

A face joins the identity whose only vector, that of its first face, is nearest, if the cosine distance is at most
0.4; else it founds a new one. What is decided stays.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_DISTANCE = 0.4

_FIRST_ROOM = 256


class ClassicIdentities:
    """Identities in the order of their first faces; every vector has unit length."""

    def __init__(self, dimension: int) -> None:
        self._vectors = np.empty((_FIRST_ROOM, dimension), np.float32)
        self._count = 0

    def find(self, vector: NDArray[np.float32]) -> int | None:
        """Return the number of the nearest identity that is near enough, or None."""
        if not self._count:
            return None
        similar = self._vectors[: self._count] @ vector
        best = int(similar.argmax())
        return best if 1 - similar[best] <= MAX_DISTANCE else None

    def add(self, vector: NDArray[np.float32]) -> int:
        """Return the number of this face's identity, an old one or a new one."""
        known = self.find(vector)
        if known is not None:
            return known
        if self._count == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.empty_like(self._vectors)])
        self._vectors[self._count] = vector
        self._count += 1
        return self._count - 1
