"""Faces seen in photos, their embeddings, and the persons they belong to."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, FloatField, Func, Value
from django.db.models.functions import Abs, Coalesce
from django.db.models.lookups import LessThan
from pgvector.django import CosineDistance, HalfVectorField

from events.models import Event, Image


class L2Norm(Func):
    """pgvector's length of a vector."""

    function = "l2_norm"
    output_field = FloatField()


def unit_length(field: str) -> LessThan:
    """Return the condition that a vector column holds unit vectors; pgvector itself refuses what is not finite."""
    return LessThan(Abs(L2Norm(F(field)) - Value(1.0)), Value(0.01))


class FaceQuerySet(models.QuerySet["Face"]):
    def visible(self) -> FaceQuerySet:
        """Return the persons that visitors may find: those that staff did not hide."""
        return self.filter(hidden=False)

    def with_grab_id(self, grab_id: uuid.UUID) -> FaceQuerySet:
        """Return the person that has this grab_id, or took over from the one who had it."""
        aliases = FaceAlias.objects.filter(grab_id=grab_id).values("face")
        # A union, since for OR the planner would look at every person of the site.
        return self.filter(pk__in=Face.objects.filter(grab_id=grab_id).values("pk").union(aliases, all=True))

    def search(self, term: str) -> FaceQuerySet:
        """Return the persons with this in their name, or whose grab_id begins so, also one that became an alias."""
        aliases = FaceAlias.objects.filter(grab_id__istartswith=term)
        known = models.Q(name__icontains=term) | models.Q(grab_id__istartswith=term)
        return self.filter(known | models.Q(pk__in=aliases.values("face")))

    def most_like(self, person: Face) -> FaceQuerySet:
        """Return the other persons of the event, most similar first, with `similarity`, 1 - cosine distance.

        An exact scan of the event's persons.
        """
        others = self.filter(event=person.event_id, engine=person.engine).exclude(pk=person.pk)
        similarity = Value(1.0) - CosineDistance("embedding", person.embedding)
        return others.annotate(similarity=similarity).order_by("-similarity")

    def with_counts(self) -> FaceQuerySet:
        """Add `image_count`, the number of photos each person is in; counted for the rows that are read alone."""
        faces = ImageFace.objects.filter(face=models.OuterRef("pk")).order_by().values("face")
        count = faces.annotate(count=models.Count("image", distinct=True)).values("count")
        return self.annotate(image_count=Coalesce(models.Subquery(count), 0))


class Face(models.Model):
    """One person of one event, known by the public `grab_id`.

    `embedding` represents the person: the direction of the centroid, as it was when all faces were last grouped anew.
    """

    grab_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="faces")
    name = models.CharField(max_length=120, blank=True)
    hidden = models.BooleanField(default=False, help_text="No visitor finds this person or sees their gallery.")
    cover = models.ForeignKey("ImageFace", on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    cover_chosen = models.BooleanField(default=False, help_text="Staff chose the cover: grouping leaves it alone.")
    engine = models.CharField(max_length=60)
    # Half precision keeps 640 dimensions inside the row; no fixed dimension, so that engines can differ. No index: the
    # persons of one event are scanned, exactly, and every change of one had to bring an HNSW index up to date.
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

    @property
    def label(self) -> str:
        """The name, else the beginning of the grab_id: enough to tell persons apart on a page."""
        return self.name or str(self.grab_id)[:8]


class Centroid(models.Model):
    """The mean of a person's vectors, each as long as its clarity; the mean similarity of all pairs is a dot product.

    Apart from `Face`, because it changes with every new photo, and a row of `Face` is costly to change (`Embedding`).
    """

    face = models.OneToOneField(Face, on_delete=models.CASCADE, primary_key=True)
    mean = HalfVectorField()
    size = models.PositiveIntegerField(help_text="How many faces it is the mean of.")

    def __str__(self) -> str:
        return f"centroid of {self.face_id}"


class FaceAlias(models.Model):
    """The grab_id of a person who became part of another one; it leads there for ever."""

    grab_id = models.UUIDField(unique=True)
    face = models.ForeignKey(Face, on_delete=models.CASCADE, related_name="aliases")

    def __str__(self) -> str:
        return f"{self.grab_id} of {self.face_id}"


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
    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="embeddings", db_index=False)
    engine = models.CharField(max_length=60)
    vector = HalfVectorField()

    class Meta:
        # The second one for pages of all faces: else each page looks through the faces of other events.
        indexes = (models.Index(fields=("event", "engine")), models.Index(fields=("event", "image_face")))
        constraints = (models.CheckConstraint(condition=unit_length("vector"), name="unit_vector"),)

    def __str__(self) -> str:
        return f"embedding of face {self.image_face_id} by {self.engine}"


class NextEmbedding(models.Model):
    """The vector of one face by the engine that its event is about to change to; see `faces.reembedding`."""

    image_face = models.OneToOneField(
        ImageFace, on_delete=models.CASCADE, primary_key=True, related_name="next_embedding"
    )
    engine = models.CharField(max_length=60)
    vector = HalfVectorField()

    class Meta:
        constraints = (models.CheckConstraint(condition=unit_length("vector"), name="unit_next_vector"),)

    def __str__(self) -> str:
        return f"next embedding of face {self.image_face_id} by {self.engine}"
