"""Pairs of an event's persons who may be one and the same, the most promising first."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, groupby, islice, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from django.db.models import F

from faces.constraints import TWINS
from faces.models import DecisionFace, ImageFace
from faces.thresholds import thresholds
from faces.vectors import CHUNK, Sent, received

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from events.models import Event

LIMIT = 200
"""So many are worth a look at a time: a quarter of an hour's work."""

REACH = 1.2
"""Pairs are asked about up to this many times the distance at which groups become one.

LFW, 1,935 groups: of the pairs between the two distances 56 % are one person near the first, 2 % near the second, and
0.2 % behind it."""

STEEPNESS = 0.035
"""In group distances: how quickly the share of pairs that are one person falls with their distance. Fitted to LFW."""

BLOCK_ROWS = 512
"""So many persons are compared with all others at a time: 40 MB where there are 20,000."""

CANDIDATES = 10_000
"""So many of the best pairs are kept, before those that decisions and photos forbid are left out."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two persons who may be one: their keys, their covers' keys, and the mean similarity of all pairs of faces."""

    left: int
    right: int
    covers: tuple[int, int]
    similarity: float


class _Found(NamedTuple):
    """Pairs as rows of persons, with their similarities and worths."""

    left: NDArray[np.intp]
    right: NDArray[np.intp]
    similarity: NDArray[np.float32]
    worth: NDArray[np.float32]

    def best(self, count: int) -> _Found:
        # A stable sort, so that two computations give the same order.
        chosen = np.argsort(-self.worth, kind="stable")[:count]
        return _Found(self.left[chosen], self.right[chosen], self.similarity[chosen], self.worth[chosen])

    def and_also(self, other: _Found) -> _Found:
        return _Found(
            np.concatenate((self.left, other.left)),
            np.concatenate((self.right, other.right)),
            np.concatenate((self.similarity, other.similarity)),
            np.concatenate((self.worth, other.worth)),
        )


def likely_merges(event: Event, limit: int = LIMIT) -> list[Pair]:
    """Return the pairs of visible persons that are most worth asking about; reads only.

    Left out are pairs that people have kept apart, and two persons of one photo.
    """
    persons = _load(event)
    found = _candidates(persons, thresholds(event).group)
    pairs = (
        Pair(
            left=int(persons["id"][left]),
            right=int(persons["id"][right]),
            covers=(int(persons["cover"][left]), int(persons["cover"][right])),
            similarity=float(similarity),
        )
        for left, right, similarity, _ in zip(*found, strict=True)
    )
    return list(islice(_allowed(event, pairs), limit))


def likelihood(similarity: ArrayLike, group_distance: float) -> NDArray[np.float32]:
    """Return roughly how likely it is that two groups of this mean similarity are one person, from 0 to 1."""
    beyond = 1 - np.asarray(similarity, np.float32) - group_distance
    # Further out it is 0 or 1 anyway, and exp would overflow.
    beyond = np.clip(beyond / (STEEPNESS * max(group_distance, 0.01)), -50, 50)
    answer: NDArray[np.float32] = 1 / (1 + np.exp(beyond))
    return answer


def worth(likely: ArrayLike, left: ArrayLike, right: ArrayLike) -> NDArray[np.float32]:
    """Return what an answer is worth: how likely it changes something, by the pairs of photos that it would touch.

    By their logarithm, else a guess about two large groups would come before everything that is plain to see.
    """
    answer: NDArray[np.float32] = np.asarray(likely, np.float32) * np.log2(1 + np.multiply(left, right, dtype=float))
    return answer


def _load(event: Event) -> NDArray[np.void]:
    """Read the visible persons into an array: `id`, `cover` (a key of ImageFace), `size`, `mean`."""
    visible = event.faces.visible().filter(engine=event.engine, cover__isnull=False, centroid__isnull=False)
    sent = visible.order_by("pk").values_list("pk", "cover", "centroid__size", Sent(F("centroid__mean")))
    rows = ((*numbers, received(mean)) for *numbers, mean in sent.iterator(chunk_size=CHUNK))
    first = next(rows, None)
    columns = [("id", "i8"), ("cover", "i8"), ("size", "f4"), ("mean", "f4", len(first[-1]) if first else 0)]
    return np.fromiter(chain([first] if first else [], rows), np.dtype(columns))


def _candidates(persons: NDArray[np.void], group_distance: float) -> _Found:
    """Return the best pairs that are similar enough, the best first."""
    means, sizes = np.ascontiguousarray(persons["mean"]), persons["size"]
    rows = np.zeros(0, np.intp)
    best = _Found(rows, rows, rows.astype(np.float32), rows.astype(np.float32))
    for start in range(0, len(means), BLOCK_ROWS):
        similarity = means[start : start + BLOCK_ROWS] @ means[start:].T
        left, right = np.nonzero(similarity >= 1 - REACH * group_distance)
        once = left < right
        left, right = left[once], right[once]
        alike = similarity[left, right]
        left, right = left + start, right + start
        value = worth(likelihood(alike, group_distance), sizes[left], sizes[right])
        best = best.and_also(_Found(left, right, alike, value)).best(CANDIDATES)
    return best


def _allowed(event: Event, pairs: Iterator[Pair]) -> Iterator[Pair]:
    apart = decided_apart(event)
    while chunk := list(islice(pairs, LIMIT)):
        photographed = _in_one_photo(chunk)
        for pair in chunk:
            key = (pair.left, pair.right)
            if key not in apart and (key not in photographed or pair.similarity >= TWINS):
                yield pair


def decided_apart(event: Event) -> set[tuple[int, int]]:
    """Return the pairs of persons, the lower key first, that somebody has kept apart."""
    members = (
        DecisionFace.objects.filter(decision__in=event.decisions.live(), image_face__face__isnull=False)
        .order_by("decision")
        .values_list("decision", "side", "image_face__face")
        .distinct()
    )
    return {pair for _, sides in groupby(members, key=lambda member: member[0]) for pair in _opposite(list(sides))}


def _opposite(members: Sequence[tuple[int, int, int]]) -> Iterable[tuple[int, int]]:
    """Return the pairs of persons on opposite sides of one decision."""
    sides = [{person for _, side, person in members if side == wanted} for wanted in DecisionFace.Side.values]
    return ((min(pair), max(pair)) for pair in product(*sides) if pair[0] != pair[1])


def _in_one_photo(pairs: Sequence[Pair]) -> set[tuple[int, int]]:
    """Return pairs of these persons, the lower key first, who are in one photo side by side."""
    persons = {person for pair in pairs for person in (pair.left, pair.right)}
    together = ImageFace.objects.filter(
        face__in=persons, image__faces__face__in=persons, image__faces__face__gt=F("face")
    )
    return set(together.order_by().values_list("face", "image__faces__face").distinct())
