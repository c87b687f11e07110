"""What visitors get of an event, and when: an abstract part of the `Event` model."""

from __future__ import annotations

import secrets
from datetime import date, timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from events import lettering

if TYPE_CHECKING:
    from datetime import datetime

CODE_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Without what looks alike on a printed page."""

SHORTEST_CODE = 6
"""Letters and digits of a code that staff choose."""


def make_code() -> str:
    """Return a code that nobody guesses, in two groups that are easy to type."""
    return "-".join("".join(secrets.choice(CODE_ALPHABET) for _ in range(4)) for _ in range(2))


def last_day_of_faces() -> date:
    """Return the day until which a new event keeps its faces."""
    return timezone.localdate() + timedelta(days=settings.RETENTION_DAYS)


def is_published(now: datetime | None = None) -> Q:
    """Return the condition that visitors may use an event now."""
    now = now or timezone.now()
    opened = Q(opens_at=None) | Q(opens_at__lte=now)
    return ~Q(access=Publishing.Access.DRAFT) & opened & (Q(closes_at=None) | Q(closes_at__gt=now))


class Publishing(models.Model):
    """Who may see what of an event, and until when.

    Everybody may know of an event that is not a draft (`is_announced`); what is in it opens within the publishing
    window only (`is_published`).
    """

    class Access(models.TextChoices):
        DRAFT = "draft", "Draft: staff only"
        SELFIE = "selfie", "Selfie: visitors see the photos they are in"
        CODE = "code", "Code: as selfie, for those who have the code"
        OPEN = "open", "Open: everybody sees all photos"

    access = models.CharField(max_length=10, choices=Access.choices, default=Access.DRAFT)
    access_code = models.CharField(
        max_length=40, blank=True, help_text="What visitors type in before their selfie. Empty: one is made up."
    )
    opens_at = models.DateTimeField(null=True, blank=True, help_text="Visitors have to wait until then.")
    closes_at = models.DateTimeField(null=True, blank=True, help_text="From then on visitors see nothing any more.")
    organiser = models.CharField(
        max_length=120, blank=True, help_text="Who runs the event and answers for its photos; visitors see it."
    )
    contact = models.EmailField(blank=True, help_text="Where visitors write about their photos and their data.")
    originals = models.BooleanField(
        "originals may be downloaded", default=True, help_text="Else visitors keep the previews."
    )
    watermark = models.CharField(max_length=60, blank=True, help_text="Written across the previews that visitors see.")
    keep_faces_until = models.DateField(
        default=last_day_of_faces,
        help_text="After this day all faces, who they are and their vectors are deleted. The photos stay.",
    )
    faces_deleted_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="When they were. Choose a later day, then “Look for the faces again” in the list of events.",
    )

    class Meta:
        abstract = True

    def clean(self) -> None:
        super().clean()
        if self.opens_at and self.closes_at and self.opens_at >= self.closes_at:
            raise ValidationError({"closes_at": "Choose a time after the opening."})
        if self.access == self.Access.CODE and not _plain(self.access_code):
            self.access_code = make_code()
        if self.access_code and len(_plain(self.access_code)) < SHORTEST_CODE:
            raise ValidationError({"access_code": f"Choose a code of at least {SHORTEST_CODE} letters and digits."})
        if foreign := lettering.foreign(self.watermark):
            raise ValidationError({"watermark": f"These characters cannot be drawn: {foreign}"})

    @property
    def is_announced(self) -> bool:
        """Whether everybody may know of it."""
        return self.access != self.Access.DRAFT

    @property
    def is_upcoming(self) -> bool:
        return bool(self.is_announced and self.opens_at and self.opens_at > timezone.now())

    @property
    def is_over(self) -> bool:
        return bool(self.is_announced and self.closes_at and self.closes_at <= timezone.now())

    @property
    def is_published(self) -> bool:
        """Whether visitors may use it now."""
        return self.is_announced and not self.is_upcoming and not self.is_over

    @property
    def is_open(self) -> bool:
        """Whether everybody may see all of its photos now."""
        return self.access == self.Access.OPEN and self.is_published

    @property
    def keeps_faces(self) -> bool:
        """Whether faces may be looked for and kept today."""
        return self.keep_faces_until >= timezone.localdate()

    @property
    def takes_faces(self) -> bool:
        """Whether faces may be looked for: not after they were deleted, until staff have them found again."""
        return self.keeps_faces and self.faces_deleted_at is None

    @property
    def seal(self) -> str:
        """What a token has that was earned with the present code, and that tells nobody the code; empty without one."""
        if self.access != self.Access.CODE:
            return ""
        return salted_hmac("grabpic.seal", _plain(self.access_code), algorithm="sha256").hexdigest()

    def accepts_code(self, code: str) -> bool:
        """Tell whether this is the code that opens the event; blanks, hyphens and case do not matter."""
        wanted = _plain(self.access_code)
        return bool(wanted) and constant_time_compare(_plain(code), wanted)


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()
