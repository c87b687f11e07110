"""Several selfies, the face that is meant, and what is wrong with a selfie, over the API."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from conftest import BLUE, GREEN, RED, new_key, paint_photo
from events.models import Event
from faces.models import AuditEntry, Consent, Face, Visitor
from faces.tests.selfies import YELLOW, blurred, selfie_of, upload

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

SELFIE = "/api/v1/auth/selfie"


def send(client: Client, *selfies: io.BytesIO, **fields: Any) -> tuple[int, dict[str, Any]]:
    key = fields.pop("key", "")
    headers = {"Authorization": f"Api-Key {key}"} if key else {}
    response = client.post(SELFIE, {"file": upload(*selfies), **fields}, headers=headers)
    return response.status_code, response.json()


def test_three_selfies_are_one_search(client: Client, run: Event) -> None:
    status, answer = send(client, selfie_of(GREEN), selfie_of(GREEN, side=90), paint_photo())
    assert (status, answer["total"]) == (200, 2)


def test_four_are_too_many(client: Client, run: Event) -> None:
    status, answer = send(client, *[selfie_of(RED)] * 4)
    assert (status, answer["code"]) == (400, "too_many_files")


def test_two_people_are_refused(client: Client, run: Event) -> None:
    status, answer = send(client, selfie_of(RED), selfie_of(GREEN))
    assert (status, answer["code"]) == (400, "different_people")
    assert answer.keys() == {"detail", "code"}


def test_several_faces_are_listed_and_one_is_chosen(client: Client, run: Event) -> None:
    both = paint_photo(RED, GREEN)
    status, answer = send(client, both)
    assert (status, answer["code"], answer["selfie"]) == (400, "several_faces", 0)
    assert answer["faces"][1] == pytest.approx([20 / 400, 100 / 300, 70 / 400, 70 / 300])
    assert send(client, both, meant=["0:0.1,0.45"])[1]["total"] == 3
    assert send(client, both, meant=["0:0.3,0.45"])[1]["total"] == 2


def test_a_point_has_to_be_one(client: Client, run: Event) -> None:
    status, answer = send(client, paint_photo(RED, GREEN), meant=["0:0.1,0.45", "left"])
    assert (status, answer["code"]) == (400, "bad_request")
    assert answer["detail"].startswith("`meant`: ")


@pytest.mark.parametrize(
    ("selfie", "code"), [(selfie_of(YELLOW, side=30), "too_small"), (blurred(YELLOW), "too_blurred")]
)
def test_a_bad_selfie_of_a_stranger_is_told_what_is_wrong(
    client: Client, run: Event, selfie: io.BytesIO, code: str
) -> None:
    status, answer = send(client, selfie)
    assert (status, answer["code"], answer["selfie"]) == (400, code, 0)


def test_a_bad_selfie_that_only_may_show_somebody(client: Client, run: Event) -> None:
    Event.objects.update(max_distance=0.0001, maybe_distance=0.6)
    nearly_red = selfie_of((230, 20, 60), side=30)
    assert send(client, nearly_red)[1]["code"] == "too_small"
    status, answer = send(client, nearly_red, maybe="true")
    assert (status, answer["tier"]) == (200, "maybe")


def test_an_event_whose_faces_are_gone(client: Client, run: Event) -> None:
    Event.objects.update(keep_faces_until="2026-05-02")
    status, answer = send(client, selfie_of(RED))
    assert (status, answer["code"]) == (400, "faces_deleted")


def test_searches_are_written_down(client: Client, run: Event, staff: User) -> None:
    send(client, selfie_of(BLUE))
    key = new_key("kiosk")
    send(client, selfie_of(YELLOW), key=key)
    Event.objects.update(engine="unknown")
    client.force_login(staff)
    send(client, selfie_of(BLUE))
    entries = AuditEntry.objects.filter(action=AuditEntry.Action.SEARCHED, event=run).order_by("pk")
    assert [(entry.actor, entry.detail) for entry in entries] == [
        ("visitor", "matched"),
        (f"API key kiosk ({key.partition('.')[0]})", "no_match"),
        ("staff", "engine_unavailable"),
    ]
    assert not Visitor.objects.exists()
    assert not Consent.objects.exists()


def test_a_draft_takes_selfies_from_staff_alone(client: Client, run: Event, member: User) -> None:
    Event.objects.update(access=Event.Access.DRAFT)
    Event.objects.create(slug="second", name="Second", engine="fake")
    assert send(client, selfie_of(RED), event=run.slug)[0] == 404
    client.force_login(member)
    assert send(client, selfie_of(RED), event=run.slug)[0] == 404


class TestBoxes:
    def test_every_face_of_the_selfies_and_every_photo_with_the_person(self, client: Client, run: Event) -> None:
        both = paint_photo(RED, GREEN)
        answer = send(client, both, meant=["0:0.3,0.45"], boxes="true")[1]
        [selfie] = answer["selfies"]
        assert [round(face[0] * 400) for face in selfie["faces"]] == [110, 20]
        assert len(answer["images"]) == answer["total"] == 2
        assert {image["tier"] for image in answer["images"]} == {"sure"}
        of_green = Face.objects.get(grab_id=answer["grab_id"]).image_faces.select_related("image")
        expected = {str(face.image.image_id): [[face.x / 400, 1 / 3, 70 / 400, 70 / 300]] for face in of_green}
        for image in answer["images"]:
            assert image["boxes"] == [pytest.approx(box) for box in expected[image["image_id"]]]

    def test_only_on_request(self, client: Client, run: Event) -> None:
        assert not {"selfies", "images"} & set(send(client, selfie_of(GREEN))[1])

    def test_photos_of_guesses_only_with_maybe(self, client: Client, run: Event) -> None:
        Event.objects.update(max_distance=0.0001, maybe_distance=0.6)
        nearly_red = selfie_of((230, 20, 60))
        assert send(client, nearly_red, boxes="true")[1]["code"] == "no_match"
        answer = send(client, nearly_red, boxes="true", maybe="true")[1]
        assert {image["tier"] for image in answer["images"]} == {"maybe"}
        assert len(answer["images"]) == answer["maybe_total"]
