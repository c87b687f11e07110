"""What webhooks were sent, in Django admin: to read, and to send again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin, messages
from django.db.models import Q
from django.utils import timezone
from django.utils.html import format_html

from events import deliveries
from events.access import manages_every_event
from events.admin import ShortPaginator
from events.models import Delivery, Event, Webhook
from events.own import OwnEventFilter, staff_user
from events.webhooks import TEST
from faces.admin.kept import KeptAdmin

if TYPE_CHECKING:
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse


def own_webhooks(request: HttpRequest) -> QuerySet[Webhook]:
    """Return the webhooks that tell of nothing but the events of who asks."""
    user = staff_user(request)
    if manages_every_event(user):
        return Webhook.objects.all()
    return Webhook.objects.filter(Webhook.within(Event.objects.managed_by(user)))


class WebhookFilter(admin.SimpleListFilter):
    """By one of one's own webhooks."""

    title = "webhook"
    parameter_name = "webhook"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(str(webhook.pk), webhook.name) for webhook in own_webhooks(request)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        value = self.value()
        own = {pk for pk, _ in self.lookup_choices}
        return queryset.filter(webhook=int(value)) if value in own else queryset


class KindFilter(admin.SimpleListFilter):
    """By kind. Django's own filter would look through all rows for what there is."""

    title = "kind"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [(kind, kind) for kind in (*Webhook.Kind.values, TEST)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> QuerySet[Delivery]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Delivery)
class DeliveryAdmin(KeptAdmin):
    """Nothing can be changed; what was sent can be sent again, as it was."""

    list_display = ("created_at", "kind", "state", "result", "webhook", "event")
    list_display_links = ("created_at",)
    list_filter = (WebhookFilter, "state", KindFilter, ("event", OwnEventFilter))
    list_select_related = ("event", "webhook")
    sortable_by = ()
    paginator = ShortPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions = ("send_again",)
    fields = (
        *("delivery_id", "kind", "webhook", "event", "created_at", "message", "state"),
        *("attempts", "next_attempt", "delivered_at", "status_code", "problem"),
    )

    class Media:
        css: ClassVar = {"all": ("key.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        rows: QuerySet[Delivery] = admin.ModelAdmin.get_queryset(self, request)
        user = staff_user(request)
        if manages_every_event(user):
            return rows
        # A webhook may have told of an event that it does not reach any more.
        own = Q(event__in=Event.objects.managed_by(user).values("pk")) | Q(event=None)
        return rows.filter(own, webhook__in=own_webhooks(request))

    def has_change_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        """They go with their webhook, whoever may delete that."""
        return staff_user(request).has_perm("events.delete_webhook")

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return staff_user(request).has_perm("events.change_delivery")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        # Its permission is for webhooks that are deleted with all they were sent.
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "show_delete": False})

    @admin.action(description="Send again", permissions=["replay"])
    def send_again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Have the workers send messages once more: the same, with a new signature."""
        count = queryset.count()
        off = Webhook.objects.filter(pk__in=deliveries.send_again(queryset), is_active=False)
        self.message_user(request, f"{count} will be sent again.", messages.SUCCESS)
        for webhook in off:
            self.message_user(request, f"{webhook} is off: switch it on first.", messages.WARNING)

    @admin.display(description="message")
    def message(self, delivery: Delivery) -> str:
        payload = {key: delivery.payload.get(key) for key in ("id", "type", "timestamp", "event", "data")}
        return format_html('<pre class="message">{}</pre>', json.dumps(payload, indent=2, ensure_ascii=False))

    @admin.display(description="result")
    def result(self, delivery: Delivery) -> str:
        """Say what came of the last attempt, and which one it was where it was not the first."""
        said = delivery.problem or (f"It answered {delivery.status_code}." if delivery.status_code else "")
        return f"{said} ({delivery.attempts} attempts)" if delivery.attempts > 1 else said

    @admin.display(description="next attempt", empty_value="none")
    def next_attempt(self, delivery: Delivery) -> str | None:
        if delivery.state != Delivery.State.PENDING:
            return None
        return f"{timezone.localtime(delivery.due_at):%Y-%m-%d %H:%M:%S}"
