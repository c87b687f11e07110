"""What was done how often, and how long it took."""

from __future__ import annotations

from django.db import models


class Tally(models.Model):
    """A counter that all processes of all machines add to, for the metrics."""

    name = models.CharField(max_length=40)
    label = models.CharField(max_length=60, blank=True)
    count = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0)

    class Meta:
        verbose_name_plural = "tallies"
        constraints = (models.UniqueConstraint(fields=("name", "label"), name="one_tally_per_label"),)

    def __str__(self) -> str:
        return f"{self.name} {self.label}".strip()
