"""The People page, and the addresses of all that is done with people."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.http import urlencode

from events.admin import ShortPaginator
from events.own import OwnEventFilter, of_own_events, staff_user
from faces import audit_log, corrections
from faces.admin import person_page
from faces.admin.crops import crop
from faces.admin.filters import HiddenFilter, NameFilter, PhotosFilter
from faces.admin.kept import KeptAdmin
from faces.admin.merging import candidates, merge_page
from faces.admin.privacy_page import PERMISSION, erase_person, export_person
from faces.admin.undoing import attempt, undo
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.http.response import HttpResponseBase
    from django.urls import URLPattern

    from faces.models import FaceQuerySet

MOST_COMPARED = 5
"""So many people are at most told apart at once, each from each: one decision for each pair."""


@admin.register(Face)
class FaceAdmin(KeptAdmin):
    """Who is who is decided by grouping, and corrected here by `faces.corrections`; nothing else writes.

    People are hidden, and not deleted as rows: the next grouping would find them again, for everybody to see. Who wants
    to be forgotten is erased (`privacy_page`), one at a time.
    """

    list_filter = (("event", OwnEventFilter), HiddenFilter, NameFilter, PhotosFilter)
    list_select_related = ("event", "centroid")
    search_fields = ("name", "grab_id")
    search_help_text = "A name, or the beginning of a grab_id."
    ordering = (F("centroid__size").desc(nulls_last=True), "pk")
    paginator = ShortPaginator
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("merge", "not_same", "hide", "show")

    def get_urls(self) -> list[URLPattern]:
        """Everything below is for staff; it needs the permission to view people, or to change them."""
        views: list[tuple[str, Callable[..., HttpResponseBase], str, bool]] = [
            ("crop/<int:pk>.jpg", crop, "faces_crop", False),
            ("merge/", merge_page, "faces_merge", True),
            ("<int:pk>/candidates/", candidates, "faces_candidates", True),
            ("undo/<int:pk>/", undo, "faces_undo", True),
            ("<int:pk>/export/", export_person, "faces_export", True),
            ("<int:pk>/erase/", erase_person, "faces_erase", True),
        ]
        own = [path(route, self._guarded(view, changes=changes), name=name) for route, view, name, changes in views]
        return own + super().get_urls()

    def _guarded(self, view: Callable[..., HttpResponseBase], *, changes: bool) -> Callable[..., Any]:
        def guarded(request: HttpRequest, **arguments: Any) -> HttpResponseBase:
            if not (self.has_change_permission(request) if changes else self.has_view_permission(request)):
                raise PermissionDenied
            return view(request, **arguments)

        # A crop may stay in the browser for a while; a page that changes something may not.
        return self.admin_site.admin_view(guarded, cacheable=not changes)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Face]:
        return of_own_events(Face.objects.with_counts().defer("embedding", "centroid__mean"), request)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Face], search_term: str
    ) -> tuple[QuerySet[Face], bool]:
        term = search_term.strip()
        return (cast("FaceQuerySet", queryset).search(term) if term else queryset), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "POST" and not self.has_change_permission(request):
            raise PermissionDenied
        named = request.GET.get("event__id__exact", "")
        self.note_list(request, "People")
        return super().changelist_view(request, {"title": "People", "event": named, **(extra_context or {})})

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show a person; a POST is a correction of this person, `action` says which."""
        can_change = self.has_change_permission(request)
        if not (can_change if request.method == "POST" else self.has_view_permission(request)):
            raise PermissionDenied
        person = self.get_object(request, unquote(object_id))
        if person is None:
            messages.warning(request, "This person is not there any more: merged with another one, or out of faces.")
            return HttpResponseRedirect(reverse("admin:faces_face_changelist"))
        if request.method == "POST":
            return person_page.correct(request, person)
        audit_log.record(audit_log.Action.LOOKED, person.event, staff_user(request), grab_id=person.grab_id)
        context = {
            **self.admin_site.each_context(request),
            **person_page.context(request, person),
            "opts": self.opts,
            "title": person.name or "Unnamed person",
            "can_change": can_change,
            "can_erase": can_change and request.user.has_perm(PERMISSION),
        }
        return TemplateResponse(request, "admin/faces/face/person.html", context)

    @admin.action(description="Merge…", permissions=["change"])
    def merge(self, request: HttpRequest, queryset: QuerySet[Face]) -> HttpResponse:
        """Ask first: the page that this leads to shows them side by side."""
        people = [("person", pk) for pk in queryset.values_list("pk", flat=True)]
        chosen = urlencode([*people, ("next", request.get_full_path())])
        return HttpResponseRedirect(f"{reverse('admin:faces_merge')}?{chosen}")

    @admin.action(description="Not the same person", permissions=["change"])
    def not_same(self, request: HttpRequest, queryset: QuerySet[Face]) -> None:
        people = list(queryset)
        if not 2 <= len(people) <= MOST_COMPARED:
            messages.warning(request, f"Choose two to {MOST_COMPARED} people who are not the same person.")
            return
        for left, right in combinations(people, 2):
            attempt(request, partial(corrections.not_same, left, right))

    @admin.action(description="Hide", permissions=["change"])
    def hide(self, request: HttpRequest, queryset: QuerySet[Face]) -> None:
        attempt(request, partial(corrections.hide, list(queryset)))

    @admin.action(description="Show again", permissions=["change"])
    def show(self, request: HttpRequest, queryset: QuerySet[Face]) -> None:
        attempt(request, partial(corrections.show, list(queryset)))
