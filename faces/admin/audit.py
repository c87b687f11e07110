"""The audit log in Django admin: to read, for everybody their own events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

from events.admin import ShortPaginator
from events.own import OwnEventFilter
from faces.admin.kept import KeptAdmin
from faces.models import AuditEntry

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(AuditEntry)
class AuditEntryAdmin(KeptAdmin):
    """Who looked at or changed what about people; nobody can change any of it here."""

    list_display = ("at", "actor", "action", "detail", "grab_id", "event")
    list_display_links = None
    list_filter = ("action", "at", ("event", OwnEventFilter))
    list_select_related = ("event",)
    search_fields = ("actor__istartswith", "grab_id__istartswith")
    search_help_text = "Somebody's name, or the beginning of a grab_id."
    ordering = ("-pk",)
    sortable_by = ()
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        # PostgreSQL knows no null characters.
        return super().get_search_results(request, queryset, search_term.replace("\0", ""))
