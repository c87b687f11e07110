"""The faces that photos show, over the API."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from events.models import Event, Image, Scope
from events.tests.programs import code_of, organiser_of, program, send, tables_asked, the_program, walk
from faces.models import AuditEntry, Decision, Face, ImageFace
from faces.tests.people import add_person, faces_of, photo

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

SEEN = "/api/v1/image-faces"


@pytest.fixture
def group_photo(event: Event) -> Image:
    return photo(event)


@pytest.fixture
def ada(event: Event, group_photo: Image) -> Face:
    """A person in two photos, one of which shows others, too."""
    return add_person(event, 0, 1, images=[group_photo, photo(event)])


@pytest.fixture
def ben(event: Event, group_photo: Image) -> Face:
    return add_person(event, 90, 91, images=[group_photo, photo(event)])


def keys(client: Client, query: str) -> list[int]:
    return [face["id"] for face in client.get(f"{SEEN}?{query}").json()["results"]]


def test_a_face(ada: Face, group_photo: Image) -> None:
    first = faces_of(ada)[0]
    ImageFace.objects.filter(pk=first).update(x=6, y=10, width=15, height=20, landmarks=[[7, 11]])
    client = program(Scope.READ)
    shown = client.get(f"{SEEN}/{first}").json()
    assert shown == {
        "id": first,
        "image_id": str(group_photo.image_id),
        "grab_id": str(ada.grab_id),
        "box": [0.1, 0.25, 0.25, 0.5],
        "pixels": [6, 10, 15, 20],
        "landmarks": [[7, 11]],
        "score": 1,
        "quality": 0.9,
    }
    assert client.get(f"{SEEN}?event=city-run").json()["results"][0] == shown
    ImageFace.objects.filter(pk=first).update(face=None)
    assert client.get(f"{SEEN}/{first}").json()["grab_id"] is None


def test_faces_are_found(ada: Face, ben: Face, group_photo: Image, other_event: Event) -> None:
    eve = add_person(other_event, 0)
    client = program()
    assert keys(client, "event=city-run") == faces_of(ada) + faces_of(ben)
    assert keys(client, f"image={group_photo.image_id}") == [faces_of(ada)[0], faces_of(ben)[0]]
    assert keys(client, f"face={ben.grab_id}") == faces_of(ben)
    assert keys(client, f"face={ben.grab_id}&image={group_photo.image_id}") == faces_of(ben)[:1]
    assert keys(client, f"face={eve.grab_id}&event=city-run") == []
    Event.objects.create(slug="empty-run", name="Empty Run")
    assert keys(client, "event=empty-run") == []


def test_who_looks_is_noted(ada: Face, group_photo: Image) -> None:
    client = program(Scope.READ)
    client.get(f"{SEEN}?event=city-run")
    client.get(f"{SEEN}?image={group_photo.image_id}")
    client.get(f"{SEEN}?face={ada.grab_id}")
    client.get(f"{SEEN}/{faces_of(ada)[0]}")
    entries = AuditEntry.objects.order_by("pk")
    assert {(entry.action, entry.actor, entry.event) for entry in entries} == {("looked", the_program(), ada.event)}
    of_photo = f"Faces of photo {group_photo.pk}"
    assert [(entry.grab_id, entry.detail) for entry in entries] == [
        (None, "Faces"),
        (None, of_photo),
        (ada.grab_id, ""),
        (None, of_photo),
    ]


@pytest.mark.parametrize(
    "query", ["", "limit=3", "image=x", "face=x", "event=city-run&person=x", "event=city-run&face="]
)
def test_a_query_that_makes_no_sense(event: Event, query: str) -> None:
    assert code_of(program().get(f"{SEEN}?{query}")) == (400, "bad_request")


def test_faces_that_are_found_meanwhile_come_last(event: Event) -> None:
    ada = add_person(event, *range(5))
    client = program()
    first = client.get(f"{SEEN}?limit=2&event=city-run").json()
    ImageFace.objects.filter(pk=faces_of(ada)[3]).delete()
    expected = [faces_of(ada)[2], faces_of(ada)[3], *faces_of(add_person(event, 90))]
    assert [face["id"] for face in walk(client, first["next"])] == expected


def test_a_long_list_takes_as_many_queries_as_a_short_one(ada: Face, ben: Face) -> None:
    client = program()
    # The event, that somebody looked, the first and the last face, and the page.
    assert tables_asked(client, f"{SEEN}?event=city-run&limit=1") == tables_asked(client, f"{SEEN}?event=city-run") == 4


def test_a_face_is_given_to_whose_it_is(ada: Face, ben: Face) -> None:
    client, face = program(), faces_of(ada)[1]
    response = send(client, "POST", f"{SEEN}/{face}/move", {"grab_id": str(ben.grab_id)})
    assert (response.status_code, response.json()["grab_id"]) == (200, str(ben.grab_id))
    assert (Decision.objects.get().kind, Decision.objects.get().maker) == (Decision.Kind.MOVE, the_program())
    again = send(client, "POST", f"{SEEN}/{face}/move", {"grab_id": str(ben.grab_id)})
    assert code_of(again) == (409, "same_person")


def test_a_face_is_given_to_nobody_of_another_event(ada: Face, other_event: Event) -> None:
    eve = add_person(other_event, 0)
    url, body = f"{SEEN}/{faces_of(ada)[1]}/move", {"grab_id": str(eve.grab_id)}
    assert code_of(send(program(), "POST", url, body)) == (409, "other_event")
    assert code_of(send(program(events=[ada.event]), "POST", url, body)) == (404, "not_found")
    assert ada.image_faces.count() == 2


@pytest.mark.usefixtures("empty_queue")
def test_a_face_is_taken_from_whose_it_is_not(ada: Face) -> None:
    client, (kept, face) = program(), faces_of(ada)
    response = send(client, "POST", f"{SEEN}/{face}/remove")
    assert (response.status_code, response.json()["grab_id"]) == (200, None)
    assert ProcrastinateJob.objects.filter(task_name="group").exists(), "it gets a person within seconds"
    assert code_of(send(client, "POST", f"{SEEN}/{face}/remove")) == (409, "not_grouped")
    assert code_of(send(client, "POST", f"{SEEN}/{kept}/remove")) == (409, "nothing_left")
    assert faces_of(ada) == [kept]


@pytest.mark.parametrize("body", [{}, {"grab_id": "x"}, {"to": "x"}, []])
def test_a_move_that_makes_no_sense(ada: Face, body: Any) -> None:
    assert code_of(send(program(), "POST", f"{SEEN}/{faces_of(ada)[0]}/move", body)) == (400, "bad_request")


def statuses(client: Client, face: int, to: Face) -> list[int]:
    """Look at the list and at the face, move and remove it."""
    moved = send(client, "POST", f"{SEEN}/{face}/move", {"grab_id": str(to.grab_id)})
    looked = [client.get(f"{SEEN}?event=city-run"), client.get(f"{SEEN}/{face}")]
    return [response.status_code for response in (*looked, moved, send(client, "POST", f"{SEEN}/{face}/remove"))]


def test_strangers_learn_and_change_nothing(
    client: Client, ada: Face, ben: Face, group_photo: Image, other_event: Event, member: User
) -> None:
    face = faces_of(ada)[0]
    assert statuses(client, face, ben) == [401] * 4
    client.force_login(member)
    assert statuses(client, face, ben) == [403] * 4
    for stranger in (organiser_of(other_event, "view_face", "change_face"), program(events=[other_event])):
        assert statuses(stranger, face, ben) == [404] * 4
        for name, own, nobody in (("image", group_photo.image_id, uuid.uuid4()), ("face", ada.grab_id, uuid.uuid4())):
            foreign, nowhere = (stranger.get(f"{SEEN}?{name}={value}") for value in (own, nobody))
            assert (foreign.status_code, foreign.json()) == (404, nowhere.json())
    assert not Decision.objects.exists()
    assert not AuditEntry.objects.exists()


def test_staff_and_keys_do_what_they_are_allowed_to(ada: Face, ben: Face) -> None:
    event, (first, second) = ada.event, faces_of(ada)
    assert statuses(organiser_of(event), first, ben) == [403] * 4
    assert statuses(organiser_of(event, "view_face"), first, ben) == [200, 200, 403, 403]
    assert statuses(program(Scope.READ, events=[event]), first, ben) == [200, 200, 403, 403]
    assert statuses(program(Scope.MANAGE, events=[event]), second, ben) == [403, 403, 200, 200]
    assert statuses(organiser_of(event, "view_face", "change_face"), second, ben) == [200, 200, 200, 200]


@pytest.mark.parametrize("number", ["0", str(2**63), str(10**30)])
def test_what_is_no_face(event: Event, number: str) -> None:
    client = program()
    for method, url in (("GET", f"{SEEN}/{number}"), ("POST", f"{SEEN}/{number}/remove")):
        assert code_of(send(client, method, url)) == (404, "not_found")
