"""Who looked at or changed what about people."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from events.models import Event


class AuditEntry(models.Model):
    """One thing that somebody did with what is known about people; written once, by `faces.audit_log.record`."""

    class Action(models.TextChoices):
        LOOKED = "looked", "Looked at"
        CHANGED = "changed", "Changed"
        SEARCHED = "searched", "Searched with a selfie"
        OPENED = "opened", "Opened a gallery"
        DOWNLOADED = "downloaded", "Downloaded photos"
        EXPORTED = "exported", "Exported a person"
        ERASED = "erased", "Erased a person"
        FORGOTTEN = "forgotten", "Forgot a visitor"
        RETIRED = "retired", "Deleted all faces"

    at = models.DateTimeField(auto_now_add=True)
    event = models.ForeignKey(Event, on_delete=models.SET_NULL, null=True, related_name="audit_entries")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    actor = models.CharField(max_length=200, help_text="Who it was, in words that outlive an account.")
    action = models.CharField(max_length=12, choices=Action.choices)
    grab_id = models.UUIDField(null=True, help_text="Of the person that it was about, if it was one.")
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ("-pk",)
        verbose_name_plural = "audit log"
        indexes = (
            models.Index(fields=("event", "-id")),
            models.Index(fields=("grab_id",)),
            models.Index(fields=("at",)),
        )

    def __str__(self) -> str:
        return f"{self.actor}: {self.get_action_display().lower()}"
