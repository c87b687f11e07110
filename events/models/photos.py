"""Events and their photos."""

from __future__ import annotations

import re
import uuid
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models, transaction
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from events import queue
from events.access import is_staff, manages_every_event
from events.publishing import Publishing, is_published

if TYPE_CHECKING:
    from django.contrib.auth.models import User

    from events.access import Actor


def default_engine() -> str:
    """Return the engine that a new event uses."""
    return str(settings.FACE_ENGINE)


class EventQuerySet(models.QuerySet["Event"]):
    def lasting(self) -> EventQuerySet:
        """Return all but those that have been deleted, and whose photos the workers are deleting."""
        return self.filter(deleted_at=None)

    def ended(self) -> EventQuerySet:
        """Return those that have been deleted, and are not gone yet."""
        return self.exclude(deleted_at=None)

    def announced(self) -> EventQuerySet:
        """Return what everybody may know of."""
        return self.exclude(access=Event.Access.DRAFT)

    def published(self) -> EventQuerySet:
        """Return what visitors may use now."""
        return self.filter(is_published())

    def open(self) -> EventQuerySet:
        """Return those whose photos everybody may see now."""
        return self.published().filter(access=Event.Access.OPEN)

    def managed_by(self, user: Actor) -> EventQuerySet:
        """Return the events of this member of staff: their own, those of their groups, or all; none for others."""
        return self.filter(_managed_by(user))

    def visible_to(self, user: Actor) -> EventQuerySet:
        """Return what this visitor may know of: what is announced, and for staff their events."""
        return self.filter(~Q(access=Event.Access.DRAFT) | _managed_by(user))

    def listed_for(self, user: Actor) -> EventQuerySet:
        """Return what the list of events shows to this visitor: what is over is there for its staff alone."""
        lasting = Q(closes_at=None) | Q(closes_at__gt=timezone.now())
        return self.filter((~Q(access=Event.Access.DRAFT) & lasting) | _managed_by(user))

    def default(self) -> Event | None:
        """Return the event that is meant where none is named: the only one, or the newest published one."""
        newest = list(self.lasting().order_by("-date", "-pk")[:2])
        return newest[0] if len(newest) == 1 else self.published().order_by("-date", "-pk").first()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the events with everything of theirs: photos, faces, persons, files."""
        with transaction.atomic():
            _keep_groupings_out(self)
            _delete_files_on_commit(Image.objects.filter(event__in=self))
            _keep_others_out(self)
            _forget_people(self)
            return super().delete()

    delete.queryset_only = True  # type: ignore[attr-defined]  # never Event.objects.delete()


def _override(what: str) -> models.FloatField[float | None, float | None]:
    return models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=f"Largest cosine distance {what}. Empty: measured, or in proportion to a sure distance that is set.",
    )


class Event(Publishing):
    """An occasion whose photos belong together; faces are compared inside one event only."""

    slug = models.SlugField(unique=True, max_length=60, help_text="Its place in addresses, e.g. city-marathon-2026.")
    name = models.CharField(max_length=120)
    date = models.DateField(default=timezone.localdate)
    staff = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        limit_choices_to={"is_staff": True},
        related_name="+",
        help_text="Who manages this event, beside those who may manage every event.",
    )
    groups = models.ManyToManyField("auth.Group", blank=True, related_name="+", help_text="Whose staff manage it, too.")
    cover = models.ForeignKey(
        "Image",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="A photo of the event for its page: everybody sees it.",
    )
    engine = models.CharField(
        max_length=60,
        default=default_engine,
        help_text="What finds and compares the faces. Once the event has photos, `manage.py reembed` changes it.",
    )
    max_distance = models.FloatField(
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(2)],
        help_text=(
            "Largest cosine distance of a sure match. Empty: SIMILARITY_THRESHOLD, "
            "else measured for the engine and the size of the event."
        ),
    )
    maybe_distance = _override("of a match that is shown as “maybe you”")
    join_distance = _override("between a face and the faces of the person it joins, in the mean")
    group_distance = _override("between two groups of faces that are one person, in the mean")
    ingest_told_at = models.DateTimeField(
        null=True, editable=False, help_text="Up to when the API has told its clients what was processed."
    )
    indexed_told_at = models.DateTimeField(
        null=True, editable=False, help_text="Up to when webhooks have been told that all photos were looked at."
    )
    faces_consolidated = models.PositiveIntegerField(
        default=0, editable=False, help_text="How many faces the event had when all were last grouped anew."
    )
    deleted_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when nobody finds it: the workers are deleting its photos."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventQuerySet.as_manager()

    class Meta:
        ordering = ("-date", "-pk")
        permissions = (("manage_every_event", "Can manage every event"),)

    def __str__(self) -> str:
        return self.name

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the event with everything of its own: photos, faces, persons, files."""
        with transaction.atomic():
            this = Event.objects.filter(pk=self.pk)
            _keep_groupings_out(this)
            _delete_files_on_commit(self.images.all())
            _keep_others_out(this)
            _forget_people(this)
            return super().delete(*args, **kwargs)

    def clean(self) -> None:
        super().clean()
        if self.cover and self.cover.event_id != self.pk:
            raise ValidationError({"cover": "Choose a photo of this event."})

    def let_manage(self, user: User) -> None:
        """Let a member of staff manage this event, who may not manage every one anyway."""
        if not manages_every_event(user):
            self.staff.add(user)

    def catch_up(self) -> bool:
        """Read the row anew if the event has got another engine since it was read; tell whether it has."""
        if Event.objects.filter(pk=self.pk, engine=self.engine).exists():
            return False
        self.refresh_from_db()
        return True


class ImageQuerySet(models.QuerySet["Image"]):
    def pending(self) -> ImageQuerySet:
        return self.filter(state=Image.State.PENDING)

    def due(self) -> ImageQuerySet:
        """Return what is pending and not to be tried again later only."""
        return self.pending().exclude(retry_at__gt=timezone.now())

    def failed(self) -> ImageQuerySet:
        return self.filter(state=Image.State.FAILED)

    def looked_at(self) -> ImageQuerySet:
        """Return those that came to a good end: they have a preview and a thumbnail."""
        return self.filter(state__in=[Image.State.INDEXED, Image.State.NO_FACE])

    def by_state(self) -> dict[str, int]:
        """Return how many there are in each state."""
        found = self.order_by().values_list("state").annotate(count=models.Count("*"))
        return dict.fromkeys(Image.State.values, 0) | dict(found)

    def with_face_counts(self) -> ImageQuerySet:
        """Add `face_count`, the number of faces in each photo; `faces` is known here by name only."""
        faces = Image.objects.filter(pk=models.OuterRef("pk"), faces__isnull=False).order_by().values("pk")
        count = faces.annotate(count=models.Count("faces")).values("count")
        return self.annotate(face_count=Coalesce(models.Subquery(count), 0))

    def retry(self, image_id: uuid.UUID | None = None, code: str = "") -> int:
        """Make those that failed pending again, and call the workers; return how many.

        With `image_id` this one only, with `code` those that failed for this reason.
        """
        chosen = {"image_id": image_id, "failure_code": code}
        failed = self.failed().filter(**{field: value for field, value in chosen.items() if value})
        with transaction.atomic():
            events = list(failed.select_for_update().order_by("pk").values_list("event", flat=True))
            count = failed.update(
                state=Image.State.PENDING,
                failure_code="",
                failure_reason="",
                attempts=0,
                retry_at=None,
                processed_at=None,
            )
            queue.announce(*events)
        return count

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete the photos with their faces and files."""
        with transaction.atomic():
            _keep_groupings_out(Event.objects.filter(images__in=self))
            _delete_files_on_commit(self)
            return super().delete()

    delete.queryset_only = True  # type: ignore[attr-defined]  # never Image.objects.delete()


class Image(models.Model):
    """One photo of an event.

        pending ──▶ indexed     it was looked at, and there are faces
           │ └────▶ no_face     it was looked at, and there are none
           └──────▶ failed      it cannot be looked at: `failure_code` and `failure_reason` say why

    `ImageQuerySet.retry` makes what failed pending again. `attempts` counts how often a worker took the photo in hand
    without bringing it to an end; after three it has failed. The file itself is in the storage under `storage_key`;
    what is derived from it lies beside it.
    """

    class State(models.TextChoices):
        PENDING = "pending", "Pending"
        INDEXED = "indexed", "Indexed"
        NO_FACE = "no_face", "No face"
        FAILED = "failed", "Failed"

    class Rendition(models.TextChoices):
        """What is served of a photo."""

        ORIGINAL = "original"
        PREVIEW = "preview"
        THUMBNAIL = "thumbnail"

    image_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="images")
    file_name = models.CharField(max_length=255, help_text="As the photographer called it.")
    storage_key = models.CharField(max_length=300, unique=True)
    sha256 = models.CharField(max_length=64)
    width = models.PositiveIntegerField(help_text="Of the upright photo, in pixels.")
    height = models.PositiveIntegerField(help_text="Of the upright photo, in pixels.")
    turns = models.PositiveSmallIntegerField(
        default=0, help_text="Quarter turns counter-clockwise that made it upright, beyond its orientation tag."
    )
    taken_at = models.DateTimeField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    failure_code = models.CharField(max_length=40, blank=True)
    failure_reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="Not to be tried again before.")
    processed_at = models.DateTimeField(null=True, blank=True, help_text="When it left the state pending.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ImageQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        constraints = (
            # The same photo may arrive twice at the same moment; the second one finds the first by this.
            models.UniqueConstraint(fields=("event", "sha256"), name="one_image_per_content"),
        )
        indexes = (
            # With the key, so that the first of many pending photos are found without sorting.
            models.Index(fields=("event", "state", "id")),
            models.Index(fields=("event", "processed_at")),
            # Pages of all photos: else each page sorts the whole event.
            models.Index(fields=("event", "taken_at", "id")),
            # The same in the order in which they came in.
            models.Index(fields=("event", "id")),
            models.Index(
                fields=("event", "failure_code"), condition=models.Q(state="failed"), name="failed_images_by_reason"
            ),
        )

    def __str__(self) -> str:
        return self.file_name

    @property
    def is_looked_at(self) -> bool:
        """Whether it came to a good end; see `ImageQuerySet.looked_at`."""
        return self.state in {Image.State.INDEXED, Image.State.NO_FACE}

    @staticmethod
    def make_storage_key(image_id: uuid.UUID, file_name: str, extension: str) -> str:
        """Return where a new photo is kept: a folder of its own, the user's name made harmless, our extension."""
        # At most 60 characters: four bytes each still fit a file system's 255.
        stem = re.sub(r"[^\w-]+", "_", PurePosixPath(file_name).stem).strip("_")[:60] or "photo"
        return f"photos/{image_id}/{image_id.hex[:8]}_{stem}{extension}"

    def key_of(self, rendition: str) -> str:
        """Return the storage key of the original, the preview or the thumbnail."""
        if rendition == self.Rendition.ORIGINAL:
            return self.storage_key
        return f"photos/{self.image_id}/{self.Rendition(rendition)}.jpg"

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete the photo with its faces and files."""
        with transaction.atomic():
            _keep_groupings_out(Event.objects.filter(pk=self.event_id))
            _delete_files_on_commit(Image.objects.filter(pk=self.pk))
            return super().delete(*args, **kwargs)

    def delete_files(self) -> None:
        """Remove the original and what was derived from it from the storage.

        Raises:
            OSError: the storage fails; `manage.py storage_audit` finds what is left.
        """
        for rendition in self.Rendition:
            default_storage.delete(self.key_of(rendition))


def _managed_by(user: Actor) -> Q:
    """Return the condition that this user manages an event: all of them, their own, and those of their groups."""
    if not is_staff(user):
        return Q(pk__in=[])
    if manages_every_event(user):
        return Q(deleted_at=None)
    own = Event.staff.through.objects.filter(user=user.pk).values("event")
    groups = Event.groups.through.objects.filter(group__user=user.pk).values("event")
    return Q(deleted_at=None) & (Q(pk__in=own) | Q(pk__in=groups))


def _delete_files_on_commit(images: models.QuerySet[Image]) -> None:
    """Remove the files of these photos once their rows are really gone; a rollback keeps both.

    Locks the rows: a worker that writes faces now would have the deletion refused.
    """
    for image in Image.objects.filter(pk__in=images.order_by().values("pk")).order_by("pk").select_for_update():
        transaction.on_commit(image.delete_files)


def _keep_groupings_out(events: models.QuerySet[Event]) -> None:
    """Wait for groupings and corrections of events, which write about the faces of any photo, and let none begin.

    To be called first: everybody locks the event before its photos. A worker, who locks a photo alone, is not kept out.
    """
    _lock(events, no_key=True)


def _keep_others_out(events: models.QuerySet[Event]) -> None:
    """Lock events that are being deleted against new photos; their photos are locked before, as a worker does it."""
    _lock(events, no_key=False)


def _forget_people(events: models.QuerySet[Event]) -> None:
    """Delete what was told to programs about the people of events that are being deleted; it would outlive them."""
    deliveries, answers = (apps.get_model("events", name) for name in ("Delivery", "IdempotentAnswer"))
    deliveries.objects.filter(event__in=events.order_by().values("pk"), kind="match.created").delete()
    answers.objects.about_people().delete()


def _lock(events: models.QuerySet[Event], *, no_key: bool) -> None:
    keys = events.order_by().values("pk")
    list(Event.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=no_key).values_list("pk"))
