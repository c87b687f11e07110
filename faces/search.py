"""Selfie-as-a-key: which persons of an event does this selfie show?"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from statistics import fmean
from threading import BoundedSemaphore
from typing import IO, TYPE_CHECKING, NamedTuple

from django.conf import settings
from pgvector.django import CosineDistance

from events import pictures
from faces.engine import get_engine
from faces.models import Embedding, Face
from faces.thresholds import clarity, thresholds

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from events.models import Event
    from faces.engine import Detection, FaceEngine

SELFIE_SIDE = 1280
"""A selfie is looked at with at least this many pixels on its long side, where it has them."""

CLEARLY_LARGER = 2.0
"""A selfie may show others in the background; its face must cover this many times the area of the next one."""

NEAREST = 2000
"""So many nearest faces vote; their persons' galleries are whole, however many photos those have."""

VOTES = 3
"""A person is judged by the mean of this many of their most similar faces."""

NEARLY_AS_GOOD = 0.05
"""Further persons count when they are at most this much less similar than the best: one runner, grouped in parts."""


_decoding = BoundedSemaphore(os.cpu_count() or 1)
"""A picture needs hundreds of megabytes while it is decoded, and anybody may send one."""


@dataclass(frozen=True, slots=True)
class Match:
    """The persons that the selfie shows, best first; more than one where grouping left one runner in parts.

    `witnesses` are the keys of the faces, one for each person, that are most like the selfie; `confidence` is
    1 - cosine distance between the selfie and the first of them.
    """

    faces: list[Face]
    witnesses: list[int]
    confidence: float


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Why there is no match: `code` is stable, `reason` is a sentence that says what to do."""

    code: str
    reason: str


NO_MATCH = NoMatch("no_match", "No matching identity found. Your face is not in any ingested photos.")


@dataclass(frozen=True, slots=True)
class _Probe:
    """The face of a selfie."""

    embedding: NDArray[np.float32]
    clarity: float


class _Hit(NamedTuple):
    """A face of the event beside the selfie: `score` is the similarity, less where there is little to see."""

    score: float
    similarity: float
    image_face: int


def find(event: Event, selfie: IO[bytes]) -> Match | NoMatch:
    """Compare a selfie with every face of the event; reads only, and keeps nothing of the selfie.

    Raises:
        EngineError: the event's engine cannot be used.
    """
    engine = get_engine(event.engine)
    try:
        probe = _probe(engine, selfie)
    except pictures.PictureError as error:
        return NoMatch(error.code, str(error))
    if isinstance(probe, NoMatch):
        return probe
    return _vote(_hits(event, probe), 1 - thresholds(event).sure)


def _probe(engine: FaceEngine, selfie: IO[bytes]) -> _Probe | NoMatch:
    """Return the one face of the selfie, or say why there is none."""
    if selfie.seek(0, 2) > settings.MAX_SELFIE_MB * 1_000_000:
        return NoMatch("file_too_large", f"The selfie has more than {settings.MAX_SELFIE_MB} MB.")
    with _decoding:
        pixels = pictures.load(selfie, SELFIE_SIDE, settings.MAX_SELFIE_MEGAPIXELS).pixels
    found = sorted(engine.detect(pixels), key=_area, reverse=True)
    if not found:
        return NoMatch("no_face", "No face detected in the selfie. Face the camera, closer and in good light.")
    if len(found) > 1 and _area(found[0]) < CLEARLY_LARGER * _area(found[1]):
        return NoMatch("several_faces", "Several faces detected. Take a selfie with only you in it.")
    box = found[0].box
    return _Probe(engine.embed(pixels, found[:1])[0], float(clarity(box.width, box.height)))


def _area(found: Detection) -> float:
    return found.box.width * found.box.height


def _hits(event: Event, probe: _Probe) -> dict[int, list[_Hit]]:
    """Return, per person, their faces among the nearest, best first. An exact scan."""
    nearest = (
        Embedding.objects.filter(event=event, engine=event.engine, image_face__face__isnull=False)
        .annotate(distance=CosineDistance("vector", probe.embedding))
        .order_by("distance")
        .values_list("pk", "image_face__face", "distance", "image_face__width", "image_face__height")[:NEAREST]
    )
    rows = list(nearest)
    clarities = clarity([row[3] for row in rows], [row[4] for row in rows]).tolist()
    hits: dict[int, list[_Hit]] = defaultdict(list)
    for (image_face, person, distance, *_), seen in zip(rows, clarities, strict=True):
        hits[person].append(_Hit((1 - distance) * probe.clarity * seen, 1 - distance, image_face))
    return {person: sorted(found, reverse=True) for person, found in hits.items()}


def _vote(hits: dict[int, list[_Hit]], min_score: float) -> Match | NoMatch:
    scores = {person: fmean(hit.score for hit in found[:VOTES]) for person, found in hits.items()}
    best = max(scores.values(), default=-1.0)
    if best < min_score:
        return NO_MATCH
    bar = max(min_score, best - NEARLY_AS_GOOD)
    chosen = sorted((p for p, score in scores.items() if score >= bar), key=scores.__getitem__, reverse=True)
    faces = Face.objects.in_bulk(chosen)
    # A grouping that ends just now may have united one of them with another.
    still_there = [person for person in chosen if person in faces]
    if not still_there:
        return NO_MATCH
    best_hits = [hits[person][0] for person in still_there]
    return Match(
        faces=[faces[person] for person in still_there],
        witnesses=[hit.image_face for hit in best_hits],
        confidence=best_hits[0].similarity,
    )
