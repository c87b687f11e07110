"""People in Django admin, and what the faces add to events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import admin, messages

from events import ingest
from events.admin import EventAdmin
from events.models import Event
from faces import pipeline
from faces.engine import EngineError, validate_name
from faces.models import Face

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


class EventForm(forms.ModelForm[Event]):
    """Refuses engines that do not exist, listing those that do."""

    def clean_engine(self) -> str:
        name: str = self.cleaned_data["engine"]
        try:
            validate_name(name)
        except EngineError as error:
            raise forms.ValidationError(str(error)) from error
        return name


@admin.register(Event)
class EventWithFacesAdmin(EventAdmin):
    form = EventForm
    actions = ("find_faces",)

    @admin.action(description="Process new photos: find and group the faces", permissions=["change"])
    def find_faces(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        """Take in the drop folder of each event, and process what is pending."""
        for event in queryset:
            for refused in ingest.add_dropped(event):
                self.message_user(request, f"{event}: {refused.file_name}: {refused.reason}", messages.WARNING)
            try:
                counts = pipeline.ingest(event)
            except EngineError as error:
                self.message_user(request, f"{event}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{event}: {counts}", messages.SUCCESS)


@admin.register(Face)
class FaceAdmin(admin.ModelAdmin[Face]):
    """A person can be named; who is who is decided by grouping."""

    list_display = ("grab_id", "name", "event", "image_count")
    list_filter = ("event",)
    list_select_related = ("event",)
    search_fields = ("name", "grab_id")
    fields = ("grab_id", "name", "event", "created_at")
    readonly_fields = ("grab_id", "event", "created_at")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Face]:
        return Face.objects.with_counts()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="photos", ordering="image_count")
    def image_count(self, face: Face) -> int:
        return face.image_count  # type: ignore[attr-defined, no-any-return]  # annotated by with_counts
