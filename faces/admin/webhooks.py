"""Webhooks in Django admin: made with a secret that is shown once, tried out, and given a new one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlsplit

from django import forms
from django.contrib import admin, messages
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from events import deliveries
from events.destinations import AddressError, Destination
from events.models import Delivery, Webhook
from events.models.webhooks import new_secret
from events.own import staff_user
from faces import audit_log
from faces.admin.reach import ReachAdmin, ReachFilter, ReachForm

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

    from events.models import Event

OF_PEOPLE = {Webhook.Kind.MATCH_CREATED, Webhook.Kind.PERSON_FORGOTTEN}
"""The kinds that name persons: for members of staff who may see people."""


def choosable(user: User) -> list[Webhook.Kind]:
    """Return the kinds that this member of staff may have sent."""
    return [kind for kind in Webhook.Kind if kind not in OF_PEOPLE or user.has_perm("faces.view_face")]


class WebhookForm(ReachForm):
    """Refuses addresses that nothing would ever be sent to."""

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"]
        try:
            Destination.parse(url)
        except AddressError as error:
            raise forms.ValidationError(str(error)) from error
        return url


@admin.register(Webhook)
class WebhookAdmin(ReachAdmin):
    """Buttons on the page of a webhook save it, and then send a test, or make a new secret."""

    form = WebhookForm
    list_display = ("name", "url", "reach", "tells", "state", "waiting", "created_by")
    list_filter = ("is_active", ReachFilter)
    list_select_related = ("created_by",)
    search_fields = ("name", "url")
    fields = ("name", "url", "kinds", "every_event", "events", "is_active")
    readonly_fields = ("state", "created_at", "created_by")
    show_facets = admin.ShowFacets.NEVER

    class Media:
        css: ClassVar = {"all": ("key.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        pending = Delivery.objects.filter(webhook=OuterRef("pk"), state=Delivery.State.PENDING).order_by()
        count = Subquery(pending.values("webhook").annotate(count=Count("*")).values("count"))
        rows: QuerySet[Any] = super().get_queryset(request).annotate(waiting=Coalesce(count, 0))
        return rows

    def get_fields(self, request: HttpRequest, obj: Webhook | None = None) -> list[Any]:
        return [*super().get_fields(request, obj), *(self.readonly_fields if obj else ())]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "url":
            return db_field.formfield(assume_scheme="https", widget=admin.widgets.AdminURLFieldWidget)
        if db_field.name != "kinds":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [(kind.value, f"{kind.value}: {kind.label}") for kind in choosable(staff_user(request))]
        return forms.MultipleChoiceField(label="Kinds", choices=choices, widget=forms.CheckboxSelectMultiple)

    def has_change_permission(self, request: HttpRequest, obj: Webhook | None = None) -> bool:
        """Not what one could not have made."""
        mine = obj is None or {*obj.kinds} <= {*choosable(staff_user(request))}
        return mine and super().has_change_permission(request, obj)

    def save_model(self, request: HttpRequest, obj: Webhook, form: Any, change: bool) -> None:
        if change and "_secret" in request.POST:
            obj.secret = new_secret()
            Webhook.objects.filter(pk=obj.pk).update(secret=obj.secret)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = set(form.instance.events.all())
        super().save_related(request, form, formsets, change)
        if form.has_changed() or "_secret" in request.POST:
            _record(form.instance, before | set(form.instance.reaches()), staff_user(request))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        if context["original"] is None:
            # The secret is shown, wherever one would like to go next.
            context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: str | None = None) -> HttpResponse:
        return self._secret(request, obj)

    def response_change(self, request: HttpRequest, obj: Webhook) -> HttpResponse:
        if "_secret" in request.POST:
            return self._secret(request, obj)
        if "_test" in request.POST:
            self._test(request, obj)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)

    def _secret(self, request: HttpRequest, webhook: Webhook) -> HttpResponse:
        """Show the secret, in the answer to the form: on the way to another page it would be stored somewhere."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "object": webhook}
        title = {"title": "The new secret"}
        return TemplateResponse(request, "admin/events/webhook/secret.html", context | title)

    def _test(self, request: HttpRequest, webhook: Webhook) -> None:
        answer = deliveries.send_test(webhook)
        if answer.problem:
            self.message_user(request, f"The test did not arrive. {answer.problem}", messages.WARNING)
        else:
            self.message_user(request, f"The test arrived: it answered {answer.status}.", messages.SUCCESS)

    @admin.display(description="kinds")
    def tells(self, webhook: Webhook) -> str:
        return ", ".join(webhook.kinds)

    @admin.display(description="state")
    def state(self, webhook: Webhook) -> str:
        if not webhook.is_active:
            return "off"
        resting = webhook.rests_until and webhook.rests_until > timezone.now()
        return "does not answer" if resting else "on"

    @admin.display(description="waiting", ordering="waiting")
    def waiting(self, webhook: Webhook) -> int:
        return webhook.waiting  # type: ignore[attr-defined, no-any-return]  # annotated above


def _record(webhook: Webhook, events: Iterable[Event], by: User) -> None:
    """Write down what is sent where from now on, for each event that the webhook reaches or reached."""
    tells = f"{', '.join(webhook.kinds)} to {urlsplit(webhook.url).hostname}" if webhook.is_active else "off"
    for event in [None] if webhook.every_event else events:
        audit_log.record(audit_log.Action.CHANGED, event, by, detail=f"webhook {webhook.name}: {tells}")
