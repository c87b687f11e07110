"""What belongs to some events, or to all that there are and will be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from events.models.photos import Event

if TYPE_CHECKING:
    from events.models.photos import EventQuerySet


class Reach(models.Model):
    """Which events something reaches."""

    every_event = models.BooleanField(default=False, help_text="Also those that are still to come.")
    events = models.ManyToManyField(Event, blank=True, related_name="+", help_text="Where it is not every event.")

    class Meta:
        abstract = True

    def reaches(self) -> EventQuerySet:
        """Return the events that it reaches."""
        if self.every_event:
            return Event.objects.lasting()
        links = self._links().filter(**{self._link(): self.pk})
        return Event.objects.lasting().filter(pk__in=links.values("event"))

    @classmethod
    def reaching(cls, event: Event) -> Q:
        """Return the condition that it reaches this event."""
        return Q(every_event=True) | Q(pk__in=cls._links().filter(event=event).values(cls._link()))

    @classmethod
    def within(cls, events: EventQuerySet) -> Q:
        """Return the condition that it reaches some of these events, and no other."""
        links = cls._links()
        inside, outside = links.filter(event__in=events), links.exclude(event__in=events)
        return Q(every_event=False, pk__in=inside.values(cls._link())) & ~Q(pk__in=outside.values(cls._link()))

    @classmethod
    def _links(cls) -> models.QuerySet[models.Model]:
        return cls.events.through._default_manager.all()

    @classmethod
    def _link(cls) -> str:
        """Return the name of the links' field that leads to this model."""
        return str(cls._meta.model_name)
