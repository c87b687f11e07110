"""How sure it is that a face belongs to its person."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F
from pgvector.django import MaxInnerProduct

from faces.engine import EngineError
from faces.models import Embedding
from faces.quality import clarity
from faces.thresholds import thresholds

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from events.models import Event
    from faces.models import ImageFace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much a face is like the other faces of its person: the mean similarity, as grouping judges it.

    `is_doubtful`: a face that came in now would not join the person.
    """

    similarity: float
    is_doubtful: bool


def likenesses(event: Event, faces: QuerySet[ImageFace]) -> dict[int, Likeness]:
    """Return by key, most doubtful first, how these faces of the event are like their persons.

    Faces without a person, and those of a person who has no other faces, are left out: there is nothing to be like.
    """
    least = _least(event)
    found = {pk: Likeness(value, value < least) for pk, value in _similarities(event, faces).items()}
    return dict(sorted(found.items(), key=lambda entry: (entry[1].similarity, entry[0])))


def _least(event: Event) -> float:
    """Return the similarity that a face needs to join; without the event's engine, which knows it, nothing is doubtful.

    A page that shows people is not to fail for it.
    """
    try:
        return 1 - thresholds(event).join
    except EngineError as error:
        logger.warning("No face of %s is marked as doubtful: %s", event, error)
        return -1.0


def _similarities(event: Event, faces: QuerySet[ImageFace]) -> dict[int, float]:
    box, person = ("image_face__width", "image_face__height"), "image_face__face__centroid"
    rows = list(
        Embedding.objects.filter(
            image_face__in=faces.order_by().values("pk"),
            engine=event.engine,
            image_face__face__engine=event.engine,
            **{f"{person}__size__gt": 1},
        )
        .annotate(product=-MaxInnerProduct("vector", F(f"{person}__mean")))
        .values_list("pk", "product", f"{person}__size", *box)
    )
    clarities = clarity([row[3] for row in rows], [row[4] for row in rows]).tolist()
    return {
        # The centroid has the face itself in it, which is like nothing so much as itself.
        pk: seen * (product * size - seen) / (size - 1)
        for (pk, product, size, *_), seen in zip(rows, clarities, strict=True)
    }
