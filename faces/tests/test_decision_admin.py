"""The log of decisions in admin: who, when, what; read-only but for the undo."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User

from faces import corrections
from faces.models import Decision
from faces.tests.people import add_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from events.models import Event

LOG = "/admin/faces/decision/"


@pytest.fixture
def decision(event: Event, staff: User) -> Decision:
    return corrections.rename(add_person(event, 0), "Ada", staff)


def test_strangers_see_nothing_and_undo_nothing(client: Client, decision: Decision, member: User, staff: User) -> None:
    for user in (None, member):
        if user:
            client.force_login(user)
        assert client.get(LOG).status_code == 302
        assert client.post(LOG, {"undo": decision.pk}).status_code == 302
    client.force_login(staff)
    assert client.get(LOG).status_code == 403
    assert client.post(LOG, {"undo": decision.pk}).status_code == 403
    assert Decision.objects.live().exists()


def test_who_may_look_only_cannot_undo(client: Client, decision: Decision, staff: User) -> None:
    staff.user_permissions.add(*Permission.objects.filter(codename__in=["view_decision", "view_face"]))
    client.force_login(staff)
    page = client.get(LOG).content.decode()
    assert decision.summary in page
    assert 'name="undo"' not in page
    assert '<option value="undo">' not in page
    assert client.post(LOG, {"undo": decision.pk}).status_code == 403
    client.post(LOG, {"action": "undo", "_selected_action": [decision.pk]})
    assert Decision.objects.live().exists()


def test_the_log_says_who_did_what_and_when(admin: Client, decision: Decision) -> None:
    page = admin.get(LOG).content.decode()
    for text in (decision.summary, "Named", "City Run", "staff", f'name="undo" value="{decision.pk}"'):
        assert text in page


def test_a_row_is_undone_by_its_button(admin: Client, decision: Decision) -> None:
    page = admin.post(f"{LOG}?kind__exact=name", {"undo": decision.pk}, follow=True)
    assert page.redirect_chain == [(f"{LOG}?kind__exact=name", 302)]
    decision.refresh_from_db()
    assert decision.undone_by == User.objects.get(username="admin")
    assert f"Undone: {decision.summary}" in page.content.decode()
    assert 'name="undo"' not in page.content.decode()
    page = admin.post(LOG, {"undo": decision.pk}, follow=True)
    assert f"This was undone before: {decision.summary}" in page.content.decode()


def test_several_are_undone_the_newest_first(admin: Client, event: Event, staff: User) -> None:
    person = add_person(event, 0)
    names = [corrections.rename(person, name, staff).pk for name in ("Ada", "Grace", "Emmy")]
    admin.post(LOG, {"action": "undo", "_selected_action": names})
    person.refresh_from_db()
    assert person.name == ""
    assert not Decision.objects.live().exists()


def test_what_cannot_be_undone_is_told(admin: Client, event: Event, staff: User) -> None:
    one, other = add_person(event, 0), add_person(event, 66)
    decision = corrections.merge(event, [one, other], staff)
    event.images.filter(faces__in=decision.faces.values("image_face")).delete()
    page = admin.post(LOG, {"undo": decision.pk}, follow=True)
    assert decision.summary in page.content.decode()


def test_unknown_decisions_are_not_found(admin: Client, decision: Decision) -> None:
    assert admin.post(LOG, {"undo": decision.pk + 1}).status_code == 404


def test_nothing_else_can_be_changed(admin: Client, decision: Decision) -> None:
    assert admin.get(f"{LOG}add/").status_code == 403
    assert admin.post(f"{LOG}{decision.pk}/delete/", {"post": "yes"}).status_code == 403
    assert admin.post(f"{LOG}{decision.pk}/change/", {"summary": "x"}).status_code == 403
    admin.post(LOG, {"action": "delete_selected", "_selected_action": [decision.pk], "post": "yes"})
    assert Decision.objects.get().summary == decision.summary


def test_an_event_with_decisions_can_be_deleted(admin: Client, event: Event, decision: Decision) -> None:
    admin.post(f"/admin/events/event/{event.pk}/delete/", {"post": "yes"})
    assert not Decision.objects.exists()


def test_the_log_is_filtered(admin: Client, event: Event, other_event: Event, staff: User) -> None:
    named = corrections.rename(add_person(event, 0), "Ada", staff)
    hidden = corrections.hide([add_person(other_event, 0, name="Grace")], staff)
    corrections.undo(hidden, staff)
    for query, found, other in (
        ({"undone": "no"}, named, hidden),
        ({"undone": "yes"}, hidden, named),
        ({"kind__exact": "hide"}, hidden, named),
        ({"event__id__exact": str(event.pk)}, named, hidden),
        ({"q": "Grace"}, hidden, named),
    ):
        page = admin.get(LOG, query).content.decode()
        assert found.summary in page, query
        assert other.summary not in page, query


def test_the_number_of_queries_is_fixed(
    admin: Client, event: Event, staff: User, django_assert_num_queries: Callable[..., Any]
) -> None:
    person = add_person(event, 0)
    for number in range(5):
        corrections.rename(person, f"Ada {number}", staff)
    with django_assert_num_queries(7):
        assert admin.get(LOG).status_code == 200
