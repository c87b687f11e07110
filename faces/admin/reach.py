"""What reaches some events or all, in admin: members of staff see, and let reach, their own events only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin

from events.access import manages_every_event
from events.models import Event
from events.own import staff_user

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from events.models.reach import Reach


class ReachForm(forms.ModelForm[Any]):
    """Wants events, or every event."""

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or self.cleaned_data
        if "events" in cleaned and bool(cleaned["events"]) == cleaned.get("every_event", False):
            self.add_error("events", "Choose every event, or some: not both." if cleaned["events"] else self._missing())
        return cleaned

    def _missing(self) -> str:
        return "Choose at least one event, or every event." if "every_event" in self.fields else "Choose an event."


class ReachFilter(admin.SimpleListFilter):
    """By an event that it reaches, also as one of all."""

    title = "event"
    parameter_name = "event"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(event.pk), event.name) for event in Event.objects.managed_by(staff_user(request))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None or value not in {pk for pk, _ in self.lookup_choices}:
            return queryset
        return queryset.filter(queryset.model.reaching(Event.objects.get(pk=value)))


class ReachAdmin(admin.ModelAdmin[Any]):
    """Shows who does not manage every event what reaches some of theirs, and no other."""

    form = ReachForm
    filter_horizontal = ("events",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows, user = super().get_queryset(request).prefetch_related("events"), staff_user(request)
        return rows if manages_every_event(user) else rows.filter(self.model.within(Event.objects.managed_by(user)))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fields = list(super().get_fields(request, obj))
        return (
            fields if manages_every_event(staff_user(request)) else [name for name in fields if name != "every_event"]
        )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "events":
            kwargs["queryset"] = Event.objects.managed_by(staff_user(request))
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write what was changed alone: what somebody else changed since the page was opened stays."""
        if change:
            columns = {field.name for field in obj._meta.concrete_fields}
            obj.save(update_fields=columns & set(form.changed_data))
        else:
            obj.created_by = staff_user(request)
            super().save_model(request, obj, form, change)

    @admin.display(description="events")
    def reach(self, row: Reach) -> str:
        return "every event" if row.every_event else ", ".join(event.name for event in row.events.all()) or "none"
