"""Faces seen in photos, their embeddings, and the persons they belong to."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, FloatField, Func, Value
from django.db.models.functions import Abs, Coalesce
from django.db.models.lookups import LessThan
from pgvector.django import HalfVectorField

from events.models import Event, Image


class L2Norm(Func):
    """pgvector's length of a vector."""

    function = "l2_norm"
    output_field = FloatField()


def unit_length(field: str) -> LessThan:
    """Return the condition that a vector column holds unit vectors; pgvector itself refuses what is not finite."""
    return LessThan(Abs(L2Norm(F(field)) - Value(1.0)), Value(0.01))


class FaceQuerySet(models.QuerySet["Face"]):
    def with_counts(self) -> FaceQuerySet:
        """Add `image_count`, the number of photos each person is in; counted for the rows that are read alone."""
        faces = ImageFace.objects.filter(face=models.OuterRef("pk")).order_by().values("face")
        count = faces.annotate(count=models.Count("image", distinct=True)).values("count")
        return self.annotate(image_count=Coalesce(models.Subquery(count), 0))


class Face(models.Model):
    """One person of one event, known by the public `grab_id`.

    `embedding` is the mean direction of the person's faces, remade by every grouping.
    """

    grab_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="faces")
    name = models.CharField(max_length=120, blank=True)
    cover = models.ForeignKey("ImageFace", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    engine = models.CharField(max_length=60)
    # Half precision keeps 640 dimensions inside the row; no fixed dimension, so that engines can differ. Migration
    # 0002 adds an HNSW index (cosine) for each usual dimension.
    embedding = HalfVectorField()
    created_at = models.DateTimeField(auto_now_add=True)

    objects = FaceQuerySet.as_manager()

    class Meta:
        ordering = ("pk",)
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = (models.CheckConstraint(condition=unit_length("embedding"), name="unit_representative"),)

    def __str__(self) -> str:
        return self.name or str(self.grab_id)


class ImageFace(models.Model):
    """One face seen in one photo; coordinates are pixels of the upright photo."""

    image = models.ForeignKey(Image, on_delete=models.CASCADE, related_name="faces")
    face = models.ForeignKey(
        Face,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="image_faces",
        verbose_name="person",
    )
    x = models.FloatField()
    y = models.FloatField()
    width = models.FloatField()
    height = models.FloatField()
    landmarks = models.JSONField(default=list, help_text="Right eye, left eye, nose, mouth corners: [[x, y], …].")
    score = models.FloatField(help_text="The detector's.")
    quality = models.FloatField(help_text="From 0 to 1: how much there is to recognise.")

    class Meta:
        ordering = ("pk",)
        # They are looked for every few seconds, and there are none most of the time.
        indexes = (models.Index(fields=("image",), condition=models.Q(face=None), name="ungrouped_faces"),)

    def __str__(self) -> str:
        return f"face {self.pk} of {self.image_id}"


class Embedding(models.Model):
    """The vector of one face.

    Apart from `ImageFace`, because assigning a face to a person must not rewrite the row that holds the
    vector: that would add a new entry to each of its indexes.
    """

    image_face = models.OneToOneField(ImageFace, on_delete=models.CASCADE, primary_key=True)
    # The image's event once more: a filter on a joined table would cost the planner its index.
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="embeddings")
    engine = models.CharField(max_length=60)
    vector = HalfVectorField()

    class Meta:
        indexes = (models.Index(fields=("event", "engine")),)
        constraints = (models.CheckConstraint(condition=unit_length("vector"), name="unit_vector"),)

    def __str__(self) -> str:
        return f"embedding of face {self.image_face_id} by {self.engine}"
