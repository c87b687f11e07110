"""Events in Django admin, with the action that starts the search for faces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.urls import reverse
from django.utils.html import format_html

from events import ingest
from events.models import Event
from faces import retention
from faces.admin.distances import DistancesAdmin, DistancesForm
from faces.engine import EngineError, validate_name
from faces.progress import workers_alive
from faces.tasks import request_consolidation
from faces.waiting import NO_WORKER

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class EventForm(DistancesForm):
    """Refuses engines that do not exist, listing those that do."""

    def clean_engine(self) -> str:
        name: str = self.cleaned_data["engine"]
        try:
            validate_name(name)
        except EngineError as error:
            raise forms.ValidationError(str(error)) from error
        return name


@admin.register(Event)
class EventWithFacesAdmin(DistancesAdmin):
    form = EventForm
    actions = ("find_faces", "regroup", "look_again")

    def get_list_display(self, request: HttpRequest) -> tuple[Any, ...]:
        shown = tuple(super().get_list_display(request))
        return (*shown, "people") if request.user.has_perm("faces.view_face") else shown

    @admin.display(description="who is who")
    def people(self, event: Event) -> str:
        address = f"{reverse('admin:faces_face_changelist')}?event__id__exact={event.pk}"
        return format_html('<a href="{}">people</a>', address)

    @admin.action(description="Take in the drop folder, and tell how many photos wait", permissions=["change"])
    def find_faces(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        """Take in the drop folder of each event; the workers hear of what is new, and look for what is pending."""
        for event in queryset:
            for refused in ingest.add_dropped(event):
                self.message_user(request, f"{event}: {refused.file_name}: {refused.reason}", messages.WARNING)
            pending = event.images.pending().count()
            self.message_user(request, f"{event}: {pending} photos wait for the workers.", messages.SUCCESS)
        if not workers_alive():
            self.message_user(request, NO_WORKER, messages.WARNING)

    @admin.action(description="Group all faces anew", permissions=["change"])
    def regroup(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        """Have the workers cluster all faces of each event; what staff decided stays."""
        for event in queryset:
            request_consolidation(event)
            self.message_user(request, f"{event}: its faces will be grouped anew.", messages.SUCCESS)
        if not workers_alive():
            self.message_user(request, NO_WORKER, messages.WARNING)

    @admin.action(description="Look for the faces again", permissions=["change"])
    def look_again(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        """Have the workers look at all photos of events that may keep faces again."""
        for event in queryset:
            if event.keeps_faces:
                count = retention.look_again(event)
                self.message_user(request, f"{event}: {count} photos will be looked at again.", messages.SUCCESS)
            else:
                advice = f"{event} keeps no faces any more. Choose a later day on its page first."
                self.message_user(request, advice, messages.WARNING)
