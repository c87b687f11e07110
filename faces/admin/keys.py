"""API keys in Django admin: made, shown once, changed and revoked, and all of it in the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.template.response import TemplateResponse
from django.utils import timezone
from rest_framework_api_key.models import APIKey as LibraryKey

from events.models import ApiKey, Event, Scope
from events.own import staff_user
from faces import audit_log
from faces.admin.reach import ReachAdmin, ReachFilter, ReachForm

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse

# Keys of its own would open nothing here.
admin.site.unregister(LibraryKey)

NEEDED: dict[str, tuple[str, ...]] = {
    Scope.READ: ("faces.view_face",),
    Scope.UPLOAD: (),
    Scope.SEARCH: (),
    Scope.MANAGE: (
        *("events.add_event", "events.change_event", "events.delete_event", "events.delete_image"),
        *("faces.change_face", "faces.delete_face"),
    ),
}
"""Nobody gives a program more than they have themselves: what members of staff need, to give it a scope."""


def grantable(user: User) -> list[Scope]:
    """Return the scopes that this member of staff may give to a key."""
    return [scope for scope in Scope if user.has_perms(NEEDED[scope])]


class ApiKeyForm(ReachForm):
    """Refuses keys that have expired before they are used."""

    def clean_expiry_date(self) -> datetime | None:
        expiry: datetime | None = self.cleaned_data["expiry_date"]
        if "expiry_date" in self.changed_data and expiry and expiry <= timezone.now():
            raise forms.ValidationError("This is over. To end a key now, revoke it.")
        return expiry


class StateFilter(admin.SimpleListFilter):
    """By whether it opens something."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]) -> list[tuple[str, str]]:
        return [("valid", "Valid"), ("over", "Expired or revoked")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> QuerySet[ApiKey]:
        over = ApiKey.over()
        return {"valid": queryset.exclude(over), "over": queryset.filter(over)}.get(self.value() or "", queryset)


@admin.register(ApiKey)
class ApiKeyAdmin(ReachAdmin):
    """Keys are never deleted, but revoked: the audit log leads to them."""

    form = ApiKeyForm
    list_display = ("name", "prefix", "state", "reach", "may", "last_used_at", "created_by")
    list_filter = (StateFilter, ReachFilter)
    list_select_related = ("created_by",)
    search_fields = ("name", "prefix")
    fields = ("name", "scopes", "every_event", "events", "expiry_date")
    readonly_fields = ("prefix", "state", "last_used_at", "created", "created_by")
    actions = ("revoke",)

    class Media:
        css: ClassVar = {"all": ("key.css",)}

    def get_fields(self, request: HttpRequest, obj: ApiKey | None = None) -> list[Any]:
        return [*super().get_fields(request, obj), *(("revoked", *self.readonly_fields) if obj else ())]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name != "scopes":
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices = [(scope.value, scope.label) for scope in grantable(staff_user(request))]
        return forms.MultipleChoiceField(label="Scopes", choices=choices, widget=forms.CheckboxSelectMultiple)

    def has_change_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        """What is revoked stays as it is, and what one could not have made; that can be revoked in the list."""
        mine = obj is None or (not obj.revoked and {*obj.scopes} <= {*grantable(staff_user(request))})
        return mine and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if not change:
            obj.secret = ApiKey.objects.assign_key(obj)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        before = set(form.instance.events.all())
        super().save_related(request, form, formsets, change)
        if form.has_changed():
            _record(form.instance, before | set(form.instance.reaches()), staff_user(request))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        # The new key is shown, wherever one would like to go next.
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        """Show the key, in the answer to the form: on the way to another page it would be stored somewhere."""
        context = {**self.admin_site.each_context(request), "opts": self.opts, "object": obj, "title": "The new key"}
        return TemplateResponse(request, "admin/events/apikey/secret.html", context)

    @admin.action(description="Revoke: end them for good", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        keys = list(queryset.filter(revoked=False))
        for key in keys:
            key.revoke()
            _record(key, key.reaches(), staff_user(request))
        self.message_user(request, f"Revoked: {', '.join(map(str, keys)) or 'none'}.", messages.SUCCESS)

    @admin.display(description="state")
    def state(self, key: ApiKey) -> str:
        until = key.expiry_date and f" until {timezone.localtime(key.expiry_date):%Y-%m-%d %H:%M}"
        return f"valid{until or ''}" if key.state == "valid" else key.state

    @admin.display(description="scopes")
    def may(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)


def _record(key: ApiKey, events: Iterable[Event], by: User) -> None:
    """Write down what a key may do now, in each event that it reaches or reached."""
    until = f" until {key.expiry_date.isoformat(' ', 'minutes')}" if key.expiry_date else ""
    may = "revoked" if key.revoked else f"{', '.join(key.scopes)}{until}"
    for event in [None] if key.every_event else events:
        audit_log.record(audit_log.Action.CHANGED, event, by, detail=f"{key.label}: {may}")
