"""What must hold whatever the vectors say: decisions of people, what is hidden, and two faces in one photo."""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from faces.clustering import contradict, rows_of_each
from faces.models import Decision, DecisionFace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from events.models import Event
    from faces.clustering import Claims, Rows
    from faces.vectors import Faces

TWINS = 0.75
"""Two faces of one photo that are so similar are one person: the photo shows a mirror, a screen or a poster."""

TOGETHER, APART = DecisionFace.Side.TOGETHER, DecisionFace.Side.APART


class Decided:
    """What the live decisions say about these faces (keys of ImageFace, ascending), the newest first.

    `labels` unites the faces that must be one person; `claims` keeps apart those that must not. Where an older decision
    contradicts a newer one, it is left out as far as it does.
    """

    def __init__(self, event: Event, ids: NDArray[np.int64]) -> None:
        self._roots = list(range(len(ids)))
        self._claims: dict[int, Claims] = {}
        rows = {int(pk): row for row, pk in enumerate(ids)}
        for decision, kind, sides in _sides(event, rows):
            if kind in Decision.UNITING:
                self._unite(sides[TOGETHER])
            self._part(decision, sides)

    @property
    def labels(self) -> Rows:
        """The same number, from 0 on, for all faces that must be one person."""
        roots = [self._root(row) for row in range(len(self._roots))]
        return np.unique(np.array(roots, np.intp), return_inverse=True)[1]

    @property
    def claims(self) -> list[Claims]:
        """What each face claims."""
        return [dict(self._claims.get(self._root(row), {})) for row in range(len(self._roots))]

    def _unite(self, rows: Iterable[int]) -> None:
        hubs: list[int] = []
        for row in rows:
            root = self._root(row)
            fitting = (hub for hub in hubs if hub == root or not contradict(self._of(hub), self._of(root)))
            hub = next(fitting, None)
            if hub is None:
                hubs.append(root)
            elif hub != root:
                self._roots[root] = hub
                self._of(hub).update(self._claims.pop(root, {}))

    def _part(self, decision: int, sides: dict[int, list[int]]) -> None:
        together, apart = ({self._root(row) for row in sides[side]} for side in (TOGETHER, APART))
        if not together or not apart:
            return
        for root in together | apart:
            # What newer decisions united from both sides is apart from the rest of both.
            side = root if root in together and root in apart else -1 if root in together else -2
            self._of(root)["decision", decision] = side

    def _of(self, root: int) -> Claims:
        return self._claims.setdefault(root, {})

    def _root(self, row: int) -> int:
        while self._roots[row] != row:
            self._roots[row] = row = self._roots[self._roots[row]]
        return row


def _sides(event: Event, rows: dict[int, int]) -> Iterator[tuple[int, str, dict[int, list[int]]]]:
    """Yield each live decision, the newest first, with the rows on its two sides."""
    live = DecisionFace.objects.filter(decision__in=event.decisions.live()).order_by("-decision", "image_face")
    members = live.values_list("decision", "decision__kind", "side", "image_face").iterator()
    for (decision, kind), faces in groupby(members, key=lambda member: member[:2]):
        sides: dict[int, list[int]] = defaultdict(list)
        for _, _, side, face in faces:
            if face in rows:
                sides[side].append(rows[face])
        yield decision, kind, sides


def add_photos(claims: list[Claims], faces: Faces) -> None:
    """Let two faces of one photo be two people, unless the photo shows a picture of itself."""
    for rows in rows_of_each(faces.images):
        if len(rows) > 1:
            for row, first in zip(rows.tolist(), _first_twins(faces, rows), strict=True):
                claims[row]["photo", int(faces.images[row])] = first


def _first_twins(faces: Faces, rows: Rows) -> list[int]:
    """Return for each of a photo's faces the key of the first one that is like it, mostly itself."""
    vectors = faces.embeddings[rows]
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return [int(faces.ids[rows[first]]) for first in (vectors @ vectors.T >= TWINS).argmax(axis=1)]


def add_persons(claims: list[Claims], event: Event, faces: Faces) -> None:
    """Keep each hidden person apart from all others, and persons of different names."""
    for person, name in event.faces.exclude(name="").values_list("pk", "name"):
        rows = np.flatnonzero(faces.persons == person)
        if len(rows):
            claims[_most_typical(faces, rows)]["name"] = name
    hidden = list(event.faces.filter(hidden=True).values_list("pk", flat=True))
    if hidden:
        is_hidden = np.isin(faces.persons, hidden)
        for row in np.flatnonzero(faces.persons).tolist():
            claims[row]["hidden"] = int(faces.persons[row]) if is_hidden[row] else 0


def _most_typical(faces: Faces, rows: Rows) -> int:
    """Return the row of the face that stands for a person: one that came to it by mistake must be free to leave."""
    vectors = faces.embeddings[rows]
    return int(rows[(vectors @ vectors.sum(axis=0)).argmax()])
