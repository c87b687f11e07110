"""What staff decided about the persons of an event."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from events.models import Event
from faces.models.people import Face, ImageFace


class DecisionQuerySet(models.QuerySet["Decision"]):
    def live(self) -> DecisionQuerySet:
        """Return what was decided and not undone."""
        return self.filter(undone_at=None)

    def about(self, person: Face) -> DecisionQuerySet:
        """Return what was decided about the person's faces, or the person as such."""
        about = models.Q(faces__image_face__face=person) | models.Q(before__persons__has_key=str(person.pk))
        # A decision about several of the faces is one decision.
        return self.filter(pk__in=self.filter(about, event=person.event_id).order_by().values("pk"))


class Decision(models.Model):
    """What somebody decided about the persons of an event: recorded, obeyed by every grouping, and undone on request.

    Its faces (`DecisionFace`) have two sides: nobody TOGETHER is the person of anybody APART; and where the kind is one
    of `UNITING`, all those TOGETHER are one person. Where two decisions contradict each other, the newer one counts.
    """

    class Kind(models.TextChoices):
        MERGE = "merge", "Merged"
        SPLIT = "split", "Split off"
        MOVE = "move", "Moved"
        REMOVE = "remove", "Removed"
        CONFIRM = "confirm", "Confirmed"
        NOT_SAME = "not_same", "Not the same person"
        HIDE = "hide", "Hidden"
        SHOW = "show", "Shown again"
        NAME = "name", "Named"
        COVER = "cover", "Cover chosen"

    UNITING = (Kind.MERGE, Kind.SPLIT, Kind.MOVE, Kind.CONFIRM)

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    summary = models.CharField(max_length=300, help_text="What was done, for people.")
    before = models.JSONField(default=dict, help_text="What an undo brings back: persons, and the person of each face.")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_with = models.CharField(max_length=80, blank=True, help_text="“API key …”, where it was no user.")
    made_at = models.DateTimeField(auto_now_add=True)
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    undone_at = models.DateTimeField(null=True)

    objects = DecisionQuerySet.as_manager()

    class Meta:
        ordering = ("-pk",)
        indexes = (models.Index(fields=("event", "-id")),)

    def __str__(self) -> str:
        return self.summary

    @property
    def maker(self) -> str:
        """Who made it, in words."""
        return str(self.made_by or self.made_with or "somebody")


class DecisionFace(models.Model):
    """A face that a decision is about."""

    class Side(models.IntegerChoices):
        APART = 0
        TOGETHER = 1

    decision = models.ForeignKey(Decision, on_delete=models.CASCADE, related_name="faces")
    image_face = models.ForeignKey(ImageFace, on_delete=models.CASCADE, related_name="+")
    side = models.PositiveSmallIntegerField(choices=Side.choices)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("decision", "image_face"), name="one_side_per_face"),)

    def __str__(self) -> str:
        return f"face {self.image_face_id} of decision {self.decision_id}"
