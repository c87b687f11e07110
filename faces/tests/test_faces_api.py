"""People over the API."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection
from django.urls import reverse

from events.models import Event, Scope
from events.tests.programs import code_of, organiser_of, program, send, tables_asked, the_program, walk
from faces import corrections
from faces.gallery import Grant
from faces.models import AuditEntry, Decision, Face, FaceAlias, ImageFace
from faces.tests.people import add_person

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

FACES = "/api/v1/faces"


@pytest.fixture
def ada(event: Event) -> Face:
    """A person in three photos."""
    return add_person(event, 0, 1, 2, name="Ada")


@pytest.fixture
def ben(event: Event) -> Face:
    """A person in one photo."""
    return add_person(event, 90)


def address(person: Face | uuid.UUID) -> str:
    return f"{FACES}/{person.grab_id if isinstance(person, Face) else person}"


def grab_ids(client: Client, query: str = "") -> list[str]:
    return [person["grab_id"] for person in client.get(f"{FACES}?{query}").json()["results"]]


def noted() -> list[tuple[str, str, uuid.UUID | None, str]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "actor", "grab_id", "detail"))


def test_a_person(ada: Face) -> None:
    client = program(Scope.READ)
    shown = client.get(address(ada)).json()
    assert shown == {
        "grab_id": str(ada.grab_id),
        "event": "city-run",
        "name": "Ada",
        "hidden": False,
        "cover": ada.cover_id,
        "images": 3,
        "created_at": ada.created_at.isoformat().replace("+00:00", "Z"),
    }
    assert client.get(FACES).json()["results"] == [shown]


def test_who_looks_is_noted(ada: Face) -> None:
    client = program(Scope.READ)
    client.get(FACES)
    client.get(f"{FACES}?event=city-run")
    client.get(address(ada))
    who = the_program()
    expected = [("looked", who, None, "People")] * 2 + [("looked", who, ada.grab_id, "")]
    assert noted() == expected
    assert list(AuditEntry.objects.order_by("pk").values_list("event", flat=True)) == [None, ada.event_id, ada.event_id]


def test_people_are_listed_by_event_and_by_who_is_hidden(ada: Face, other_event: Event) -> None:
    eve = add_person(other_event, 0, hidden=True)
    client = program()
    everybody = [str(person.grab_id) for person in (ada, eve)]
    assert grab_ids(client) == everybody
    assert grab_ids(client, "event=city-run") == everybody[:1]
    assert grab_ids(client, "hidden=true") == everybody[1:]
    assert grab_ids(client, "hidden=false") == everybody[:1]
    assert grab_ids(client, "hidden=false&event=other-run") == []


@pytest.mark.parametrize("query", ["hidden=perhaps", "hidden=", "name=Ada", "event="])
def test_a_query_that_makes_no_sense(event: Event, query: str) -> None:
    assert code_of(program().get(f"{FACES}?{query}")) == (400, "bad_request")


def test_everybody_comes_once_though_people_come_and_go(event: Event) -> None:
    people = [add_person(event, angle) for angle in range(0, 60, 10)]
    client = program()
    first = client.get(f"{FACES}?limit=2&event=city-run").json()
    people[1].delete()
    people[3].delete()
    late = add_person(event, 70)
    expected = [str(person.grab_id) for person in (people[2], people[4], people[5], late)]
    assert [person["grab_id"] for person in walk(client, first["next"])] == expected


def test_a_long_list_takes_as_many_queries_as_a_short_one(ada: Face, ben: Face) -> None:
    client = program()
    # The people, and that somebody looked at them.
    assert tables_asked(client, f"{FACES}?limit=1") == tables_asked(client, FACES) == 2
    assert tables_asked(client, f"{FACES}?event=city-run") == 3


def test_a_person_is_named_and_hidden(ada: Face, staff: User) -> None:
    response = send(program(), "PATCH", address(ada), {"name": " Ada  Lovelace ", "hidden": True})
    assert (response.status_code, response.json()["name"], response.json()["hidden"]) == (200, "Ada Lovelace", True)
    ada.refresh_from_db()
    assert (ada.name, ada.hidden) == ("Ada Lovelace", True)
    hiding, naming = Decision.objects.all()
    assert (naming.kind, naming.made_by, naming.maker) == (Decision.Kind.NAME, None, the_program())
    assert noted()[-1] == ("changed", the_program(), ada.grab_id, "Hidden")
    for decision in (hiding, naming):
        corrections.undo(decision, staff)
    ada.refresh_from_db()
    assert (ada.name, ada.hidden) == ("Ada", False)


def test_admin_says_which_key_decided(admin: Client, ada: Face) -> None:
    send(program(), "PATCH", address(ada), {"hidden": True})
    for page in (reverse("admin:faces_decision_changelist"), reverse("admin:faces_face_change", args=[ada.pk])):
        assert Decision.objects.get().maker in admin.get(page).content.decode(), page


def test_what_is_so_already_is_no_error_and_no_decision(ada: Face) -> None:
    response = send(program(), "PATCH", address(ada), {"name": "Ada", "hidden": False})
    assert response.status_code == 200
    assert send(program(), "PATCH", address(ada), {}).status_code == 200
    assert not Decision.objects.exists()


@pytest.mark.parametrize(
    "body",
    [{"name": "x" * 121}, {"name": None}, {"name": "a\0b"}, {"hidden": "perhaps"}, {"cover": 1}, {"nmae": "x"}, []],
)
def test_a_change_that_makes_no_sense(ada: Face, body: Any) -> None:
    assert code_of(send(program(), "PATCH", address(ada), body)) == (400, "bad_request")
    assert not Decision.objects.exists()


def test_nothing_is_half_changed(ada: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any) -> None:
        raise corrections.CorrectionError("gone", "This has changed meanwhile.")

    monkeypatch.setattr(corrections, "hide", gone)
    assert code_of(send(program(), "PATCH", address(ada), {"name": "x", "hidden": True})) == (409, "gone")
    ada.refresh_from_db()
    assert ada.name == "Ada"
    assert not Decision.objects.exists()


def test_people_become_one_and_their_grab_ids_lead_there(ada: Face, ben: Face) -> None:
    client = program()
    response = send(client, "POST", f"{address(ben)}/merge", {"grab_ids": [str(ada.grab_id)]})
    assert (response.status_code, response.json()["grab_id"], response.json()["images"]) == (200, str(ada.grab_id), 4)
    assert client.get(address(ben)).json() == client.get(address(ada)).json()
    assert Decision.objects.get().maker == the_program()
    again = send(client, "POST", f"{address(ben)}/merge", {"grab_ids": [str(ada.grab_id)]})
    assert code_of(again) == (409, "same_person")
    send(client, "PATCH", address(ben), {"name": "Ada B."})
    ada.refresh_from_db()
    assert ada.name == "Ada B."


@pytest.mark.parametrize("body", [{}, {"grab_ids": []}, {"grab_ids": ["x"]}, {"grab_ids": "x"}, {"grab_id": "x"}])
def test_a_merge_that_makes_no_sense(ada: Face, body: Any) -> None:
    assert code_of(send(program(), "POST", f"{address(ada)}/merge", body)) == (400, "bad_request")


def test_people_of_different_events_do_not_become_one(ada: Face, other_event: Event) -> None:
    eve = add_person(other_event, 0)
    body = {"grab_ids": [str(eve.grab_id)]}
    assert code_of(send(program(), "POST", f"{address(ada)}/merge", body)) == (409, "other_event")
    # Whose event is somebody else's, is not there.
    own = program(events=[ada.event])
    assert code_of(send(own, "POST", f"{address(ada)}/merge", body)) == (404, "not_found")
    assert Face.objects.count() == 2


def test_a_person_is_erased_and_the_photos_stay(ada: Face, ben: Face) -> None:
    client = program()
    response = send(client, "DELETE", address(ada))
    assert (response.status_code, response.json()) == (200, {"faces": 3, "photos": 3, "galleries": 0})
    assert client.get(address(ada)).status_code == 404
    assert list(Face.objects.all()) == [ben]
    assert ImageFace.objects.count() == 1
    assert ada.event.images.count() == 4
    assert ("erased", the_program(), ada.grab_id, "3 faces in 3 photos, 0 galleries") in noted()


def test_nobody_is_erased_for_somebody_who_became_part_of_them(ada: Face, ben: Face, staff: User) -> None:
    corrections.merge(ada.event, [ada, ben], staff)
    assert code_of(send(program(), "DELETE", address(ben))) == (409, "merged")
    assert Face.objects.get() == ada
    assert send(program(), "DELETE", address(ada)).status_code == 200
    assert not FaceAlias.objects.exists()


class TestETags:
    def test_who_has_the_newest_is_not_sent_it_again(self, ada: Face) -> None:
        client = program()
        for url in (address(ada), FACES, f"/api/v1/users/{ada.grab_id}/images", "/api/v1/events/city-run/progress"):
            tag = client.get(url)["ETag"]
            again = client.get(url, headers={"If-None-Match": f'"other", {tag}'})
            assert (again.status_code, again.content) == (304, b""), url
        Face.objects.update(name="Renamed")
        assert client.get(address(ada), headers={"If-None-Match": tag}).status_code == 200

    @pytest.mark.parametrize("method", ["PATCH", "DELETE"])
    def test_nothing_unseen_is_changed(self, ada: Face, staff: User, method: str) -> None:
        client = program()
        seen = client.get(address(ada))["ETag"]
        corrections.hide([ada], staff)
        body = {"name": "Eve"} if method == "PATCH" else None
        assert code_of(send(client, method, address(ada), body, If_Match=seen)) == (412, "precondition_failed")
        ada.refresh_from_db()
        assert ada.name == "Ada"

    def test_photos_that_come_in_are_nobodys_change(self, ada: Face, ben: Face) -> None:
        client = program()
        seen = client.get(address(ada))["ETag"]
        ImageFace.objects.filter(face=ben).update(face=ada)
        assert client.get(address(ada), headers={"If-None-Match": seen}).status_code == 200
        assert send(client, "PATCH", address(ada), {"name": "Eve"}, If_Match=seen).status_code == 200

    @pytest.mark.django_db(transaction=True)
    def test_of_two_who_saw_the_same_only_one_changes_it(self) -> None:
        ada = add_person(Event.objects.create(slug="city-run", name="City Run", engine="fake"), 0)
        client = program()
        seen = client.get(address(ada))["ETag"]

        def rename(name: str) -> int:
            status = send(client, "PATCH", address(ada), {"name": name}, If_Match=seen).status_code
            connection.close()
            return int(status)

        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(rename, "abcd")) == [200, 412, 412, 412]


def statuses(client: Client, person: Face, other: Face) -> list[int]:
    """Look at the list and at the person, merge, name and erase them."""
    merge = ("POST", f"{address(person)}/merge", {"grab_ids": [str(other.grab_id)]})
    changes = [merge, ("PATCH", address(person), {"name": "Mine"}), ("DELETE", address(person), None)]
    calls: list[Any] = [("GET", FACES, None), ("GET", address(person), None), *changes]
    return [send(client, *call).status_code for call in calls]


def test_strangers_learn_and_change_nothing(
    client: Client, ada: Face, ben: Face, other_event: Event, member: User
) -> None:
    assert statuses(client, ada, ben) == [401] * 5
    client.force_login(member)
    assert statuses(client, ada, ben) == [403] * 5
    foreign = organiser_of(other_event, "view_face", "change_face", "delete_face")
    for stranger in (foreign, program(events=[other_event])):
        assert statuses(stranger, ada, ben) == [200, 404, 404, 404, 404]
        assert grab_ids(stranger) == []
        assert code_of(stranger.get(f"{FACES}?event=city-run")) == (404, "unknown_event")
        assert stranger.get(address(ada)).json() == stranger.get(address(uuid.uuid4())).json()
    ada.refresh_from_db()
    assert (ada.name, Face.objects.count()) == ("Ada", 2)


def test_staff_and_keys_do_what_they_are_allowed_to(ada: Face, ben: Face) -> None:
    event = ada.event
    assert statuses(organiser_of(event), ada, ben) == [403] * 5
    assert statuses(organiser_of(event, "view_face"), ada, ben) == [200, 200, 403, 403, 403]
    assert statuses(program(Scope.READ, events=[event]), ada, ben) == [200, 200, 403, 403, 403]
    assert statuses(program(Scope.UPLOAD, Scope.SEARCH), ada, ben) == [403] * 5
    assert statuses(organiser_of(event, "view_face", "change_face"), ada, ben) == [200, 200, 200, 200, 403]
    assert Decision.objects.filter(made_by__isnull=False).count() == 2
    assert statuses(organiser_of(event, "delete_face"), ada, ben) == [403, 403, 403, 403, 200]


def test_a_gallery_token_opens_no_people(client: Client, ada: Face) -> None:
    token = Grant(ada.event_id, (ada.cover_id or 0,)).to_token()
    assert client.get(address(ada), headers={"Authorization": f"Bearer {token}"}).status_code == 401


@pytest.mark.parametrize("grab_id", ["x", "0", "a%00b", "0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11"])
def test_who_is_nobody(event: Event, grab_id: str) -> None:
    client = program()
    for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
        assert code_of(send(client, method, f"{FACES}/{grab_id}", body)) == (404, "not_found")
    others = {"grab_ids": ["0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11"]}
    assert code_of(send(client, "POST", f"{FACES}/{grab_id}/merge", others)) == (404, "not_found")
