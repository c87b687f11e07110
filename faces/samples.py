"""What staff see of a person: a few faces, the number of photos, and when they were taken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from django.db.models import Count, F, Max, Min, Window
from django.db.models.functions import RowNumber

from faces.models import Face, ImageFace
from faces.vectors import embeddings_of, load

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from numpy.typing import NDArray

    from events.models import Event
    from faces.engine import Embeddings

SHOWN = 6

CLEAREST = 24
"""The faces shown are chosen among so many: what is blurred is unlike everything, and tells nothing."""


@dataclass(frozen=True, slots=True)
class Portrait:
    """A person, the number of their photos, when the first and the last were taken (if known), and some faces."""

    person: Face
    photos: int
    first: datetime | None
    last: datetime | None
    faces: list[ImageFace]


def portraits(event: Event, persons: Collection[int]) -> dict[int, Portrait]:
    """Return these persons of the event by primary key, without those who are not there any more.

    Their faces are the clearest one, and up to five that are least like each other.
    """
    found = event.faces.filter(pk__in=persons).defer("embedding")
    taken = "image_faces__image__taken_at"
    counted = found.annotate(photos=Count("image_faces__image", distinct=True), first=Min(taken), last=Max(taken))
    faces = _samples(event, persons)
    return {
        person.pk: Portrait(person, person.photos, person.first, person.last, faces[person.pk])  # type: ignore[attr-defined]  # annotated above
        for person in counted
    }


def _samples(event: Event, persons: Collection[int]) -> dict[int, list[ImageFace]]:
    place = Window(RowNumber(), partition_by=F("face"), order_by=(F("quality").desc(), F("pk")))
    faces = ImageFace.objects.filter(face__in=persons).select_related("image")
    found = faces.annotate(place=place).filter(place__lte=CLEAREST)
    clearest: dict[int, ImageFace] = {face.pk: face for face in found}
    loaded = load(embeddings_of(event).filter(image_face__in=list(clearest)))
    shown = {}
    for person in persons:
        rows = np.flatnonzero(loaded.persons == person)
        rows = rows[np.argsort(-loaded.qualities[rows], kind="stable")]
        chosen = rows[_spread(loaded.embeddings[rows], SHOWN)]
        shown[person] = [clearest[pk] for pk in loaded.ids[chosen].tolist()]
    return shown


def _spread(vectors: Embeddings, count: int) -> NDArray[np.intp]:
    """Return the first row, and then one by one that which is least like any before it."""
    chosen = [0] if len(vectors) else []
    nearest = np.full(len(vectors), -np.inf)
    while chosen and len(chosen) < min(count, len(vectors)):
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
        nearest[chosen] = np.inf
        chosen.append(int(nearest.argmin()))
    return np.array(chosen, np.intp)
