"""What visitors do: they agree, show a selfie, say who they are not, and want to be forgotten. No picture of them."""

from __future__ import annotations

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from events.models import Event
from faces.models.people import ImageFace


class Consent(models.Model):
    """That somebody agreed to have their selfie compared: to which words, when, and that they took it back.

    Leads to nobody, and stays when the visitor is forgotten: the organiser has to prove that there was one.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="consents")
    version = models.CharField(max_length=20, help_text="Of the words that were agreed to.")
    language = models.CharField(max_length=10)
    given_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"consent {self.version} of {self.given_at:%Y-%m-%d %H:%M}"


class VisitorQuerySet(models.QuerySet["Visitor"]):
    def present(self) -> VisitorQuerySet:
        """Return those whose gallery has not expired."""
        return self.filter(expires_at__gt=timezone.now())


class Visitor(models.Model):
    """Somebody whose selfie opened a gallery: which faces it showed, and for how long. Who has the `key` is let in.

    `sure` and `maybe` are the witnesses (keys of ImageFace) of `faces.gallery.Grant`.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="visitors")
    consent = models.ForeignKey(Consent, on_delete=models.SET_NULL, null=True, related_name="+")
    sure = ArrayField(models.BigIntegerField(), default=list)
    maybe = ArrayField(models.BigIntegerField(), default=list)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)

    objects = VisitorQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"visitor {self.pk}"

    @property
    def is_present(self) -> bool:
        """Whether the gallery has not expired."""
        return self.expires_at > timezone.now()


class Evidence(models.Model):
    """What a visitor said of a person whom their selfie only may show: “that's me”, or “not me”.

    `asked` is a face of that person; `known` one of the person whom the selfie surely showed, if it showed one. Stays
    for staff when the visitor's gallery expires; goes with the visitor who wants to be forgotten.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="evidence")
    visitor = models.ForeignKey(Visitor, on_delete=models.SET_NULL, null=True, related_name="answers")
    asked = models.ForeignKey(ImageFace, on_delete=models.CASCADE, related_name="+")
    known = models.ForeignKey(ImageFace, on_delete=models.CASCADE, null=True, related_name="+")
    is_me = models.BooleanField()
    said_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("-pk",)
        constraints = (models.UniqueConstraint(fields=("visitor", "asked"), name="one_answer_per_visitor"),)

    def __str__(self) -> str:
        return f"face {self.asked_id} is {'' if self.is_me else 'not '}visitor {self.visitor_id}"


class Erased(models.Model):
    """Where in a photo a face was that had to be forgotten, so that it is not found again in the same photo.

    Nothing by which a face could be recognised: the photo's content and a box in pixels of the photo as its orientation
    tag turns it, and no further (`Image.turns`); see `faces.erased`.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="erased")
    sha256 = models.CharField(max_length=64)
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    erased_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("pk",)
        indexes = (models.Index(fields=("event", "sha256")),)

    def __str__(self) -> str:
        return f"face erased from {self.sha256[:8]}"
