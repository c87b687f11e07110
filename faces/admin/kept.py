"""Rows that grouping and corrections write, and that nobody adds or deletes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied

from events.models import Event
from events.own import OwnEventsAdmin, staff_user
from faces import audit_log

if TYPE_CHECKING:
    from django.http import HttpRequest


class KeptAdmin(OwnEventsAdmin):
    """Neither adds nor deletes, and shows one's own events only.

    `has_delete_permission` is left alone: it is asked when an event is deleted, with everything of its own.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def note_list(self, request: HttpRequest, what: str) -> None:
        """Write into the audit log who looks at the list, of the one event that is chosen, or of all."""
        if request.method == "GET" and self.has_view_permission(request):
            named = request.GET.get("event__id__exact", "")
            own = Event.objects.managed_by(staff_user(request))
            event = own.filter(pk=named).first() if named.isdecimal() and len(named) < 19 else None
            audit_log.record(audit_log.Action.LOOKED, event, staff_user(request), detail=what)

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        raise PermissionDenied

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
