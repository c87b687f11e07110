"""Persons of an event who may be several people, the most suspicious first, each with its reason."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from enum import Enum
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from faces.clustering import Clusters, cluster
from faces.constraints import TWINS
from faces.doubts import likenesses
from faces.models import Decision, DecisionFace, ImageFace
from faces.reviews import LIMIT, likelihood, worth
from faces.thresholds import thresholds
from faces.vectors import embeddings_of, load

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from numpy.typing import NDArray

    from events.models import Event
    from faces.engine import Embeddings

STRICTER = 0.9
"""A group that falls apart at this many times the distance at which groups become one is suspicious.

LFW, 458 groups of three faces or more: the three that had two people in them did, and 13 % of the others."""

EXAMINED = 300
"""So many persons, those with the oddest faces, are clustered anew; of the others only the centroid is looked at."""

AT_A_TIME = 20
"""So many persons' vectors are in memory."""

NEARER = 0.1
"""A face that is so much more like one of two people in a photo than like the other counts as the one."""

TYPICAL = 6
"""So many faces stand for the rest of the group."""


NEVER = -1.0
"""The similarity of two people who are seen side by side."""


class Reason(Enum):
    """Why a person is suspicious, for people."""

    TWICE = "The same person twice in one photo"
    UNLIKE = "Unlike the rest of the group"


@dataclass(frozen=True, slots=True)
class Suspicion:
    """A person of whom some faces may be somebody else's; faces by key, `similarity` of `doubtful` and the rest.

    `photos` (keys of Image) show the person twice.
    """

    person: int
    reason: Reason
    doubtful: tuple[int, ...]
    typical: tuple[int, ...]
    photos: tuple[int, ...]
    similarity: float
    worth: float


@dataclass(frozen=True, slots=True)
class _Group:
    """One person's faces, row by row. `settled`: somebody has decided that these are one person."""

    ids: NDArray[np.int64]
    images: NDArray[np.int64]
    vectors: Embeddings
    settled: NDArray[np.bool_]

    def similarity(self, row: int, other: int) -> float:
        """Return the cosine similarity of two faces."""
        one, two = self.vectors[row], self.vectors[other]
        return float(one @ two / (np.linalg.norm(one) * np.linalg.norm(two)))


class _Odd(NamedTuple):
    """The rows of the doubtful faces, and the photos that show why."""

    reason: Reason
    rows: NDArray[np.intp]
    photos: tuple[int, ...] = ()


def suspicious(event: Event, limit: int = LIMIT) -> list[Suspicion]:
    """Return the visible persons that are most worth a look; reads only.

    Faces of which somebody has decided that they are one person are not suspected any more.
    """
    distance = thresholds(event).group
    oddest = _oddest(event, distance)
    chunks = (oddest[start : start + AT_A_TIME] for start in range(0, len(oddest), AT_A_TIME))
    found = [suspicion for chunk in chunks for suspicion in examine(event, chunk, distance)]
    return sorted(found, key=lambda suspicion: (-suspicion.worth, suspicion.person))[:limit]


def examine(event: Event, persons: Collection[int], group_distance: float) -> list[Suspicion]:
    """Return what is suspicious about these persons (primary keys); those that are not are left out."""
    faces = load(embeddings_of(event).filter(image_face__face__in=persons))
    settled = np.isin(faces.ids, _settled(event))
    found = []
    for person in persons:
        rows = np.flatnonzero(faces.persons == person)
        group = _Group(faces.ids[rows], faces.images[rows], faces.embeddings[rows], settled[rows])
        odd = _twice(group) or _unlike(group, group_distance) if len(rows) else None
        if odd:
            found.append(_suspicion(person, group, odd, group_distance))
    return found


def _settled(event: Event) -> NDArray[np.int64]:
    """Return the faces of which somebody has decided that they are one person."""
    decisions = event.decisions.live().filter(kind__in=Decision.UNITING)
    decided = DecisionFace.objects.filter(decision__in=decisions, side=DecisionFace.Side.TOGETHER)
    return np.fromiter(decided.values_list("image_face", flat=True).distinct(), np.int64)


def _oddest(event: Event, group_distance: float) -> list[int]:
    """Return the persons whose least likely face is most suspicious, judged by the centroid alone."""
    shown = ImageFace.objects.filter(face__in=event.faces.visible().values("pk"))
    alike = likenesses(event, shown)
    settled = set(_settled(event).tolist())
    sizes: Counter[int] = Counter()
    seen: set[tuple[int, int]] = set()
    least: dict[int, float] = {}
    for pk, person, image in shown.order_by("pk").values_list("pk", "face__pk", "image__pk").iterator():
        if pk in alike and pk not in settled:
            similarity = NEVER if (person, image) in seen else alike[pk].similarity
            least[person] = min(least.get(person, similarity), similarity)
        sizes[person] += 1
        seen.add((person, image))
    persons = list(least)
    doubts = 1 - likelihood([least[person] for person in persons], group_distance)
    values = worth(doubts, 1, [sizes[person] - 1 for person in persons])
    return [persons[place] for place in np.argsort(-values, kind="stable")[:EXAMINED]]


def _suspicion(person: int, group: _Group, odd: _Odd, group_distance: float) -> Suspicion:
    rest = np.setdiff1d(np.arange(len(group.ids)), odd.rows)
    centre = group.vectors[rest].mean(axis=0)
    similarity = float(group.vectors[odd.rows].mean(axis=0) @ centre)
    doubt = 1 - likelihood(NEVER if odd.reason is Reason.TWICE else similarity, group_distance)
    typical = rest[np.argsort(-(group.vectors[rest] @ centre), kind="stable")[:TYPICAL]]
    return Suspicion(
        person=person,
        reason=odd.reason,
        doubtful=tuple(group.ids[odd.rows].tolist()),
        typical=tuple(group.ids[typical].tolist()),
        photos=odd.photos,
        similarity=similarity,
        worth=float(worth(doubt, len(odd.rows), len(rest))),
    )


def _twice(group: _Group) -> _Odd | None:
    """Take two faces of one photo for two people, and find the faces of the one who is there less often."""
    doubles = sorted(_doubles(group))
    if not doubles:
        return None
    _, one, other = doubles[0]
    gain = group.vectors @ (group.vectors[other] - group.vectors[one])
    is_larger = (gain > NEARER).sum() > (gain < -NEARER).sum()
    if group.settled[other] or (is_larger and not group.settled[one]):
        one, other, gain = other, one, -gain
    odd = (gain > NEARER) & ~group.settled
    odd[other], odd[one] = True, False
    photos = dict.fromkeys(int(group.images[row]) for _, row, _ in doubles)
    return _Odd(Reason.TWICE, np.flatnonzero(odd), tuple(photos))


def _doubles(group: _Group) -> Iterator[tuple[float, int, int]]:
    """Yield similarity and rows of each two faces in one photo that are not twins, nor both settled."""
    photos: dict[int, list[int]] = defaultdict(list)
    for row, image in enumerate(group.images.tolist()):
        photos[image].append(row)
    for row, other in chain.from_iterable(combinations(rows, 2) for rows in photos.values()):
        similarity = group.similarity(row, other)
        if similarity < TWINS and not (group.settled[row] and group.settled[other]):
            yield similarity, row, other


def _unlike(group: _Group, group_distance: float) -> _Odd | None:
    """Cluster the faces at a stricter threshold, and return the part that is least like all that is beyond doubt."""
    labels = cluster(Clusters.of_faces(group.vectors), 1 - STRICTER * group_distance)
    certain = set(labels[group.settled].tolist()) or {int(np.bincount(labels).argmax())}
    parts = sorted(set(labels.tolist()) - certain)
    if not parts:
        return None
    centre = group.vectors[np.isin(labels, list(certain))].mean(axis=0)
    similarities = [float(group.vectors[labels == part].mean(axis=0) @ centre) for part in parts]
    return _Odd(Reason.UNLIKE, np.flatnonzero(labels == parts[int(np.argmin(similarities))]))
