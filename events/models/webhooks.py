"""Programs that are told what happens, and what they were told."""

from __future__ import annotations

import base64
import secrets
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from events.models.photos import Event
from events.models.reach import Reach


def new_secret() -> str:
    """Return what signs a webhook's messages: 32 random bytes as the Standard Webhooks specification writes them."""
    return f"whsec_{base64.b64encode(secrets.token_bytes(32)).decode()}"


class Webhook(Reach):
    """An address that is told what happens in the events that it reaches."""

    class Kind(models.TextChoices):
        IMAGE_INDEXED = "image.indexed", "A photo was looked at"
        IMAGE_FAILED = "image.failed", "A photo cannot be looked at"
        EVENT_INDEXED = "event.indexed", "All photos of an event were looked at and grouped"
        MATCH_CREATED = "match.created", "A selfie found somebody"
        PERSON_FORGOTTEN = "person.forgotten", "A person was erased"

    name = models.CharField(max_length=60)
    url = models.URLField("address", max_length=500)
    secret = models.CharField(max_length=100, default=new_secret, editable=False)
    kinds = ArrayField(models.CharField(max_length=30, choices=Kind.choices))
    is_active = models.BooleanField("active", default=True)
    rests_until = models.DateTimeField(
        null=True, editable=False, help_text="It failed several times in a row: nothing is sent before."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name", "pk")

    def __str__(self) -> str:
        return self.name


class Delivery(models.Model):
    """One message to one webhook.

    pending ──▶ delivered
          └───▶ failed        after the last attempt; staff may send it again
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    delivery_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries")
    event = models.ForeignKey(Event, on_delete=models.SET_NULL, null=True, related_name="deliveries")
    # No choices: a test message is none of the kinds that can be subscribed to.
    kind = models.CharField(max_length=30)
    payload = models.JSONField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True, help_text="What the address answered.")
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "deliveries"
        indexes = (
            models.Index(fields=("webhook", "due_at"), condition=models.Q(state="pending"), name="pending_deliveries"),
            models.Index(fields=("state", "created_at")),
        )

    def __str__(self) -> str:
        return f"{self.kind} {self.delivery_id}"
