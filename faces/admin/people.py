"""People in Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from events.admin import ShortPaginator
from faces.models import Face

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest


@admin.register(Face)
class FaceAdmin(admin.ModelAdmin[Face]):
    """A person can be named; who is who is decided by grouping."""

    list_display = ("grab_id", "name", "event", "image_count")
    list_filter = ("event",)
    list_select_related = ("event",)
    search_fields = ("name", "grab_id")
    fields = ("grab_id", "name", "event", "created_at")
    readonly_fields = ("grab_id", "event", "created_at")
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER

    def get_queryset(self, request: HttpRequest) -> QuerySet[Face]:
        return Face.objects.with_counts().defer("embedding")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    # Not to be sorted by: that would count the photos of everybody.
    @admin.display(description="photos")
    def image_count(self, face: Face) -> int:
        return face.image_count  # type: ignore[attr-defined, no-any-return]  # annotated by with_counts
