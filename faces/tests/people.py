"""Persons whose faces have chosen vectors, without a grouping."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from faces.models import Embedding, Face, ImageFace
from faces.persons import refresh
from faces.tests.conftest import listed
from faces.tests.test_grouping import direction

if TYPE_CHECKING:
    from events.models import Event, Image


def photo(event: Event) -> Image:
    """Add an indexed photo without a file."""
    return listed(event, 1, state="indexed")[0]


def add_person(event: Event, *angles: float, images: list[Image] | None = None, **fields: Any) -> Face:
    """Add a person with one clear face in each of these directions, in these photos, or each in one of its own."""
    images = images or [photo(event) for _ in angles]
    person = Face.objects.create(event=event, engine=event.engine, embedding=direction(angles[0]), **fields)
    for image, angle in zip(images, angles, strict=True):
        face = ImageFace.objects.create(
            image=image, face=person, x=0, y=0, width=100, height=100, score=1, quality=0.9 - angle / 1000
        )
        Embedding.objects.create(image_face=face, event=event, engine=event.engine, vector=direction(angle))
    refresh(event, [person.pk])
    person.refresh_from_db()
    return person


def faces_of(person: Face) -> list[int]:
    """Return the keys of a person's faces, in the order in which they were added."""
    return list(person.image_faces.order_by("pk").values_list("pk", flat=True))
