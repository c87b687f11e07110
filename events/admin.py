"""Events and photos in Django admin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Count, Q
from django.urls import reverse
from django.utils.html import format_html

from events.models import Event, Image

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from events.models import ImageQuerySet


class EventAdmin(admin.ModelAdmin[Event]):
    """Registered by `faces`, which adds the action that processes the photos."""

    list_display = ("name", "date", "access", "image_count", "pending_count", "pages")
    list_filter = ("access",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012  # Django's own declaration

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        pending = Count("images", filter=Q(images__state=Image.State.PENDING))
        return super().get_queryset(request).annotate(image_count=Count("images"), pending_count=pending)

    def get_readonly_fields(self, request: HttpRequest, obj: Event | None = None) -> tuple[str, ...]:
        # Embeddings of different engines cannot be compared.
        return ("engine",) if obj and obj.images.exists() else ()

    @admin.display(description="photos", ordering="image_count")
    def image_count(self, event: Event) -> int:
        return event.image_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="pending", ordering="pending_count")
    def pending_count(self, event: Event) -> int:
        return event.pending_count  # type: ignore[attr-defined, no-any-return]  # annotated above

    @admin.display(description="pages")
    def pages(self, event: Event) -> str:
        event_page, upload_page = reverse("event", args=[event.slug]), reverse("upload", args=[event.slug])
        return format_html('<a href="{}">event</a> · <a href="{}">upload</a>', event_page, upload_page)


@admin.register(Image)
class ImageAdmin(admin.ModelAdmin[Image]):
    """Photos come in by upload and ingest; here they are looked at and deleted."""

    list_display = ("file_name", "thumbnail", "event", "state", "failure_reason", "created_at")
    list_display_links = ("file_name",)
    list_filter = ("event", "state", "failure_code")
    list_select_related = ("event",)
    search_fields = ("file_name",)
    show_full_result_count = False
    fields = readonly_fields = (
        "thumbnail",
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
