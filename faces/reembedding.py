"""Gives an event that has faces another engine: make a `Reembedding`, go through `beside()`, then `switch()`.

The faces stay, and with them all that people decided about them; only their vectors are made anew. The new ones lie
beside the old ones (`NextEmbedding`) until there is one for every face, and until then workers, searches and galleries
know nothing of them. Since they stay there, a run that was killed is gone on with by the next one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from django.db import connection, transaction
from django.db.models import Q

from events.models import Event, Image
from faces import grouping
from faces.engine import get_engine
from faces.engine_lock import keep_writers_out
from faces.models import Centroid, Embedding, Face, ImageFace, NextEmbedding
from faces.redescribing import Described, Missing, describe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.db.models import QuerySet

BATCH_SIZE = 8
"""Photos in memory at once; their faces share a batch of the networks."""

FEW = 100
"""So many faces may be left to be described while workers and groupings wait."""

OWN_DISTANCES = ("max_distance", "maybe_distance", "join_distance", "group_distance")
"""Of an event; those that were right for one engine are wrong for another."""

_REPLACE = """
UPDATE faces_embedding AS present SET engine = next.engine, vector = next.vector
FROM faces_nextembedding AS next
WHERE next.image_face_id = present.image_face_id AND present.event_id = %s AND next.engine = %s
"""


class AlreadyInUseError(Exception):
    """The event has this engine, and every face a vector of it."""


@dataclass(frozen=True, slots=True)
class Switched:
    """What the event has after the switch: `kept` of its `people` had their grab_id before.

    `forgotten`: distances of its own that the event had, by the name of their field.
    """

    faces: int
    people: int
    kept: int
    forgotten: dict[str, float]


class Reembedding:
    """The change of an event to another engine.

    `missing`: the faces that the engine could not describe, by primary key, known after `beside()`.

    Raises:
        EngineError: the engine cannot be used.
        AlreadyInUseError: there is nothing to do.
    """

    def __init__(self, event: Event, engine_name: str) -> None:
        self._event, self._engine = event, get_engine(engine_name)
        self.missing: dict[int, Missing] = {}
        if event.engine == engine_name and not self.left():
            raise AlreadyInUseError
        # Left behind by another plan.
        _next_embeddings(event).exclude(engine=engine_name).delete()

    def left(self) -> int:
        """Return how many faces have no vector of the new engine yet, and may get one."""
        return self._left().count()

    def beside(self) -> Iterator[int]:
        """Describe the faces while everything goes on; yield, again and again, how many more have been looked at.

        Raises:
            OSError: the storage fails. What was done until then is kept.
        """
        left, before = self.left(), None
        # Photos come in meanwhile; should they do so faster than this, the switch ends the race.
        while left and (before is None or FEW < left < before):
            yield from self._look_at_all()
            left, before = self.left(), left

    @transaction.atomic
    def switch(self, *, allow_missing: bool = False) -> Switched | None:
        """Change the event over to the new vectors and group its faces by them; None, and nothing is changed, where
        faces are missing and may not be.

        Faces that are missing keep their person, and no selfie finds them. The event's own distances are forgotten:
        those of another engine mean nothing. Workers that write and groupings wait until the end; searches do not.
        """
        Event.objects.select_for_update(no_key=True).get(pk=self._event.pk)
        keep_writers_out(self._event.pk)
        for _ in self._look_at_all():
            pass
        there = set(ImageFace.objects.filter(pk__in=self.missing).values_list("pk", flat=True))
        self.missing = {key: missing for key, missing in self.missing.items() if key in there}
        if self.missing and not allow_missing:
            return None
        known = set(self._event.faces.values_list("grab_id", flat=True))
        forgotten = self._replace()
        _regroup(self._event)
        people = set(self._event.faces.values_list("grab_id", flat=True))
        faces = Embedding.objects.filter(event=self._event, engine=self._engine.name).count()
        return Switched(faces, len(people), len(people & known), forgotten)

    def _left(self) -> QuerySet[ImageFace]:
        name = self._engine.name
        done = Q(embedding__engine=name) | Q(next_embedding__engine=name)
        return ImageFace.objects.filter(image__event=self._event).exclude(done).exclude(pk__in=self.missing)

    def _look_at_all(self) -> Iterator[int]:
        images = list(self._left().order_by("image").values_list("image__pk", flat=True).distinct())
        for start in range(0, len(images), BATCH_SIZE):
            yield self._look_at(images[start : start + BATCH_SIZE])

    def _look_at(self, images: Sequence[int]) -> int:
        faces = self._left().filter(image__in=images).order_by("image", "pk").select_related("image")
        photos = [(image, list(seen)) for image, seen in groupby(faces, lambda face: face.image)]
        answers = list(describe(self._engine, photos))
        self.missing |= {answer.face.pk: answer for answer in answers if isinstance(answer, Missing)}
        self._write([answer for answer in answers if isinstance(answer, Described)])
        return len(answers)

    @transaction.atomic
    def _write(self, described: Sequence[Described]) -> None:
        # Held, so that nobody deletes them now, or erases their faces; some may have been deleted before.
        images = Image.objects.filter(pk__in={answer.face.image_id for answer in described})
        held = list(images.order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
        there = set(ImageFace.objects.filter(image__in=held).values_list("pk", flat=True))
        NextEmbedding.objects.bulk_create(
            (
                NextEmbedding(image_face=answer.face, engine=self._engine.name, vector=answer.vector)
                for answer in described
                if answer.face.pk in there
            ),
            update_conflicts=True,
            unique_fields=("image_face",),
            update_fields=("engine", "vector"),
        )

    def _replace(self) -> dict[str, float]:
        """Make the new vectors those of the event; return its own distances, which are gone with the old engine."""
        with connection.cursor() as cursor:
            cursor.execute(_REPLACE, [self._event.pk, self._engine.name])
        _next_embeddings(self._event).delete()
        present = Event.objects.filter(pk=self._event.pk)
        own = {name: value for name, value in present.values(*OWN_DISTANCES).get().items() if value is not None}
        present.update(engine=self._engine.name, **dict.fromkeys(OWN_DISTANCES))
        self._event.refresh_from_db(fields=("engine", *OWN_DISTANCES))
        return own


def _regroup(event: Event) -> None:
    """Have everything that follows from the vectors follow from the new ones."""
    described = event.faces.filter(image_faces__embedding__engine=event.engine)
    Centroid.objects.filter(face__event=event).exclude(face__in=described).delete()
    grouping.consolidate(event)
    # A grouping leaves the row of a person alone whose vector has hardly moved.
    Face.objects.filter(pk__in=described).exclude(engine=event.engine).update(engine=event.engine)


def _next_embeddings(event: Event) -> QuerySet[NextEmbedding]:
    return NextEmbedding.objects.filter(image_face__image__event=event)
