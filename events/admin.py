"""Events and photos in Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join

from events import ending
from events.access import manages_every_event
from events.models import Event, Image
from events.own import OwnEventFilter, OwnEventsAdmin, OwnRowWidget, of_own_events, staff_user

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


class EventAdmin(OwnEventsAdmin):
    """Registered by `faces`, which adds the action that processes the photos."""

    event_path = "pk"
    list_display = ("name", "date", "access_name", "open_now", "pending_count", "failed_count", "pages")
    list_filter = ("access",)
    search_fields = ("name", "slug")
    filter_horizontal = ("staff", "groups")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own declaration
    readonly_fields = ("faces_deleted_at",)
    fieldsets = (
        ("What visitors see", {"fields": ("name", "slug", "date", "organiser", "contact", "cover")}),
        (
            "Access",
            {"fields": ("access", "access_code", "opens_at", "closes_at", "originals", "watermark")},
        ),
        ("Privacy", {"fields": ("keep_faces_until", "faces_deleted_at")}),
        ("Staff", {"fields": ("staff", "groups")}),
        (
            "Faces",
            {
                "classes": ("collapse",),
                "fields": ("engine", "max_distance", "maybe_distance", "join_distance", "group_distance"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        pending, failed = _photos_in(Image.State.PENDING), _photos_in(Image.State.FAILED)
        events: QuerySet[Event] = super().get_queryset(request)
        return events.annotate(pending_count=pending, failed_count=failed)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        """Fix the engine once there are photos, since vectors of different engines cannot be compared.

        Who manages an event is decided by those who manage every event.
        """
        fixed = ("engine",) if obj and obj.images.exists() else ()
        invited = () if manages_every_event(staff_user(request)) else ("staff", "groups")
        return (*self.readonly_fields, *fixed, *invited)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Let whoever adds an event without managing every event manage this one."""
        super().save_related(request, form, formsets, change)
        if not change:
            form.instance.let_manage(staff_user(request))

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """Count what goes with events. Django would list it: a hundred thousand photos."""
        photos = Image.objects.filter(event__in=[event.pk for event in objs]).count()
        return [str(event) for event in objs], {"events": len(objs), "photos": photos}, set(), []

    def delete_model(self, request: HttpRequest, obj: Event) -> None:
        ending.end(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Event]) -> None:
        for event in queryset:
            ending.end(event)

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "cover":
            own = of_own_events(Image.objects.all(), request)
            kwargs |= {"queryset": own, "widget": OwnRowWidget(db_field.remote_field, self.admin_site, own)}
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    @admin.display(description="access", ordering="access")
    def access_name(self, event: Event) -> str:
        """Return the access in one word; the form explains it."""
        return event.access.capitalize()

    @admin.display(description="open now", boolean=True)
    def open_now(self, event: Event) -> bool:
        return event.is_published

    @admin.display(description="pending", ordering="pending_count")
    def pending_count(self, event: Event) -> int:
        return event.pending_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="failed", ordering="failed_count")
    def failed_count(self, event: Event) -> int:
        return event.failed_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="pages")
    def pages(self, event: Event) -> str:
        names = ("event", "upload", "poster")
        links = ((reverse(name, args=[event.slug]), name) for name in names)
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


def _photos_in(state: Image.State) -> Coalesce:
    """Return how many photos of an event are in a state, from the index of states alone, for the rows shown alone."""
    photos = Image.objects.filter(event=OuterRef("pk"), state=state).order_by().values("event")
    return Coalesce(Subquery(photos.annotate(count=Count("*")).values("count")), 0)


class FailureFilter(admin.SimpleListFilter):
    """By what failed. Django's own filter would look through all photos for the codes."""

    title = "failure code"
    parameter_name = "failure_code"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        failed = model_admin.get_queryset(request).filter(state=Image.State.FAILED)
        codes = failed.order_by("failure_code").values_list("failure_code", flat=True).distinct()
        return [(code, code) for code in codes]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        code = self.value()
        return queryset.filter(state=Image.State.FAILED, failure_code=code) if code else queryset


class ImageAdmin(OwnEventsAdmin):
    """Photos come in by upload and ingest; here they are looked at and deleted. Registered by `faces`."""

    list_display = ("file_name", "thumbnail", "event", "state", "failure_reason", "created_at")
    list_display_links = ("file_name",)
    list_filter = (("event", OwnEventFilter), "state", FailureFilter)
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

    actions = ("retry", "use_as_cover")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Try again what failed: make it pending", permissions=["change"])
    def retry(self, request: HttpRequest, queryset: ImageQuerySet) -> None:
        self.message_user(request, f"{queryset.retry()} photos are pending again.")

    @admin.action(description="Use as the cover of its event", permissions=["change"])
    def use_as_cover(self, request: HttpRequest, queryset: ImageQuerySet) -> None:
        """Show this photo on its event's page, to everybody who may know of the event."""
        photos = list(queryset.select_related("event")[:2])
        if len(photos) != 1:
            self.message_user(request, "Choose one photo.", messages.WARNING)
            return
        (photo,) = photos
        Event.objects.filter(pk=photo.event_id).update(cover=photo)
        self.message_user(request, f"{photo} is the cover of {photo.event} now: everybody sees it.")

    @admin.display(description="photo")
    def thumbnail(self, image: Image) -> str:
        if image.state in {Image.State.PENDING, Image.State.FAILED}:
            return ""
        url = reverse("photo", args=[image.image_id, Image.Rendition.THUMBNAIL])
        width = round(60 * image.width / image.height)
        return format_html('<img src="{}" width="{}" height="60" alt="" loading="lazy">', url, width)
