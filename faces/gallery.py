"""What a matching selfie earns: a signed, expiring token that opens one person's photos."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing
from django.db.models import F, Q

from events.models import Event, Image
from faces.models import Face, ImageFace

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.db.models import QuerySet

    from events.access import Actor
    from faces.search import Match

SALT = "grabpic.gallery.sealed"


class Tier(StrEnum):
    """How certain it is that the selfie shows a person."""

    SURE = "sure"
    MAYBE = "maybe"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to see the photos of the persons that a selfie showed, surely or maybe.

    It names not the persons but their faces that were most like the selfie (keys of ImageFace): when a later
    grouping unites two persons or parts one, the right stays with whoever the selfie really showed.
    """

    event_id: int
    sure: tuple[int, ...] = ()
    maybe: tuple[int, ...] = ()

    @classmethod
    def from_match(cls, event: Event, match: Match, *, maybe: bool = True) -> Grant:
        """Return the right to what was found; without `maybe`, to what was surely found alone."""
        guesses = match.maybe if maybe else []
        return cls(event.pk, tuple(found.witness for found in match.sure), tuple(found.witness for found in guesses))

    @classmethod
    def from_token(cls, token: str) -> Grant | None:
        """Return what the token grants.

        None when it is forged, damaged, older than GALLERY_TOKEN_HOURS, or of an event that asks for another code now.
        """
        try:
            event_id, sure, maybe, seal = signing.loads(token, salt=SALT, max_age=settings.GALLERY_TOKEN_HOURS * 3600)
        except signing.BadSignature:
            return None
        return cls(event_id, tuple(sure), tuple(maybe)) if _seal_of(event_id) in ("", seal) else None

    def to_token(self) -> str:
        return signing.dumps([self.event_id, self.sure, self.maybe, _seal_of(self.event_id)], salt=SALT)

    def persons(self, tier: Tier | None = None) -> QuerySet[Face]:
        """Return the persons that the witnesses of a tier, or of both, belong to now; without those hidden since.

        An event that is taken back to draft, or over, closes its galleries.
        """
        witnesses = {Tier.SURE: self.sure, Tier.MAYBE: self.maybe, None: self.sure + self.maybe}[tier]
        published = Event.objects.published().filter(pk=self.event_id)
        return Face.objects.visible().filter(event__in=published, image_faces__in=witnesses)

    def images(self) -> QuerySet[Image]:
        """Return the photos that surely show one of the persons, in the order they were taken."""
        return images_of(self.persons(Tier.SURE))

    def maybe_images(self) -> QuerySet[Image]:
        """Return the photos that only may show the person, in the order they were taken."""
        return images_of(self.persons(Tier.MAYBE)).exclude(pk__in=self.images().order_by().values("pk"))

    def open_images(self) -> QuerySet[Image]:
        """Return every photo that this right opens."""
        return images_of(self.persons())

    def boxes(self) -> dict[int, list[list[float]]]:
        """Return, by the photo's key, where the persons are: x, y, width, height in shares of the upright photo."""
        faces = ImageFace.objects.filter(face__in=self.persons()).values_list(
            "image",
            *(F("x") / F("image__width"), F("y") / F("image__height")),
            *(F("width") / F("image__width"), F("height") / F("image__height")),
        )
        boxes: defaultdict[int, list[list[float]]] = defaultdict(list)
        for image, *box in faces:
            boxes[image].append(box)
        return boxes


def _seal_of(event_id: int) -> str | None:
    """Return the event's seal; None where it is gone."""
    event = Event.objects.filter(pk=event_id).only("access", "access_code").first()
    return event.seal if event else None


def open_images(user: Actor, grants: Iterable[Grant]) -> QuerySet[Image]:
    """Return every photo that somebody may see: of their events for staff, of open events, and what selfies opened."""
    seen = Q(event__in=Event.objects.managed_by(user)) | Q(event__in=Event.objects.open())
    for grant in grants:
        seen |= Q(pk__in=grant.open_images().order_by().values("pk"))
    return Image.objects.filter(seen)


def images_of(persons: QuerySet[Face]) -> QuerySet[Image]:
    """Return the photos that show one of these persons, in the order they were taken."""
    shown = Image.objects.filter(faces__face__in=persons)
    # A photo that shows a person twice is one photo.
    return Image.objects.filter(pk__in=shown.values("pk")).order_by("taken_at", "pk")


def images_with(person: Face) -> QuerySet[Image]:
    """Return the photos that show this person, in the order they were taken."""
    return images_of(Face.objects.filter(pk=person.pk))
