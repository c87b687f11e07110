"""Programs that use the API: their keys, how often they may ask, and what they were answered."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from rest_framework_api_key.models import AbstractAPIKey

from events.models.photos import Event
from events.models.reach import Reach

if TYPE_CHECKING:
    from django.contrib.auth.models import User


class Scope(models.TextChoices):
    """What an API key may do with the events that it reaches."""

    READ = "read", "Read: events, photos, people, progress, metrics"
    UPLOAD = "upload", "Upload: send photos and have them processed"
    SEARCH = "search", "Search: find people by a selfie, whose photos the answer opens"
    MANAGE = "manage", "Manage: change and delete events, photos and people"


USE_NOTED_EVERY = timedelta(minutes=1)
"""A program that asks a hundred times a second does not write a hundred times a second that it did."""


class ApiKey(Reach, AbstractAPIKey):
    """What a program shows to say who it is. Only a hash of it is stored; `create_key` returns it once."""

    secret = ""
    """What the program shows; known only to who has just made the key."""

    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices))
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )

    class Meta(AbstractAPIKey.Meta):
        verbose_name = "API key"
        verbose_name_plural = "API keys"

    def __str__(self) -> str:
        return str(self.name)

    @classmethod
    def over(cls) -> Q:
        """Return the condition that it opens nothing any more."""
        return Q(revoked=True) | Q(expiry_date__lt=timezone.now())

    @property
    def label(self) -> str:
        """What logs call it: names need not be unique."""
        return f"API key {self.name} ({self.prefix})"

    @property
    def state(self) -> str:
        return "revoked" if self.revoked else "expired" if self.has_expired else "valid"

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes

    def note_use(self) -> None:
        """Note that it is used now, to the minute."""
        now = timezone.now()
        if self.last_used_at is None or self.last_used_at < now - USE_NOTED_EVERY:
            ApiKey.objects.filter(pk=self.pk).update(last_used_at=now)

    def take_on(self, event: Event) -> None:
        """Reach an event that its program has made; let who made the key manage it if they still see the key.

        In admin they see keys that reach no event but theirs: they could not revoke it any more otherwise.
        """
        if self.every_event:
            return
        if self.created_by and self._is_seen_by(self.created_by):
            event.let_manage(self.created_by)
        self.events.add(event)

    def _is_seen_by(self, user: User) -> bool:
        return ApiKey.objects.filter(self.within(Event.objects.managed_by(user)), pk=self.pk).exists()

    def revoke(self) -> None:
        """End it for good, from its next request on."""
        self.revoked = True
        self.save(update_fields=["revoked"])


class Allowance(models.Model):
    """How far somebody has used up what they may ask of something: until when, at the allowed rate, it would last.

    The key says of what, and names in a hash of whom; see `events.limits`.
    """

    key = models.CharField(max_length=100, primary_key=True)
    spent_until = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.key


class IdempotentAnswerQuerySet(models.QuerySet["IdempotentAnswer"]):
    def about_people(self) -> IdempotentAnswerQuerySet:
        """Return the answers that tell of a person, or of a face."""
        return self.filter(body__has_key="grab_id")


class IdempotentAnswer(models.Model):
    """What a request with an `Idempotency-Key` was answered."""

    who = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of what was asked.")
    status = models.PositiveSmallIntegerField()
    body = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("who", "key"), name="one_answer_per_idempotency_key"),)

    def __str__(self) -> str:
        return self.key
