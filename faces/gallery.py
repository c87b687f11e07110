"""What a matching selfie earns: a signed, expiring token that opens one person's photos."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.conf import settings
from django.core import signing

from events.models import Event, Image

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from faces.search import Match

SALT = "grabpic.gallery"


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to see the photos of these persons of one event."""

    event_id: int
    grab_ids: tuple[UUID, ...]

    @classmethod
    def from_match(cls, event: Event, match: Match) -> Grant:
        return cls(event.pk, tuple(face.grab_id for face in match.faces))

    @classmethod
    def from_token(cls, token: str) -> Grant | None:
        """Return what the token grants; None when it is forged, damaged or older than GALLERY_TOKEN_HOURS."""
        try:
            event_id, *grab_ids = signing.loads(token, salt=SALT, max_age=settings.GALLERY_TOKEN_HOURS * 3600)
        except signing.BadSignature:
            return None
        return cls(event_id, tuple(map(UUID, grab_ids)))

    def to_token(self) -> str:
        return signing.dumps([self.event_id, *map(str, self.grab_ids)], salt=SALT)

    def images(self) -> QuerySet[Image]:
        """Return the photos that show one of these persons, in the order they were taken.

        An event that was taken back to draft closes its galleries.
        """
        return images_of(self.event_id, self.grab_ids).filter(event__in=Event.objects.published())


def images_of(event_id: int, grab_ids: tuple[UUID, ...]) -> QuerySet[Image]:
    """Return the photos of an event that show one of these persons, in the order they were taken."""
    shown = Image.objects.filter(event_id=event_id, faces__face__grab_id__in=grab_ids)
    # A photo that shows a person twice is one photo.
    return Image.objects.filter(pk__in=shown.values("pk")).order_by("taken_at", "pk")
