"""What a matching selfie earns: a signed, expiring token that opens one person's photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.core import signing

from events.models import Event, Image
from faces.models import Face

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from faces.search import Match

SALT = "grabpic.gallery"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to see the photos of the persons that a selfie showed.

    It names not the persons but their faces that were most like the selfie (keys of ImageFace): when a later
    grouping unites two persons or parts one, the right stays with whoever the selfie really showed.
    """

    event_id: int
    witnesses: tuple[int, ...]

    @classmethod
    def from_match(cls, event: Event, match: Match) -> Grant:
        return cls(event.pk, tuple(match.witnesses))

    @classmethod
    def from_token(cls, token: str) -> Grant | None:
        """Return what the token grants; None when it is forged, damaged or older than GALLERY_TOKEN_HOURS."""
        try:
            event_id, *witnesses = signing.loads(token, salt=SALT, max_age=settings.GALLERY_TOKEN_HOURS * 3600)
        except signing.BadSignature:
            return None
        return cls(event_id, tuple(witnesses))

    def to_token(self) -> str:
        return signing.dumps([self.event_id, *self.witnesses], salt=SALT)

    def persons(self) -> QuerySet[Face]:
        """Return the persons that the witnesses belong to now; an event taken back to draft closes its galleries."""
        published = Event.objects.published().filter(pk=self.event_id)
        return Face.objects.filter(event__in=published, image_faces__in=self.witnesses)

    def images(self) -> QuerySet[Image]:
        """Return the photos that show one of the persons, in the order they were taken."""
        return images_of(self.persons())


def images_of(persons: QuerySet[Face]) -> QuerySet[Image]:
    """Return the photos that show one of these persons, in the order they were taken."""
    shown = Image.objects.filter(faces__face__in=persons)
    # A photo that shows a person twice is one photo.
    return Image.objects.filter(pk__in=shown.values("pk")).order_by("taken_at", "pk")
