"""“Is this you?”: the persons whom a selfie only may show, each with their photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from faces.gallery import Tier
from faces.models import ImageFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from events.models import Image
    from faces.gallery import Grant


@dataclass(frozen=True, slots=True)
class Question:
    """A person, by the witness (key of ImageFace) whom the visitor is asked about, and the photos they are in."""

    witness: int
    images: list[Image]


def questions(grant: Grant, shown: Iterable[Image]) -> list[Question]:
    """Return what to ask, in one query at most; the person who is most alike first.

    Photos that are `shown` anyway are left out, and who is in no others is not asked about.
    """
    if not grant.maybe:
        return []
    faces = ImageFace.objects.filter(face__in=grant.persons(Tier.MAYBE)).select_related("image")
    known = {image.pk for image in shown}
    witnesses, photos = _by_person(faces.order_by("image__taken_at", "image_id"), grant, known)
    asked = [Question(witness, list(photos[person].values())) for witness, person in witnesses.items()]
    order = grant.maybe.index
    return sorted((question for question in asked if question.images), key=lambda question: order(question.witness))


def _by_person(
    faces: Iterable[ImageFace], grant: Grant, known: set[int]
) -> tuple[dict[int, int | None], dict[int | None, dict[int, Image]]]:
    """Return the person of each witness, and the photos of each person that are not known, by their keys."""
    witnesses: dict[int, int | None] = {}
    photos: dict[int | None, dict[int, Image]] = {}
    for face in faces:
        if face.pk in grant.maybe:
            witnesses[face.pk] = face.face_id
        shown = photos.setdefault(face.face_id, {})
        if face.image_id not in known:
            shown[face.image_id] = face.image
    return witnesses, photos
