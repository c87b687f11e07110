"""The People page in admin: covers to choose from, found by filters and search, corrected together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from faces import corrections
from faces.models import Decision, Face, FaceAlias
from faces.persons import refresh
from faces.tests.test_corrections import person

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from events.models import Event

PEOPLE = "/admin/faces/face/"


@pytest.fixture
def people(event: Event) -> list[Face]:
    """Ada with three faces, Ben with two, and somebody with one."""
    found = [person(event, 90, 92, name="Ben"), person(event, 0, 2, 4, name="Ada"), person(event, 180)]
    refresh(event, [each.pk for each in found])
    ben, ada, nobody = found
    return [ada, ben, nobody]


def shown(client: Client, **query: str) -> list[int]:
    """Return the persons on the page, in its order."""
    page = client.get(PEOPLE, query).content.decode()
    return [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', page)]


def post(client: Client, action: str, *people: Face, **query: str) -> str:
    data = {"action": action, "index": "0", "_selected_action": [each.pk for each in people]}
    return client.post(reverse("admin:faces_face_changelist", query=query), data, follow=True).content.decode()


def keys(*people: Face) -> list[int]:
    return [each.pk for each in people]


def test_the_largest_come_first_with_their_covers(admin: Client, people: list[Face]) -> None:
    ada, ben, nobody = people
    page = admin.get(PEOPLE).content.decode()
    assert shown(admin) == keys(ada, ben, nobody)
    assert re.findall(r'field-image_count">(\d+)</span> photos? · (\d+) face', page) == [
        ("3", "3"), ("2", "2"), ("1", "1"),
    ]  # fmt: skip
    for each in people:
        each.refresh_from_db()
        assert f"{PEOPLE}crop/{each.cover_id}.jpg" in page
    assert str(nobody.grab_id)[:8] in page


def test_hidden_people_are_apart(admin: Client, people: list[Face]) -> None:
    ada, ben, nobody = people
    Face.objects.filter(pk=ben.pk).update(hidden=True)
    assert shown(admin) == keys(ada, nobody)
    assert shown(admin, hidden="yes") == keys(ben)
    assert shown(admin, hidden="all") == keys(ada, ben, nobody)


def test_people_are_filtered(admin: Client, people: list[Face], other_event: Event) -> None:
    ada, ben, nobody = people
    stranger = person(other_event, 0)
    assert shown(admin, named="yes") == keys(ada, ben)
    assert shown(admin, named="no") == keys(nobody, stranger)
    assert shown(admin, photos="2") == keys(ada, ben)
    assert shown(admin, photos="5") == []
    assert shown(admin, event__id__exact=str(other_event.pk)) == keys(stranger)


def test_two_faces_in_a_photo_are_one_photo(admin: Client, people: list[Face]) -> None:
    _, ben, _ = people
    first, second = ben.image_faces.all()
    second.image = first.image
    second.save()
    assert ben.pk not in shown(admin, photos="2")


def test_people_are_found_by_name_grab_id_and_alias(admin: Client, people: list[Face]) -> None:
    ada, ben, nobody = people
    alias = FaceAlias.objects.create(grab_id="0" * 8 + "-7d4c-4a2e-9a51-54c1ecb24b1e", face=nobody)
    assert shown(admin, q="ad") == keys(ada)
    assert shown(admin, q=f" {ben.grab_id} ") == keys(ben)
    assert shown(admin, q=str(ben.grab_id)[:8]) == keys(ben)
    assert shown(admin, q=str(alias.grab_id)) == keys(nobody)
    assert shown(admin, q="nobody's") == []


def test_a_search_finds_who_is_hidden(admin: Client, people: list[Face]) -> None:
    _, ben, _ = people
    Face.objects.filter(pk=ben.pk).update(hidden=True)
    assert shown(admin, q="ben") == keys(ben)
    assert shown(admin, q="ben", hidden="yes") == keys(ben)


def test_the_number_of_queries_does_not_grow(
    admin: Client, people: list[Face], django_assert_num_queries: Callable[..., object]
) -> None:
    for _ in range(2):
        # Session, user; deleted events, events of the filter, count, the people; what is counted for the search box.
        with django_assert_num_queries(7):  # type: ignore[attr-defined]
            admin.get(PEOPLE)
        person(people[0].event, 270, 271)


def test_people_are_hidden_and_shown_again(admin: Client, people: list[Face]) -> None:
    ada, ben, _ = people
    page = post(admin, "hide", ada, ben)
    assert "Hid Ben and Ada" in page
    assert set(Face.objects.visible()) == {people[2]}
    decision = Decision.objects.get()
    assert decision.made_by == User.objects.get(username="admin")
    assert f'formaction="{PEOPLE}undo/{decision.pk}/"' in page
    assert "Showed Ada again" in post(admin, "show", ada, hidden="yes")
    assert set(Face.objects.visible()) == {ada, people[2]}


def test_what_cannot_be_done_is_said(admin: Client, people: list[Face]) -> None:
    assert "Visible already." in post(admin, "show", people[0])
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", ["merge", "not_same", "hide", "show"])
def test_nothing_chosen(admin: Client, people: list[Face], action: str) -> None:
    assert "Items must be selected" in post(admin, action)
    assert not Decision.objects.exists()


def test_people_are_told_apart_in_pairs(admin: Client, people: list[Face]) -> None:
    page = post(admin, "not_same", *people)
    assert "Ben and Ada are not the same person" in page
    decided = Decision.objects.filter(kind=Decision.Kind.NOT_SAME)
    assert decided.count() == page.count("Undo</button>") == 3


def test_one_person_cannot_be_told_apart(admin: Client, people: list[Face]) -> None:
    assert "Choose two to 5 people" in post(admin, "not_same", people[0])
    more = [person(people[0].event, angle) for angle in (20, 40, 60)]
    assert "Choose two to 5 people" in post(admin, "not_same", *people, *more)
    assert not Decision.objects.exists()


def test_people_of_different_events_are_refused(admin: Client, people: list[Face], other_event: Event) -> None:
    stranger = person(other_event, 0)
    assert "must be of the same event" in post(admin, "hide", people[0], stranger)
    assert "must be of the same event" in post(admin, "not_same", people[0], stranger)
    assert "different events cannot be merged" in post(admin, "merge", people[0], stranger)
    assert not Decision.objects.exists()


def test_a_merge_is_asked_for_first(admin: Client, people: list[Face]) -> None:
    ada, ben, _ = people
    page = post(admin, "merge", ben, ada, hidden="all")
    assert not Decision.objects.exists()
    assert f"keeps the grab_id <code>{ada.grab_id}</code>" in page
    hidden = dict(re.findall(r'type="hidden" name="(next)" value="([^"]+)"', page))
    asked = re.findall(r'type="hidden" name="person" value="(\d+)"', page)
    assert [int(pk) for pk in asked] == keys(ada, ben)
    answer = admin.post("/admin/faces/face/merge/", {"person": asked, **hidden}, follow=True)
    assert answer.redirect_chain == [(f"{PEOPLE}?hidden=all", 302)]
    assert "Merged Ada (3 photos) and Ben (2 photos)." in answer.content.decode()
    assert Face.objects.with_grab_id(ben.grab_id).get() == ada
    assert ada.image_faces.count() == 5


def test_the_page_promises_the_grab_id_that_stays(admin: Client, event: Event) -> None:
    first, second = person(event, 0, 1), person(event, 50, 51)
    page = admin.get("/admin/faces/face/merge/", {"person": [second.pk, first.pk]}).content.decode()
    promised = re.findall(r"keeps the grab_id <code>([^<]+)</code>", page)
    admin.post("/admin/faces/face/merge/", {"person": [second.pk, first.pk]})
    assert [str(grab_id) for grab_id in Face.objects.values_list("grab_id", flat=True)] == promised


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ([], "Choose at least two"),
        ([0], "Choose at least two"),
        ([0, 0], "Choose at least two"),
        ([0, "x"], "Look again"),
        ([0, 10**9], "Look again"),
        ([0, 10**30], "Look again"),
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_merge_of_what_is_not_there(
    admin: Client, people: list[Face], chosen: list[object], sentence: str, method: str
) -> None:
    asked = [people[0].pk if each == 0 else each for each in chosen]
    answer = getattr(admin, method)("/admin/faces/face/merge/", {"person": asked}, follow=True)
    assert sentence in answer.content.decode()
    assert not Decision.objects.exists()


def test_a_merge_leads_to_no_other_site(admin: Client, people: list[Face]) -> None:
    data = {"person": keys(*people[:2]), "next": "https://elsewhere.example/"}
    answer = admin.post("/admin/faces/face/merge/", data)
    assert answer["Location"] == f"{PEOPLE}{people[0].pk}/change/"


def test_an_undo_goes_back_to_its_page(admin: Client, people: list[Face]) -> None:
    ada, *_ = people
    decision = corrections.hide([ada], User.objects.get(username="admin"))
    address = f"{PEOPLE}undo/{decision.pk}/"
    answer = admin.post(address, {"next": f"{PEOPLE}?hidden=yes"}, follow=True)
    assert answer.redirect_chain == [(f"{PEOPLE}?hidden=yes", 302)]
    assert "Undone: Hid Ada" in answer.content.decode()
    assert ada in Face.objects.visible()
    assert "This was undone before: Hid Ada" in admin.post(address, follow=True).content.decode()
    assert admin.post(address, {"next": "//elsewhere.example"})["Location"] == PEOPLE


def test_an_undo_that_cannot_be_done_is_said(admin: Client, people: list[Face]) -> None:
    ada, ben, nobody = people
    by = User.objects.get(username="admin")
    decision = corrections.split([ada.image_faces.earliest("pk")], by)
    new = Face.objects.exclude(pk__in=keys(ada, ben, nobody)).get()
    corrections.rename(new, "Cleo", by)
    page = admin.post(f"{PEOPLE}undo/{decision.pk}/", follow=True).content.decode()
    assert "was decided later and builds on this. Undo that first." in page
    decision.refresh_from_db()
    assert decision.undone_at is None


def test_an_undo_needs_a_post(admin: Client, people: list[Face]) -> None:
    decision = corrections.hide([people[0]], User.objects.get(username="admin"))
    assert admin.get(f"{PEOPLE}undo/{decision.pk}/").status_code == 405
    assert admin.post(f"{PEOPLE}undo/0/").status_code == 404


def addresses(people: list[Face]) -> list[str]:
    """Everything that needs more than a look."""
    decision = corrections.hide([people[2]], User.objects.create_user("somebody"))
    return [
        f"{PEOPLE}merge/?person={people[0].pk}&person={people[1].pk}",
        f"{PEOPLE}{people[0].pk}/candidates/",
        f"{PEOPLE}undo/{decision.pk}/",
    ]


def test_strangers_are_kept_out(client: Client, people: list[Face], member: User, staff: User) -> None:
    places = addresses(people)
    for user, status in ((None, 302), (member, 302), (staff, 403)):
        if user:
            client.force_login(user)
        assert {client.get(place).status_code for place in places} == {status}
        assert {client.post(place).status_code for place in [*places, PEOPLE]} == {status}
    assert not Decision.objects.exclude(undone_at=None).exists()
    assert Decision.objects.count() == 1


def test_who_may_only_look_sees_no_buttons_and_changes_nothing(client: Client, people: list[Face], staff: User) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_face"))
    client.force_login(staff)
    page = client.get(PEOPLE).content.decode()
    assert f"{PEOPLE}{people[0].pk}/change/" in page
    assert "_selected_action" not in page
    assert 'name="action"' not in page
    assert client.post(PEOPLE, {"action": "hide", "_selected_action": [people[0].pk]}).status_code == 403
    places = addresses(people)
    assert {client.get(place).status_code for place in places} == {403}
    assert {client.post(place).status_code for place in places} == {403}
    assert Decision.objects.count() == 1


def test_nobody_is_deleted_here(admin: Client, people: list[Face]) -> None:
    post(admin, "delete_selected", *people)
    assert admin.post(f"{PEOPLE}{people[0].pk}/delete/", {"post": "yes"}).status_code == 403
    assert Face.objects.count() == 3
