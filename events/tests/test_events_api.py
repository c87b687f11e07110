"""Events over the API."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client

from events.api.serializers import EventSerializer
from events.models import ApiKey, Event, Image, Scope
from events.tests.programs import code_of, organiser_of, program, send, tables_asked, walk
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User

EVENTS, EVENT = "/api/v1/events", "/api/v1/events/city-run"


def slugs(client: Client) -> list[str]:
    return [event["slug"] for event in client.get(EVENTS).json()["results"]]


def test_everybody_sees_the_events_they_manage(event: Event, other_event: Event, staff_client: Client) -> None:
    assert slugs(staff_client) == ["city-run", "other-run"]
    assert slugs(organiser_of(other_event)) == ["other-run"]
    assert slugs(program(Scope.READ, events=[event])) == ["city-run"]
    assert slugs(program(Scope.READ, events=[])) == []


def test_an_event_with_what_is_in_it(event: Event) -> None:
    listed(event, 2)
    listed(event, 3, state=Image.State.FAILED)
    assert program().get(EVENT).json() == {
        "slug": "city-run",
        "name": "City Run",
        "date": "2026-05-01",
        "access": "selfie",
        "access_code": "",
        "opens_at": None,
        "closes_at": None,
        "organiser": "",
        "contact": "",
        "originals": True,
        "watermark": "",
        "keep_faces_until": event.keep_faces_until.isoformat(),
        "created_at": event.created_at.isoformat().replace("+00:00", "Z"),
        "photos": {"pending": 2, "indexed": 0, "no_face": 0, "failed": 3},
        "persons": 0,
    }


def test_only_who_may_change_an_event_sees_its_code(event: Event) -> None:
    Event.objects.update(access=Event.Access.CODE, access_code="SECRET-CODE")
    assert program(Scope.READ, Scope.MANAGE).get(EVENT).json()["access_code"] == "SECRET-CODE"
    assert organiser_of(event).get(EVENT).json()["access_code"] == "SECRET-CODE"
    reader = program(Scope.READ)
    assert reader.get(EVENT).json()["access_code"] is None
    assert b"SECRET" not in reader.get(EVENTS).content


def test_a_key_reaches_the_event_that_it_makes(event: Event) -> None:
    client = program(Scope.READ, Scope.MANAGE, events=[])
    response = send(client, "POST", EVENTS, {"slug": "new-run", "name": "New Run", "access": "code"})
    assert (response.status_code, response.json()["access"]) == (201, "code")
    assert len(response.json()["access_code"]) == 9, "a code was made up"
    assert slugs(client) == ["new-run"]


def test_a_key_of_every_event_needs_no_entry_for_the_one_that_it_makes(db: None) -> None:
    client = program()
    send(client, "POST", EVENTS, {"slug": "new-run", "name": "New Run"})
    assert slugs(client) == ["new-run"]
    assert not ApiKey.objects.get().events.exists()


def test_staff_manage_the_event_that_they_make(event: Event) -> None:
    client = organiser_of(event, "add_event")
    response = send(client, "POST", EVENTS, {"slug": "new-run", "name": "New Run"})
    assert (response.status_code, response.json()["access"]) == (201, "draft")
    assert slugs(client) == ["city-run", "new-run"]


def test_an_event_that_is_sent_twice_is_made_once(db: None) -> None:
    client = program()
    body = {"slug": "new-run", "name": "New Run"}
    first, again = (send(client, "POST", EVENTS, body, Idempotency_Key="one") for _ in range(2))
    assert (again.status_code, again.json()) == (201, first.json())
    assert slugs(client) == ["new-run"]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"name": "No slug"}, "slug"),
        ({"slug": "city-run", "name": "Taken"}, "slug"),
        ({"slug": "a b", "name": "x"}, "slug"),
        ({"slug": "x", "name": "x" * 121}, "name"),
        ({"slug": "x", "name": "a\0b"}, "name"),
        ({"slug": "x", "name": "x", "access": "everybody"}, "access"),
        ({"slug": "x", "name": "x", "access": "code", "access_code": "1"}, "access_code"),
        ({"slug": "x", "name": "x", "watermark": "走"}, "watermark"),
        ({"slug": "x", "name": "x", "opens_at": "2026-05-02T00:00Z", "closes_at": "2026-05-01T00:00Z"}, "closes_at"),
        ({"slug": "x", "name": "x", "date": "tomorrow"}, "date"),
        ({"slug": "x", "name": "x", "nmae": "typo"}, "nmae"),
        ({"slug": "x", "name": "x", "created_at": "2026-05-01T00:00Z"}, "created_at"),
        ([], ""),
        ("x", ""),
    ],
)
def test_an_event_that_makes_no_sense_is_refused(event: Event, body: Any, named: str) -> None:
    response = send(program(), "POST", EVENTS, body)
    assert code_of(response) == (400, "bad_request")
    assert response.json()["detail"].startswith(f"`{named}`: " if named else "Invalid data")
    assert Event.objects.count() == 1


def test_a_slug_that_somebody_takes_meanwhile(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    check = EventSerializer.validate

    def validate(self: EventSerializer, attrs: dict[str, Any]) -> dict[str, Any]:
        checked = check(self, attrs)
        Event.objects.get_or_create(slug="new-run", name="Quicker")
        return checked

    monkeypatch.setattr(EventSerializer, "validate", validate)
    response = send(program(), "POST", EVENTS, {"slug": "new-run", "name": "Slower"})
    assert code_of(response) == (400, "bad_request")
    assert response.json()["detail"].startswith("`slug`: ")
    assert not Event.objects.filter(name="Slower").exists()


def test_what_is_not_sent_stays(event: Event) -> None:
    response = send(program(), "PATCH", EVENT, {"name": "Town Run", "closes_at": "2026-06-01T00:00:00Z"})
    assert (response.status_code, response.json()["name"]) == (200, "Town Run")
    event.refresh_from_db()
    assert (event.name, event.slug, event.access) == ("Town Run", "city-run", Event.Access.SELFIE)


def test_a_change_must_fit_what_is_there(event: Event) -> None:
    Event.objects.update(closes_at="2026-05-01T00:00:00Z")
    response = send(program(), "PATCH", EVENT, {"opens_at": "2026-05-02T00:00:00Z"})
    assert code_of(response) == (400, "bad_request")
    event.refresh_from_db()
    assert event.opens_at is None


@pytest.mark.parametrize("query", ["", "?confirm=", "?confirm=city-run", "?confirm=Other+Run"])
def test_nobody_deletes_an_event_by_mistake(event: Event, query: str) -> None:
    assert code_of(send(program(), "DELETE", EVENT + query)) == (400, "confirmation_required")
    assert Event.objects.exists()


def test_an_event_goes_with_all_that_is_in_it(
    event: Event, other_event: Event, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    (image,) = listed(event, 1)
    listed(other_event, 1)
    default_storage.save(image.storage_key, _file())
    with django_capture_on_commit_callbacks(execute=True):
        response = send(program(), "DELETE", f"{EVENT}?confirm=City+Run")
    assert (response.status_code, response.content) == (204, b"")
    assert list(Event.objects.all()) == [other_event]
    assert Image.objects.get().event == other_event
    assert not default_storage.exists(image.storage_key)


def _file() -> ContentFile[bytes]:
    return ContentFile(b"photo")


def test_a_storage_that_fails_after_the_deletion_is_named(
    event: Event, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: Event) -> None:
        raise OSError("down")

    monkeypatch.setattr(Event, "delete", fail)
    response = send(program(), "DELETE", f"{EVENT}?confirm=City+Run")
    assert code_of(response) == (503, "files_left")
    assert "OSError: down" in caplog.text


CALLS: list[tuple[str, str, Any]] = [
    ("GET", EVENTS, None),
    ("POST", EVENTS, {"slug": "x", "name": "x"}),
    ("GET", EVENT, None),
    ("PATCH", EVENT, {"name": "x"}),
    ("DELETE", f"{EVENT}?confirm=City+Run", None),
]


def statuses(client: Client) -> list[int]:
    return [send(client, *call).status_code for call in CALLS]


def test_strangers_learn_and_change_nothing(client: Client, event: Event, other_event: Event, member: User) -> None:
    assert statuses(client) == [401] * 5
    client.force_login(member)
    assert statuses(client) == [403] * 5
    foreign = organiser_of(other_event, "add_event", "change_event", "delete_event")
    assert statuses(foreign) == [200, 201, 404, 404, 404]
    Event.objects.filter(slug="x").delete()
    assert statuses(program(events=[other_event])) == [200, 201, 404, 404, 404]
    event.refresh_from_db()
    assert event.name == "City Run"


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE"])
def test_other_methods_are_not_there(event: Event, staff_client: Client, method: str) -> None:
    for client in (program(Scope.READ), staff_client):
        for url in (EVENT, f"{EVENTS}?color=red"):
            assert code_of(send(client, method, url)) == (405, "method_not_allowed")


def test_a_foreign_event_answers_like_none(event: Event, other_event: Event) -> None:
    client = program(events=[other_event])
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        foreign = send(client, method, EVENT, body, If_Match='"x"').json()
        assert foreign == {"detail": "There is no event 'city-run'.", "code": "unknown_event"}
        nowhere = send(client, method, "/api/v1/events/nosuch", body, If_Match='"x"').json()
        assert nowhere == {"detail": "There is no event 'nosuch'.", "code": "unknown_event"}


def test_staff_and_keys_do_what_they_are_allowed_to(event: Event) -> None:
    assert statuses(organiser_of(event)) == [200, 403, 200, 403, 403]
    reader = program(Scope.READ, Scope.UPLOAD, Scope.SEARCH)
    assert statuses(reader) == [200, 403, 200, 403, 403]
    assert code_of(send(reader, "PATCH", EVENT, {"name": "x"})) == (403, "missing_scope")
    assert statuses(program(Scope.MANAGE)) == [403, 201, 403, 200, 400]
    Event.objects.filter(slug="x").delete()
    _rename(event, "City Run")
    assert statuses(organiser_of(event, "add_event", "change_event", "delete_event")) == [200, 201, 200, 200, 400]


def _rename(event: Event, name: str) -> None:
    Event.objects.filter(pk=event.pk).update(name=name)


class TestETags:
    def test_who_has_the_newest_is_not_sent_it_again(self, event: Event) -> None:
        client = program()
        for url in (EVENT, EVENTS):
            tag = client.get(url)["ETag"]
            again = client.get(url, headers={"If-None-Match": tag})
            assert (again.status_code, again.content, again["ETag"]) == (304, b"", tag)
        listed(event, 1)
        assert client.get(EVENT, headers={"If-None-Match": client.get(EVENTS)["ETag"]}).status_code == 200

    def test_an_answer_changes_its_tag_with_its_counts(self, event: Event) -> None:
        client = program()
        before = client.get(EVENT)
        listed(event, 1)
        assert client.get(EVENT, headers={"If-None-Match": before["ETag"]}).status_code == 200

    def test_nobody_but_the_client_keeps_it(self, event: Event) -> None:
        assert program().get(EVENT)["Cache-Control"] == "private, no-cache"

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_nothing_unseen_is_overwritten(self, event: Event, method: str) -> None:
        client = program()
        seen = client.get(EVENT)["ETag"]
        _rename(event, "Renamed")
        body, url = ({"watermark": "W"}, EVENT) if method == "PATCH" else (None, f"{EVENT}?confirm=Renamed")
        for tag in (seen, '"forged"', "unquoted", ""):
            response = send(client, method, url, body, If_Match=tag)
            assert code_of(response) == (412, "precondition_failed"), tag
        event.refresh_from_db()
        assert event.watermark == ""

    def test_what_makes_no_sense_is_said_first(self, event: Event) -> None:
        response = send(program(), "PATCH", EVENT, {"name": ""}, If_Match='"forged"')
        assert code_of(response) == (400, "bad_request")

    def test_what_was_seen_is_changed(self, event: Event) -> None:
        client = program()
        tag = client.get(EVENT)["ETag"]
        # Photos that come in meanwhile are nobody's change.
        listed(event, 1)
        for name in ("One", "Two"):
            response = send(client, "PATCH", EVENT, {"name": name}, If_Match=tag)
            assert (response.status_code, response.json()["name"]) == (200, name)
            tag = f"W/{response['ETag']}"
        assert send(client, "PATCH", EVENT, {"name": "Three"}, If_Match="*").status_code == 200
        assert send(client, "PATCH", EVENT, {"name": "Four"}, If_Match=tag).status_code == 412

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_saw_the_same_only_one_changes_it(self) -> None:
        Event.objects.create(slug="city-run", name="City Run")
        client = program()
        tag = client.get(EVENT)["ETag"]

        def rename(name: str) -> int:
            status = send(client, "PATCH", EVENT, {"name": name}, If_Match=tag).status_code
            connection.close()
            return int(status)

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(rename, "abcd")) == [200, 412, 412, 412]


class TestPages:
    @pytest.fixture
    def eleven(self, db: None) -> list[str]:
        return [Event.objects.create(slug=f"run-{number}", name="Run").slug for number in range(11)]

    def test_every_event_comes_once_in_either_direction(self, eleven: list[str]) -> None:
        client = program()
        assert [event["slug"] for event in walk(client, f"{EVENTS}?limit=3")] == eleven
        last = client.get(EVENTS, {"limit": 10}).json()["next"]
        assert [event["slug"] for event in walk(client, last, "previous")] == eleven[::-1]

    def test_events_that_come_and_go_meanwhile_move_no_other(self, eleven: list[str]) -> None:
        client = program()
        first = client.get(EVENTS, {"limit": 4}).json()
        Event.objects.filter(slug__in=[eleven[3], eleven[7]]).delete()
        Event.objects.create(slug="run-new", name="Run")
        rest = [event["slug"] for event in walk(client, first["next"])]
        assert rest == [*eleven[4:7], *eleven[8:], "run-new"]

    @pytest.mark.parametrize("cursor", ["x", "%ff", "cD1hYmM%3D", "bz0x", "cj0xJm89NQ%3D%3D", "p" * 90, "cD0%3D"])
    def test_a_cursor_that_is_none_of_ours(self, event: Event, cursor: str) -> None:
        assert program().get(f"{EVENTS}?cursor=cD0x").status_code == 200
        assert code_of(program().get(f"{EVENTS}?cursor={cursor}")) == (400, "invalid_cursor")

    @pytest.mark.parametrize(
        "query",
        ["limit=0", "limit=201", "limit=x", "limit=", "color=red", "limit=3&limit=4", "cursor=", "cursor=" + 101 * "x"],
    )
    def test_a_query_that_makes_no_sense(self, event: Event, query: str) -> None:
        response = program().get(f"{EVENTS}?{query}")
        assert code_of(response) == (400, "bad_request")
        assert response.json()["detail"].startswith(f"`{query.partition('=')[0]}`: ")

    def test_a_long_list_takes_as_many_queries_as_a_short_one(self, eleven: list[str]) -> None:
        client = program()
        assert tables_asked(client, f"{EVENTS}?limit=2") == tables_asked(client, EVENTS) == 1
