"""The distances of an event in admin: what they are now, what may be set, and the page that draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path

from events.admin import EventAdmin
from events.models import Event
from faces.admin.distance_chart import HEIGHT, WIDTH, chart, table
from faces.engine import EngineError
from faces.histogram import histogram
from faces.thresholds import thresholds

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern

    from faces.thresholds import Thresholds

MEANINGS = {
    "sure": "a selfie shows this person",
    "maybe": "a selfie may show this person: shown apart",
    "join": "a new face belongs to a person, in the mean over the person's faces",
    "group": "two groups of faces are one person, in the mean over all pairs",
}


class DistancesForm(forms.ModelForm[Event]):
    """Refuses distances that contradict each other."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        sure, maybe = cleaned.get("max_distance"), cleaned.get("maybe_distance")
        if sure is not None and maybe is not None and sure > maybe:
            message = f"What is sure may be, too: enter {sure:g} or more, or leave this empty."
            self.add_error("maybe_distance", message)
        return cleaned


class DistancesAdmin(EventAdmin):
    """Adds the page of an event's distances, and says on the event's own what they are."""

    def get_urls(self) -> list[URLPattern]:
        page = self.admin_site.admin_view(self.distances_view)
        return [path("<int:pk>/distances/", page, name="faces_event_distances"), *super().get_urls()]

    def get_fieldsets(self, request: HttpRequest, obj: Event | None = None) -> Any:
        *others, (title, faces) = super().get_fieldsets(request, obj)
        return [*others, (title, {**faces, "fields": (*faces["fields"], *(("distances_now",) if obj else ()))})]

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        return (*super().get_readonly_fields(request, obj), *(("distances_now",) if obj else ()))

    @admin.display(description="distances now")
    def distances_now(self, event: Event) -> str:
        # A form that was refused has left its values in this event, which are not in force.
        event = Event.objects.get(pk=event.pk)
        try:
            limits = thresholds(event)
        except EngineError as error:
            return str(error)
        values = ", ".join(f"{name} {getattr(limits, name):.3f}" for name in MEANINGS)
        return f"{values} ({_origin(event, limits)})"

    def distances_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Draw how far apart the event's faces are; for who may view the event."""
        event = get_object_or_404(Event.objects.managed_by(request.user), pk=pk)
        if not self.has_view_permission(request, event):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Distances",
            "subtitle": str(event),
            "opts": self.opts,
            "original": event,
            **_figures(event),
        }
        return TemplateResponse(request, "admin/events/event/distances.html", context)


def _figures(event: Event) -> dict[str, Any]:
    try:
        found = histogram(event)
    except EngineError as error:
        return {"problem": str(error)}
    return {
        "found": found,
        "chart": chart(found) if found.faces > 1 else None,
        "size": (WIDTH, HEIGHT),
        "rows": table(found),
        "limits": [(name, getattr(found.limits, name), meaning) for name, meaning in MEANINGS.items()],
        "origin": _origin(event, found.limits),
        "selfies": round(1 / found.strangers) if 0 < found.strangers <= 0.5 else 0,
        "same": sum(found.same),
        "different": sum(found.different),
    }


def _origin(event: Event, limits: Thresholds) -> str:
    """Say where the distances come from that the event does not set one by one."""
    if event.max_distance is not None:
        return "set for this event"
    if settings.SIMILARITY_THRESHOLD is not None:
        return "set by SIMILARITY_THRESHOLD"
    return f"measured, for {limits.faces:,} faces"
