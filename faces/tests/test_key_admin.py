"""API keys in admin: shown once, of one's own events and rights only, ended for good, and on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from conftest import new_key
from events.models import ApiKey, Scope
from faces.admin.keys import NEEDED
from faces.models import AuditEntry
from grabpic_site.urls import api_v1

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from pytest_django import DjangoAssertNumQueries

    from events.models import Event

KEYS = "/admin/events/apikey/"
ADD = f"{KEYS}add/"
PROGRESS = "/api/v1/events/{}/progress"


@pytest.fixture
def owner(organiser: User) -> Client:
    """A client of the organiser's, who has what the group of organisers has to do with keys."""
    may = ("add_apikey", "change_apikey", "view_apikey", "view_face")
    organiser.user_permissions.set(Permission.objects.filter(codename__in=may))
    client = Client()
    client.force_login(organiser)
    return client


def add(client: Client, *events: Event, **fields: Any) -> Any:
    fields = {"name": "timing crew", "scopes": ["read"], "events": [event.pk for event in events], **fields}
    return client.post(ADD, fields)


def page_of(key: ApiKey) -> str:
    return f"{KEYS}{quote(key.pk)}/change/"


def change(client: Client, key: ApiKey, *events: Event, **fields: Any) -> int:
    fields = {"name": key.name, "scopes": key.scopes, "events": [event.pk for event in events], **fields}
    return client.post(page_of(key), fields).status_code


def problems(page: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = page.context["adminform"].form.errors
    return errors


def asks(secret: str, slug: str = "city-run") -> Any:
    return Client().get(PROGRESS.format(slug), headers={"Authorization": f"Api-Key {secret}"})


def named(name: str) -> ApiKey:
    return cast("ApiKey", ApiKey.objects.get(name=name))


def details() -> set[tuple[str, str | None]]:
    entries = AuditEntry.objects.filter(action="changed")
    return {(entry.detail, entry.event.slug if entry.event else None) for entry in entries}


def test_is_shown_once_and_opens_what_it_may(admin: Client, event: Event, other_event: Event) -> None:
    page = add(admin, event)
    key = ApiKey.objects.get()
    secret = page.context["object"].secret
    assert secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert [asks(secret).status_code, asks(secret, other_event.slug).status_code] == [200, 404]
    assert (key.scopes, str(key.created_by), key.every_event) == (["read"], "admin", False)
    for url in (KEYS, page_of(key), f"{KEYS}{quote(key.pk)}/history/", "/admin/"):
        assert secret not in admin.get(url).content.decode()
    assert secret not in str([*ApiKey.objects.values(), dict(admin.session)])


@pytest.mark.parametrize("way", ["_popup", "_continue", "_addanother"])
def test_is_shown_whatever_the_form_was_sent_with(admin: Client, event: Event, way: str) -> None:
    assert ApiKey.objects.is_valid(add(admin, event, **{way: "1"}).context["object"].secret)


def test_wants_events_or_every_event(admin: Client, event: Event) -> None:
    assert problems(add(admin)) == {"events": ["Choose at least one event, or every event."]}
    assert problems(add(admin, event, every_event="on")) == {"events": ["Choose every event, or some: not both."]}
    assert problems(add(admin, event, scopes=[])) == {"scopes": ["This field is required."]}
    assert add(admin, every_event="on").context["object"].every_event


def test_refuses_an_expiry_that_is_over(admin: Client, event: Event) -> None:
    over = {"expiry_date_0": "2020-01-01", "expiry_date_1": "12:00"}
    assert problems(add(admin, event, **over)) == {"expiry_date": ["This is over. To end a key now, revoke it."]}


class TestOwnEvents:
    def test_an_organiser_makes_keys_for_their_own(self, owner: Client, event: Event, other_event: Event) -> None:
        secret = add(owner, event, scopes=["read", "upload", "search"]).context["object"].secret
        assert asks(secret).status_code == 200
        assert set(problems(add(owner, other_event))) == {"events"}
        assert problems(add(owner, every_event="on")) == {"events": ["Choose an event."]}
        assert ApiKey.objects.count() == 1

    def test_nobody_gives_more_than_they_have(self, owner: Client, organiser: User, event: Event) -> None:
        assert set(problems(add(owner, event, scopes=["manage"]))) == {"scopes"}
        organiser.user_permissions.remove(Permission.objects.get(codename="view_face"))
        assert set(problems(add(owner, event, scopes=["read"]))) == {"scopes"}

    def test_keys_that_reach_further_are_not_there(self, owner: Client, event: Event, other_event: Event) -> None:
        new_key("mine", events=[event])
        new_key("shared", events=[event, other_event])
        new_key("theirs", events=[other_event])
        new_key("all")
        assert [key.name for key in owner.get(KEYS).context["cl"].queryset] == ["mine"]
        for name in ("shared", "theirs", "all"):
            assert change(owner, named(name), event) == 302
            owner.post(KEYS, {"action": "revoke", "_selected_action": [named(name).pk]})
        assert ApiKey.objects.filter(revoked=False).count() == 4
        assert set(named("shared").reaches()) == {event, other_event}

    def test_a_key_that_may_more_can_be_revoked_alone(self, owner: Client, event: Event) -> None:
        new_key("manager", Scope.MANAGE, events=[event])
        assert owner.get(page_of(named("manager"))).status_code == 200
        assert change(owner, named("manager"), event, scopes=["read"]) == 403
        owner.post(KEYS, {"action": "revoke", "_selected_action": [named("manager").pk]})
        assert named("manager").revoked

    @pytest.mark.parametrize("url", [KEYS, ADD])
    def test_strangers(self, client: Client, organiser: User, member: User, url: str) -> None:
        assert client.get(url).status_code == 302
        client.force_login(member)
        assert client.get(url).status_code == 302
        client.force_login(organiser)
        assert client.get(url).status_code == 403
        assert client.get(url, headers={"Authorization": f"Api-Key {new_key()}"}).status_code == 403


class TestEnd:
    @pytest.mark.parametrize("way", ["list", "form"])
    def test_is_at_once_and_for_good(self, admin: Client, event: Event, way: str) -> None:
        secret = new_key("lost", events=[event])
        assert asks(secret).status_code == 200
        if way == "list":
            admin.post(KEYS, {"action": "revoke", "_selected_action": [named("lost").pk]})
        else:
            change(admin, named("lost"), event, revoked="on")
        assert asks(secret).json()["code"] == "invalid_api_key"
        assert change(admin, named("lost"), event) == 403
        assert named("lost").revoked

    def test_a_form_that_was_open_meanwhile_does_not_undo_it(self, event: Event) -> None:
        new_key("lost", events=[event])
        earlier = named("lost")
        named("lost").revoke()
        earlier.name = "other"
        earlier.save(update_fields=["name"])
        assert named("other").revoked

    def test_keys_are_not_deleted(self, admin: Client) -> None:
        new_key()
        assert admin.post(f"{KEYS}{quote(named('client').pk)}/delete/", {"post": "yes"}).status_code == 403
        admin.post(KEYS, {"action": "delete_selected", "_selected_action": [named("client").pk], "post": "yes"})
        assert ApiKey.objects.count() == 1


def test_what_becomes_of_a_key_is_on_record(admin: Client, event: Event, other_event: Event) -> None:
    add(admin, event, other_event)
    key = named("timing crew")
    label = f"API key timing crew ({key.prefix})"
    assert details() == {(f"{label}: read", "city-run"), (f"{label}: read", "other-run")}
    AuditEntry.objects.all().delete()
    change(admin, key, event, scopes=["upload"])
    assert details() == {(f"{label}: upload", "city-run"), (f"{label}: upload", "other-run")}
    AuditEntry.objects.all().delete()
    change(admin, named("timing crew"), event)
    assert details() == set()
    admin.post(KEYS, {"action": "revoke", "_selected_action": [key.pk]})
    assert details() == {(f"{label}: revoked", "city-run")}


def test_the_last_use_is_noted_to_the_minute(event: Event) -> None:
    secret, before = new_key(), timezone.now()

    def uses(last: datetime | None) -> datetime:
        ApiKey.objects.update(last_used_at=last)
        asks(secret)
        return cast("datetime", named("client").last_used_at)

    assert uses(None) >= before
    assert uses(before - timedelta(minutes=2)) >= before
    assert uses(before - timedelta(seconds=50)) == before - timedelta(seconds=50)


def test_the_list_is_found_by_event_and_state(
    admin: Client, event: Event, other_event: Event, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    new_key("one", events=[event])
    new_key("all")
    new_key("old", events=[other_event], expiry_date=timezone.now() - timedelta(days=1))

    def names(query: str) -> set[str]:
        return {key.name for key in admin.get(f"{KEYS}?{query}").context["cl"].queryset}

    assert names(f"event={event.pk}") == {"one", "all"}
    assert (names("state=valid"), names("state=over")) == ({"one", "all"}, {"old"})
    for nonsense in ("event=x", "event=0", "state=x"):
        assert names(nonsense) == {"one", "all", "old"}
    assert admin.get(f"{KEYS}?q=%00").status_code == 200
    with django_assert_num_queries(7):
        admin.get(KEYS)


def test_nothing_that_a_scope_opens_is_closed_to_who_gave_it() -> None:
    viewsets = [pattern.callback.cls for pattern in api_v1 if hasattr(pattern.callback, "cls")]
    assert viewsets
    for view in viewsets:
        for action, permission in getattr(view, "permissions", {}).items():
            assert permission in NEEDED[view.scopes[action]], f"{view.__name__}.{action}"
