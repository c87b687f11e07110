"""Events and photos in Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html

from events.models import Event, Image

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from events.models import ImageQuerySet

MOST_LISTED = 5000


class AtLeast(int):
    """A number that is only the beginning, and is written so, wherever admin shows or sums it up: `5000+`."""

    def __str__(self) -> str:
        return f"{int(self)}+"


class ShortPaginator(Paginator[Any]):
    """Has pages for the first 5000 rows, and counts no further: a full count reads the whole table.

    What is behind them is found by the filters and the search.
    """

    @cached_property
    def count(self) -> int:
        rows = cast("QuerySet[Any]", self.object_list).order_by().values("pk")
        counted = rows[: MOST_LISTED + 1].count()
        return counted if counted <= MOST_LISTED else AtLeast(MOST_LISTED)


class EventAdmin(admin.ModelAdmin[Event]):
    """Registered by `faces`, which adds the action that processes the photos."""

    list_display = ("name", "date", "access", "pending_count", "failed_count", "pages")
    list_filter = ("access",)
    search_fields = ("name", "slug")
    raw_id_fields = ("cover",)
    filter_horizontal = ("staff", "groups")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own declaration

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        pending, failed = _photos_in(Image.State.PENDING), _photos_in(Image.State.FAILED)
        return super().get_queryset(request).annotate(pending_count=pending, failed_count=failed)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        # Embeddings of different engines cannot be compared.
        return ("engine",) if obj and obj.images.exists() else ()

    @admin.display(description="pending", ordering="pending_count")
    def pending_count(self, event: Event) -> int:
        return event.pending_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="failed", ordering="failed_count")
    def failed_count(self, event: Event) -> int:
        return event.failed_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="pages")
    def pages(self, event: Event) -> str:
        event_page, upload_page = reverse("event", args=[event.slug]), reverse("upload", args=[event.slug])
        return format_html('<a href="{}">event</a> · <a href="{}">upload</a>', event_page, upload_page)


def _photos_in(state: Image.State) -> Coalesce:
    """Return how many photos of an event are in a state, from the index of states alone, for the rows shown alone."""
    photos = Image.objects.filter(event=OuterRef("pk"), state=state).order_by().values("event")
    return Coalesce(Subquery(photos.annotate(count=Count("*")).values("count")), 0)


class FailureFilter(admin.SimpleListFilter):
    """By what failed. Django's own filter would look through all photos for the codes."""

    title = "failure code"
    parameter_name = "failure_code"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        codes = Image.objects.failed().order_by("failure_code").values_list("failure_code", flat=True).distinct()
        return [(code, code) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.filter(state=Image.State.FAILED, failure_code=code) if code else queryset


class ImageAdmin(admin.ModelAdmin[Image]):
    """Photos come in by upload and ingest; here they are looked at and deleted. Registered by `faces`."""

    list_display = ("file_name", "thumbnail", "event", "state", "failure_reason", "created_at")
    list_display_links = ("file_name",)
    list_filter = ("event", "state", FailureFilter)
    list_select_related = ("event",)
    search_fields = ("file_name",)
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    fields = readonly_fields = (
        "file_name",
        "event",
        "image_id",
        "storage_key",
        "sha256",
        "width",
        "height",
        "taken_at",
        "state",
        "failure_code",
        "failure_reason",
        "attempts",
        "retry_at",
        "processed_at",
        "created_at",
    )

    actions = ("retry",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Try again what failed: make it pending", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: ImageQuerySet) -> None:
        self.message_user(request, f"{queryset.retry()} photos are pending again.")

    @admin.display(description="photo")
    def thumbnail(self, image: Image) -> str:
        if image.state in {Image.State.PENDING, Image.State.FAILED}:
            return ""
        url = reverse("photo", args=[image.image_id, Image.Rendition.THUMBNAIL])
        width = round(60 * image.width / image.height)
        return format_html('<img src="{}" width="{}" height="60" alt="" loading="lazy">', url, width)
