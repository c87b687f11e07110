"""Rows that grouping and corrections write, and that nobody adds or deletes by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied

from events.own import OwnEventsAdmin

if TYPE_CHECKING:
    from django.http import HttpRequest


class KeptAdmin(OwnEventsAdmin):
    """Neither adds nor deletes, and shows one's own events only.

    `has_delete_permission` is left alone: it is asked when an event is deleted, with everything of its own.
    """

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> Any:
        raise PermissionDenied

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}
