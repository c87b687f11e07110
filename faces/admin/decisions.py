"""The log of what people decided, in Django admin; and the pages of the review queues."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path
from django.utils.html import format_html

from events.admin import ShortPaginator
from events.own import OwnEventFilter
from faces.admin.kept import KeptAdmin
from faces.admin.queues import QUEUES
from faces.admin.reviews import NUMBER, may_decide, review
from faces.admin.undoing import take_back
from faces.models import Decision

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.urls import URLPattern


class UndoneFilter(admin.SimpleListFilter):
    """By whether a decision still counts."""

    title = "state"
    parameter_name = "undone"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("no", "In force"), ("yes", "Undone")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        return queryset if value is None else queryset.filter(undone_at__isnull=value == "no")


@admin.register(Decision)
class DecisionAdmin(KeptAdmin):
    """Who decided what, and when; nothing can be changed but undone."""

    list_display = ("what", "undo_button", "kind", "maker", "made_at", "undone", "event")
    list_display_links = None
    list_filter = (UndoneFilter, "kind", ("event", OwnEventFilter))
    list_select_related = ("event", "made_by", "undone_by")
    search_fields = ("summary",)
    search_help_text = "A name, or the beginning of a grab_id."
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("undo",)
    sortable_by = ()

    def get_urls(self) -> list[URLPattern]:
        queues = [
            path(
                f"{queue.name}/",
                self.admin_site.admin_view(partial(review, queue=queue)),
                name=f"faces_review_{queue.name}",
            )
            for queue in QUEUES
        ]
        return [*queues, *super().get_urls()]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Decision]:
        # What an undo brings back may be large.
        return super().get_queryset(request).defer("before")

    def has_change_permission(self, request: HttpRequest, obj: Decision | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(name for name in self.list_display if name != "undo_button" or may_decide(request))

    def has_undo_permission(self, request: HttpRequest) -> bool:
        return may_decide(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the log; the button of a row sends `undo`, its decision's primary key."""
        if request.method == "POST" and NUMBER.fullmatch(request.POST.get("undo", "")):
            if not (self.has_view_permission(request) and self.has_undo_permission(request)):
                raise PermissionDenied
            take_back(request, get_object_or_404(self.get_queryset(request), pk=request.POST["undo"]))
            return HttpResponseRedirect(request.get_full_path())
        # Its sentences name people.
        self.note_list(request, "Decisions")
        return super().changelist_view(request, {"title": "What was decided", **(extra_context or {})})

    @admin.action(description="Undo", permissions=["undo"])
    def undo(self, request: HttpRequest, queryset: QuerySet[Decision]) -> None:
        """Undo the newest first, since an older one may rest on what was before a newer one."""
        for decision in queryset.order_by("-pk"):
            take_back(request, decision)

    @admin.display(description="what")
    def what(self, decision: Decision) -> str:
        return decision.summary

    @admin.display(description="made by")
    def maker(self, decision: Decision) -> str:
        return decision.maker

    @admin.display(description="undone", empty_value="no")
    def undone(self, decision: Decision) -> str | None:
        if decision.undone_at is None:
            return None
        return f"{decision.undone_at:%Y-%m-%d %H:%M}, {decision.undone_by or 'somebody'}"

    @admin.display(description="undo")
    def undo_button(self, decision: Decision) -> str:
        if decision.undone_at is not None:
            return ""
        return format_html(
            '<button class="button" name="undo" value="{}" aria-label="Undo: {}">Undo</button>', decision.pk, decision
        )
