"""Who looked at or changed what about people, is on record; and who may read it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission

from conftest import new_key
from faces import audit_log, corrections
from faces.models import AuditEntry, Decision, Face

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

    from events.models import Event

LOG = "/admin/faces/auditentry/"
Action = AuditEntry.Action


@pytest.fixture
def red(run: Event) -> Face:
    person = Face.objects.order_by("pk")[0]
    Face.objects.filter(pk=person.pk).update(name="Ada Secret")
    person.refresh_from_db()
    return person


def latest() -> AuditEntry:
    return AuditEntry.objects.latest("pk")


@pytest.mark.parametrize(
    ("page", "detail"),
    [
        ("/admin/faces/face/?event__id__exact={event}", "People"),
        ("/admin/faces/decision/merges/?event={event}", "Likely merges"),
        ("/admin/faces/decision/visitors/?event={event}", "What visitors say"),
        ("/admin/faces/decision/suspicious/?event={event}", "Suspicious groups"),
        ("/admin/faces/decision/?event__id__exact={event}", "Decisions"),
        ("/admin/events/image/{image}/change/", "Faces of photo {image}"),
    ],
)
def test_who_looks_at_people_is_on_record(admin: Client, run: Event, red: Face, page: str, detail: str) -> None:
    keys = {"event": run.pk, "image": run.images.get(file_name="red.png").pk}
    assert admin.get(page.format(**keys)).status_code == 200
    entry = latest()
    assert (entry.action, entry.actor, entry.event, entry.detail) == ("looked", "admin", run, detail.format(**keys))


def test_who_looks_at_a_person_is_on_record(admin: Client, run: Event, red: Face) -> None:
    admin.get(f"/admin/faces/face/{red.pk}/change/")
    assert (latest().action, latest().grab_id, latest().user) == ("looked", red.grab_id, latest().user)
    assert latest().user is not None


@pytest.mark.parametrize(
    "page",
    [
        "/admin/faces/face/{person}/erase/",
        "/admin/faces/face/{person}/candidates/",
        "/admin/faces/face/merge/?person={person}&person={other}",
        "/events/city-run/people/{grab_id}/",
    ],
)
def test_every_page_that_shows_a_person_is_on_record(admin: Client, run: Event, red: Face, page: str) -> None:
    other = Face.objects.exclude(pk=red.pk).latest("pk")
    assert admin.get(page.format(person=red.pk, other=other.pk, grab_id=red.grab_id)).status_code == 200
    entry = AuditEntry.objects.get(grab_id=red.grab_id)
    assert (entry.action, entry.actor, entry.event) == ("looked", "admin", run)


def test_a_visitor_who_looks_at_a_person_of_an_open_event_is_on_record(client: Client, run: Event, red: Face) -> None:
    page = f"/events/city-run/people/{red.grab_id}/"
    assert client.get(page).status_code == 404
    assert not AuditEntry.objects.exists()
    type(run).objects.update(access="open")
    assert client.get(page).status_code == 200
    assert (latest().action, latest().actor, latest().grab_id) == ("looked", "visitor", red.grab_id)


def test_an_api_key_is_called_by_its_name(client: Client, run: Event, red: Face) -> None:
    key = new_key("timing crew")
    client.get(f"/api/v1/users/{red.grab_id}/images", headers={"Authorization": f"Api-Key {key}"})
    actor = f"API key timing crew ({key.partition('.')[0]})"
    assert (latest().action, latest().actor, latest().grab_id) == ("looked", actor, red.grab_id)


def test_every_correction_and_its_undoing_are_on_record_without_names(run: Event, red: Face, staff: User) -> None:
    decision = corrections.hide([red], staff)
    assert (latest().action, latest().actor, latest().grab_id) == ("changed", "staff", red.grab_id)
    assert latest().detail == "Hidden"
    corrections.undo(decision, staff)
    assert latest().detail == "Undone: Hidden"
    corrections.rename(red, "Bob Secret", staff)
    corrections.merge(run, list(Face.objects.all()), staff)
    assert Decision.objects.filter(summary__contains="Secret").exists()
    assert not AuditEntry.objects.filter(detail__contains="Secret").exists()


def test_outlives_account_and_event(run: Event, red: Face, staff: User) -> None:
    corrections.hide([red], staff)
    pk = latest().pk
    staff.delete()
    run.delete()
    entry = AuditEntry.objects.get(pk=pk)
    assert (entry.actor, entry.user, entry.event) == ("staff", None, None)


class TestReading:
    @pytest.fixture(autouse=True)
    def _entries(self, event: Event, other_event: Event) -> None:
        audit_log.record(Action.LOOKED, event, "Mallory", detail="of the city run")
        audit_log.record(Action.LOOKED, other_event, "Eve", detail="of the other run")
        audit_log.record(Action.LOOKED, None, "Trudy", detail="of nothing")

    def read(self, client: Client, **query: Any) -> str:
        return client.get(LOG, query).content.decode()

    def test_is_for_staff_of_the_event(self, client: Client, organiser: User) -> None:
        client.force_login(organiser)
        assert client.get(LOG).status_code == 403
        organiser.user_permissions.add(Permission.objects.get(codename="view_auditentry"))
        page = self.read(client)
        assert "of the city run" in page
        assert "of the other run" not in page
        assert "of nothing" not in page

    def test_is_not_for_strangers(self, client: Client, member: User) -> None:
        assert client.get(LOG).status_code == 302
        client.force_login(member)
        assert client.get(LOG).status_code == 302

    def test_is_searched_and_filtered(self, admin: Client, event: Event) -> None:
        assert "of the other run" not in self.read(admin, q="Mall")
        assert "of the city run" in self.read(admin, q="Mall")
        assert "of the other run" not in self.read(admin, event__id__exact=event.pk)
        assert admin.get(LOG, {"q": "a\0b"}).status_code == 200

    def test_nobody_changes_it(self, admin: Client) -> None:
        entry = latest()
        assert admin.get(f"{LOG}add/").status_code == 403
        assert admin.post(f"{LOG}{entry.pk}/change/", {"detail": "nothing"}).status_code == 403
        assert admin.post(f"{LOG}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
        admin.post(LOG, {"action": "delete_selected", "_selected_action": [entry.pk], "post": "yes"})
        entry.refresh_from_db()
        assert entry.detail == "of nothing"

    def test_an_event_with_entries_can_be_deleted(self, admin: Client, event: Event) -> None:
        admin.post(f"/admin/events/event/{event.pk}/delete/", {"post": "yes"})
        assert not type(event).objects.filter(pk=event.pk).exists()

    def test_list_needs_the_same_queries_for_more(
        self, admin: Client, event: Event, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _ in range(20):
            audit_log.record(Action.LOOKED, event, "Mallory")
        with django_assert_num_queries(6):  # session, user, deleted events, count, entries, events of the filter
            self.read(admin)
