"""Admin pages that show each member of staff the rows of their own events, as if there were no others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.contrib import admin
from django.contrib.admin.widgets import ForeignKeyRawIdWidget
from django.db.models import Model

from events.access import manages_every_event
from events.models import Event

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import Field, QuerySet
    from django.http import HttpRequest
    from django.utils.functional import _StrPromise

Row = TypeVar("Row", bound=Model)


def staff_user(request: HttpRequest) -> User:
    """Return who asks; admin has let nobody in who is anonymous."""
    return request.user  # type: ignore[return-value]


def of_own_events(rows: QuerySet[Row], request: HttpRequest, path: str = "event") -> QuerySet[Row]:
    """Return those of these rows that belong to an event which whoever asks manages; `path` leads to the event."""
    user = staff_user(request)
    if manages_every_event(user):
        # Looked up apart, since there are none nearly always, and a join would cost the pages of a million rows.
        ended = list(Event.objects.ended().values_list("pk", flat=True))
        return rows.exclude(**{f"{path}__in": ended}) if ended else rows
    return rows.filter(**{f"{path}__in": Event.objects.managed_by(user).values("pk")})


class OwnEventsAdmin(admin.ModelAdmin[Any]):
    """Shows the rows of the events that one manages; `event_path` leads from a row to its event."""

    event_path = "event"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return of_own_events(super().get_queryset(request), request, self.event_path)


class OwnEventFilter(admin.RelatedFieldListFilter):
    """Offers the events that one manages."""

    def field_choices(
        self, field: Field[Any, Any], request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str | _StrPromise]]:
        own = Event.objects.managed_by(staff_user(request))
        return [(str(event.pk), event.name) for event in own]


class OwnRowWidget(ForeignKeyRawIdWidget):
    """The key of another row, with its name where it is one's own."""

    def __init__(self, rel: Any, admin_site: admin.AdminSite, own: QuerySet[Any]) -> None:
        super().__init__(rel, admin_site)
        self._own = own

    def label_and_url_for_value(self, value: Any) -> tuple[str, str]:
        label, url = super().label_and_url_for_value(value)
        return (label, url) if label and self._own.filter(pk=value).exists() else ("", "")
