"""Selfie-as-a-key: which persons of an event does this selfie show?

A selfie is compared with every face of the event, and then with the centroids of the persons whom the nearest faces
belong to. Whose centroid passes the sure distance is found; and that centroid, which knows more angles and light than
one selfie, looks for the parts in which grouping left the person. Who has but a face within the maybe distance is a
guess for the visitor to judge. What each of these rules gives is in docs/accuracy.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import IO, TYPE_CHECKING

import numpy as np
from django.db import connection
from django.db.models import Exists, OuterRef, Q
from pgvector import HalfVector

from faces import probe
from faces.engine import get_engine
from faces.models import Decision, DecisionFace, Face
from faces.probe import NoMatch
from faces.quality import clarity
from faces.thresholds import probability, thresholds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from django.db.models import QuerySet
    from numpy.typing import NDArray

    from events.models import Event
    from faces.probe import Meant, Probe, Share
    from faces.thresholds import Thresholds

__all__ = ("MOST_SELFIES", "NO_MATCH", "Found", "Match", "NoMatch", "find")

MOST_SELFIES = 3
"""Of one person, compared together."""

NEAREST = 2000
"""The persons of so many nearest faces are looked at; their galleries are whole, however many photos those have."""

NEARLY_AS_GOOD = 0.05
"""Further guesses are at most this much less similar than the best one."""

MOST_GUESSES = 3
"""More persons than that are no help to the visitor, and open too many photos of others."""


_NEAREST = """
WITH nearest AS MATERIALIZED (
    SELECT image_face_id, vector <=> %(probe)s::halfvec AS distance
    FROM faces_embedding WHERE event_id = %(event)s AND engine = %(engine)s
    ORDER BY distance LIMIT %(nearest)s
), seen AS (
    SELECT face_id, min(distance) AS distance, (array_agg(id ORDER BY distance))[1] AS witness,
        array_agg(least(width, height)) AS sides
    FROM nearest JOIN faces_imageface ON id = image_face_id
    WHERE face_id IS NOT NULL GROUP BY face_id
)
SELECT seen.*, coalesce(mean <=> %(probe)s::halfvec, 1)
FROM seen LEFT JOIN (
    SELECT face_id, mean FROM faces_centroid JOIN faces_face ON id = face_id WHERE engine = %(engine)s
) AS centroid USING (face_id)
"""
"""Of each person: the distance and key of the nearest face, the sizes of all that are near, and to the centroid.

The nearest faces are chosen before they are joined to anything: half the time of Django's query, and none of its
objects for thousands of faces."""


_SIMILAR = """
SELECT face_id, -(mean <#> %(vector)s::halfvec)
FROM faces_centroid JOIN faces_face ON id = face_id
WHERE face_id = ANY(%(persons)s) AND engine = %(engine)s AND -(mean <#> %(vector)s::halfvec) >= %(least)s
"""


@dataclass(frozen=True, slots=True)
class Found:
    """A person whom the selfie shows, surely or maybe.

    `witness` is the key of the person's face that is most like the selfie; `confidence` is 1 - cosine distance between
    the two, of several selfies in the mean; `probability` is how likely it is that the selfie shows this person.
    """

    face: Face
    witness: int
    confidence: float
    probability: float


@dataclass(frozen=True, slots=True)
class Match:
    """The persons that the selfie shows, best first: one for sure, more where grouping left one runner in parts.

    `left_out` says why of each selfie that was not used; `flaw`, why a clearer selfie may find more. `faces` are those
    of each selfie, the one it was taken for first.
    """

    sure: list[Found]
    maybe: list[Found]
    left_out: tuple[NoMatch, ...] = ()
    flaw: NoMatch | None = None
    faces: tuple[tuple[Share, ...], ...] = ()


NO_MATCH = NoMatch("no_match", "No matching identity found. Your face is not in any ingested photos.")
FACES_DELETED = NoMatch("faces_deleted", "The faces of this event have been deleted, as planned. Ask its organiser.")


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A person beside the selfie.

    `score` is the similarity of the centroid, less where there is little to see; `similarity` and `witness` are those
    of the face most like the selfie.
    """

    person: int
    score: float
    similarity: float
    witness: int


def find(event: Event, *selfies: IO[bytes], meant: Sequence[Meant] = ()) -> Match | NoMatch:
    """Compare selfies of one person with every face of the event; reads only, and keeps nothing of the selfies.

    A selfie without a usable face is left out when there is another; when there is none, the first problem is the
    answer. Together they are as similar to a face as they are in the mean, so nearer to nobody than the best of them
    alone. `meant` chooses among several faces.

    Hidden persons are never found. Nor is anybody else surely found with the selfie of a hidden person.

    Raises:
        EngineError: the event's engine cannot be used.
    """
    if not event.takes_faces:
        return FACES_DELETED
    found = _find(event, selfies, meant)
    # While an engine takes over from another (`manage.py reembed`), there is nothing to compare the old one's with.
    return _find(event, selfies, meant) if isinstance(found, NoMatch) and event.catch_up() else found


def _find(event: Event, selfies: Sequence[IO[bytes]], meant: Sequence[Meant]) -> Match | NoMatch:
    read = probe.read_all(get_engine(event.engine), selfies, meant)
    if not read.probes:
        return read.left_out[0]
    limits = thresholds(event)
    seen = probe.combine(read.probes, limits.maybe)
    if isinstance(seen, NoMatch):
        return seen
    found = _Search(event, limits, _candidates(event, seen)).match()
    if isinstance(found, NoMatch):
        return seen.flaw or found
    return replace(found, left_out=tuple(read.left_out), flaw=seen.flaw, faces=read.faces)


def _candidates(event: Event, seen: Probe) -> list[_Candidate]:
    """Return the persons of the nearest faces. An exact scan."""
    vector = HalfVector(seen.embedding).to_text()
    with connection.cursor() as cursor:
        cursor.execute(_NEAREST, {"probe": vector, "event": event.pk, "engine": event.engine, "nearest": NEAREST})
        rows = cursor.fetchall()
    clear = seen.clarity * _mean_clarity([row[3] for row in rows])
    return [
        _Candidate(person, seen.agreement * (1 - to_centroid) * each, seen.agreement * (1 - distance), witness)
        for (person, distance, witness, _, to_centroid), each in zip(rows, clear.tolist(), strict=True)
    ]


def _mean_clarity(sides: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    """Return for each person what the sizes of their faces are worth, in the mean."""
    if not sides:
        return np.zeros(0)
    counts = np.array([len(each) for each in sides])
    flat = np.fromiter(chain.from_iterable(sides), np.float64, counts.sum())
    sums = np.add.reduceat(clarity(flat, flat).astype(np.float64), np.cumsum(counts) - counts)
    return np.asarray(sums / counts)


class _Search:
    """The candidates of an event sorted into tiers."""

    def __init__(self, event: Event, limits: Thresholds, candidates: Iterable[_Candidate]) -> None:
        self.event = event
        self.limits = limits
        self.persons = event.faces.count()
        self.candidates = {candidate.person: candidate for candidate in candidates}
        hidden = event.faces.filter(hidden=True).values_list("pk", flat=True)
        # Whoever is less like the selfie than a hidden person is surely not the one it shows.
        self.bar = max(
            (self.candidates.pop(person).score for person in hidden if person in self.candidates), default=-1.0
        )

    def match(self) -> Match | NoMatch:
        best = max(self.candidates.values(), key=lambda candidate: candidate.score, default=None)
        if best is None:
            return NO_MATCH
        if best.score >= 1 - self.limits.sure and best.score > self.bar:
            # A grouping that ends just now may have united this person with another.
            face = Face.objects.filter(pk=best.person).first()
            return self._whole(face, best.score) if face else NO_MATCH
        guesses = self._guesses()
        return Match([], guesses) if guesses else NO_MATCH

    def _whole(self, face: Face, score: float) -> Match:
        """Return the person, and the parts in which grouping left them: as similar to the centroid as to a selfie."""
        sure, maybe = 1 - self.limits.sure, 1 - (self.limits.sure + self.limits.maybe) / 2
        similar = self._parts(face, maybe)
        return Match(
            sure=[self._found(face, score), *(self._found(*part) for part in similar if part[1] >= sure)],
            maybe=[self._found(*part) for part in similar if part[1] < sure][:MOST_GUESSES],
        )

    def _parts(self, face: Face, least: float) -> list[tuple[Face, float]]:
        """Return the other candidates whose faces are in the mean at least so similar to this person's centroid.

        The most similar first; not those of whom staff said that they are somebody else.
        """
        similarities = self._similar_to(face, least)
        if not similarities:
            return []
        persons = Face.objects.filter(pk__in=similarities).exclude(pk__in=_kept_apart(face)).defer("embedding")
        if face.name:
            persons = persons.filter(name__in=("", face.name))
        parts = [(person, similarities[person.pk]) for person in persons]
        return sorted(parts, key=lambda part: part[1], reverse=True)

    def _similar_to(self, face: Face, least: float) -> dict[int, float]:
        vector = HalfVector(face.embedding).to_text()
        others = [person for person in self.candidates if person != face.pk]
        with connection.cursor() as cursor:
            cursor.execute(_SIMILAR, {"vector": vector, "persons": others, "engine": self.event.engine, "least": least})
            return dict(cursor.fetchall())

    def _guesses(self) -> list[Found]:
        """Return the persons with the faces most like the selfie, of any size."""
        ranked = sorted(self.candidates.values(), key=lambda candidate: candidate.similarity, reverse=True)
        bar = max(1 - self.limits.maybe, ranked[0].similarity - NEARLY_AS_GOOD)
        chosen = [candidate for candidate in ranked[:MOST_GUESSES] if candidate.similarity >= bar]
        faces = Face.objects.in_bulk([candidate.person for candidate in chosen])
        return [self._found(faces[each.person], each.score) for each in chosen if each.person in faces]

    def _found(self, face: Face, score: float) -> Found:
        candidate = self.candidates[face.pk]
        evidence = max(score, candidate.score)
        return Found(
            face=face,
            witness=candidate.witness,
            confidence=candidate.similarity,
            probability=probability(self.event, evidence, self.persons),
        )


def _kept_apart(face: Face) -> QuerySet[DecisionFace, int | None]:
    """Return the persons of the faces of whom staff decided that they are not this person."""
    live = DecisionFace.objects.filter(decision__in=Decision.objects.live(), image_face__face__isnull=False)
    own = live.filter(image_face__face=face, decision=OuterRef("decision")).filter(~Q(side=OuterRef("side")))
    return live.filter(Exists(own)).values_list("image_face__face", flat=True)
