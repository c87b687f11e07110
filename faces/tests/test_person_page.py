"""A person's page in admin: every face, the most doubtful first, and what can be done about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from faces import corrections
from faces.admin import person_page
from faces.models import Decision, Face, FaceAlias, ImageFace
from faces.persons import refresh
from faces.tests.test_corrections import person

if TYPE_CHECKING:
    from collections.abc import Callable

    from events.models import Event

PEOPLE = "/admin/faces/face/"


@pytest.fixture
def ada(event: Event) -> Face:
    """A person of four faces, the third of which is somewhat different."""
    found = person(event, 0, 2, 40, 1, name="Ada")
    refresh(event, [found.pk])
    found.refresh_from_db()
    return found


@pytest.fixture
def ben(event: Event) -> Face:
    found = person(event, 90, 92, name="Ben")
    refresh(event, [found.pk])
    return found


def address(person: Face) -> str:
    return f"{PEOPLE}{person.pk}/change/"


def look(client: Client, person: Face, **query: str) -> str:
    return client.get(address(person), query).content.decode()


def act(client: Client, person: Face, action: str, *faces: ImageFace, **data: object) -> str:
    sent = {"action": action, "face": [face.pk for face in faces], **data}
    return client.post(address(person), sent, follow=True).content.decode()


def faces_of(person: Face) -> list[ImageFace]:
    return list(person.image_faces.order_by("pk"))


def shown(page: str) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="face" value="(\d+)"', page)]


def test_every_face_is_there_most_doubtful_first(admin: Client, ada: Face) -> None:
    one, other, odd, middle = faces_of(ada)
    page = look(admin, ada)
    assert shown(page)[0] == odd.pk
    assert set(shown(page)) == {face.pk for face in (one, other, odd, middle)}
    for face in faces_of(ada):
        assert f"{PEOPLE}crop/{face.pk}.jpg" in page
        assert f"/admin/events/image/{face.image_id}/change/" in page
        assert f"/photos/{face.image.image_id}/thumbnail/" in page
    percentages = [int(each) for each in re.findall(r"<strong>(\d+) %", page)]
    assert percentages == sorted(percentages)
    assert len(percentages) == 4
    assert page.count(">Cover</span>") == 1


def test_a_doubtful_face_is_marked(admin: Client, ada: Face, event: Event) -> None:
    event.join_distance = 0.2
    event.save()
    assert re.findall(r"<strong>\d+ % doubtful", look(admin, ada)) != []
    event.join_distance = 0.9
    event.save()
    assert re.findall(r"<strong>\d+ % doubtful", look(admin, ada)) == []


def test_the_page_says_who_it_is(admin: Client, ada: Face) -> None:
    alias = FaceAlias.objects.create(grab_id="7d7f2ad4-7d4c-4a2e-9a51-54c1ecb24b1e", face=ada)
    page = look(admin, ada)
    for text in (ada.grab_id, alias.grab_id, "City Run", 'value="Ada"', "may find this person"):
        assert str(text) in page
    Face.objects.update(hidden=True)
    assert "no visitor finds this person" in look(admin, ada)


def test_faces_and_photos_come_in_pages(admin: Client, ada: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(person_page, "PER_PAGE", 3)
    first, last = look(admin, ada), look(admin, ada, p="2")
    assert (len(shown(first)), len(shown(last))) == (3, 1)
    assert {*shown(first), *shown(last)} == {face.pk for face in faces_of(ada)}
    assert "Page 1 of 2" in first
    assert shown(look(admin, ada, p="x")) == shown(first)


def test_the_number_of_queries_does_not_grow(
    admin: Client, event: Event, ada: Face, ben: Face, django_assert_num_queries: Callable[..., object]
) -> None:
    look(admin, ada)
    for _ in range(2):
        with django_assert_num_queries(16):  # type: ignore[attr-defined]
            look(admin, ada)
        other = person(event, 3, 4, 30, 5)
        refresh(event, [other.pk])
        corrections.merge(event, [ada, other], User.objects.get())
        person(event, 100)


def test_a_person_without_a_centroid_is_shown(admin: Client, event: Event) -> None:
    found = person(event, 0, 2)
    assert len(shown(look(admin, found))) == 2


def test_a_name_is_given_and_taken(admin: Client, ada: Face) -> None:
    page = act(admin, ada, "rename", name=" Ada  Lovelace ")
    ada.refresh_from_db()
    assert ada.name == "Ada Lovelace"
    assert "Undo</button>" in page
    decision = Decision.objects.get()
    assert (decision.kind, decision.made_by) == (Decision.Kind.NAME, User.objects.get())
    admin.post(address(ada), {"name": "\0Grace\0"})
    ada.refresh_from_db()
    assert ada.name == "Grace"
    assert "name of at most 120" in act(admin, ada, "rename", name="x" * 121)


def test_a_request_without_a_name_takes_none_away(admin: Client, ada: Face) -> None:
    admin.post(address(ada))
    ada.refresh_from_db()
    assert ada.name == "Ada"


def test_a_name_is_no_markup(admin: Client, ada: Face) -> None:
    page = act(admin, ada, "rename", name="<i>Ada</i>")
    assert page.count("&lt;i&gt;Ada&lt;/i&gt;") >= 4
    assert "<i>Ada" not in page
    assert "<i>Ada" not in admin.get(PEOPLE).content.decode()


def test_a_person_is_hidden_and_shown(admin: Client, ada: Face) -> None:
    act(admin, ada, "hide")
    assert not Face.objects.visible().exists()
    assert "Showed Ada again" in act(admin, ada, "show")
    assert Face.objects.visible().exists()


def test_faces_are_split_off(admin: Client, ada: Face) -> None:
    one, _, odd, _ = faces_of(ada)
    page = act(admin, ada, "split", one, odd)
    new = Face.objects.exclude(pk=ada.pk).get()
    assert {face.pk for face in faces_of(new)} == {one.pk, odd.pk}
    assert "Split 2 faces off Ada." in page
    assert f'<a href="{address(new)}">See {str(new.grab_id)[:8]}</a>' in page


def test_faces_are_removed_and_a_grouping_asked_for(admin: Client, ada: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Event] = []
    monkeypatch.setattr(person_page, "request_grouping", asked.append)
    odd = faces_of(ada)[2]
    assert "Removed 1 face from Ada" in act(admin, ada, "remove", odd)
    odd.refresh_from_db()
    assert odd.face is None
    assert asked == [ada.event]


def test_a_removal_that_fails_asks_for_no_grouping(admin: Client, ada: Face, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Event] = []
    monkeypatch.setattr(person_page, "request_grouping", asked.append)
    assert "Leave some" in act(admin, ada, "remove", *faces_of(ada))
    assert asked == []


def test_a_cover_is_chosen(admin: Client, ada: Face) -> None:
    cover = next(face for face in faces_of(ada) if face.pk != ada.cover_id)
    act(admin, ada, "cover", cover)
    ada.refresh_from_db()
    assert (ada.cover_id, ada.cover_chosen) == (cover.pk, True)


def test_one_face_only_becomes_the_cover(admin: Client, ada: Face) -> None:
    assert "Choose one face only" in act(admin, ada, "cover", *faces_of(ada)[:2])
    assert not Decision.objects.exists()


def test_faces_are_moved_to_another_person(admin: Client, ada: Face, ben: Face) -> None:
    odd = faces_of(ada)[2]
    page = act(admin, ada, "move", odd, to=ben.pk)
    assert odd in faces_of(ben)
    assert f'<a href="{address(ben)}">See Ben</a>' in page


def test_when_all_faces_have_moved_the_other_person_is_shown(admin: Client, ada: Face, ben: Face) -> None:
    data = {"action": "move", "face": [face.pk for face in faces_of(ada)], "to": ben.pk}
    assert admin.post(address(ada), data)["Location"] == address(ben)
    assert not Face.objects.filter(pk=ada.pk).exists()


def test_a_merge_is_asked_for_first(admin: Client, ada: Face, ben: Face) -> None:
    page = act(admin, ada, "merge", to=ben.pk)
    assert f"keeps the grab_id <code>{ada.grab_id}</code>" in page
    assert Face.objects.count() == 2
    answer = admin.post(f"{PEOPLE}merge/", {"person": [ada.pk, ben.pk]})
    assert answer["Location"] == address(ada)
    assert Face.objects.get() == ada


@pytest.mark.parametrize(
    ("action", "sentence"),
    [
        ("split", "Choose at least one face first."),
        ("remove", "Choose at least one face first."),
        ("cover", "Choose at least one face first."),
        ("move", "Choose at least one face first."),
        ("merge", "Choose another person first."),
        ("explode", "There is no such action."),
        ("show", "Visible already."),
    ],
)
def test_nothing_chosen(admin: Client, ada: Face, action: str, sentence: str) -> None:
    assert sentence in act(admin, ada, action)
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", ["split", "remove", "cover", "move"])
def test_only_faces_of_the_person_can_be_chosen(admin: Client, ada: Face, ben: Face, action: str) -> None:
    page = act(admin, ada, action, faces_of(ben)[0], faces_of(ada)[0], to=ben.pk)
    assert "is not this person&#x27;s any more" in page
    for value in ("x", "10" * 20):
        answer = admin.post(address(ada), {"action": action, "face": value}, follow=True)
        assert "Look again" in answer.content.decode()
    assert not Decision.objects.exists()


@pytest.mark.parametrize("action", ["move", "merge"])
def test_the_other_person_is_another_one_of_the_event(
    admin: Client, ada: Face, other_event: Event, action: str
) -> None:
    stranger = person(other_event, 0)
    face = faces_of(ada)[0]
    assert "Choose another person first." in act(admin, ada, action, face)
    for to in (ada.pk, stranger.pk, 0, "x", "10" * 20):
        assert "not there any more" in act(admin, ada, action, face, to=to)
    assert not Decision.objects.exists()


def test_the_most_similar_persons_are_offered(admin: Client, event: Event, ada: Face, other_event: Event) -> None:
    far, near = person(event, 120), person(event, 60)
    person(other_event, 0)
    offered = re.findall(r'name="to" value="(\d+)"', look(admin, ada))
    assert [int(pk) for pk in offered] == [near.pk, far.pk]
    found = admin.get(f"{PEOPLE}{ada.pk}/candidates/").content.decode()
    assert re.findall(r'name="to" value="(\d+)"', found) == offered


def test_another_person_is_searched_for(admin: Client, event: Event, ada: Face, ben: Face, other_event: Event) -> None:
    person(other_event, 0, name="Ben")
    person(event, 3)
    for term in ("be", str(ben.grab_id), str(ben.grab_id)[:8], " Ben "):
        found = admin.get(f"{PEOPLE}{ada.pk}/candidates/", {"q": term}).content.decode()
        assert re.findall(r'name="to" value="(\d+)"', found) == [str(ben.pk)]
    for term in ("Ada", "B\0\0en x"):
        assert "Nobody found." in admin.get(f"{PEOPLE}{ada.pk}/candidates/", {"q": term}).content.decode()


def test_what_was_decided_is_listed_and_undone(admin: Client, ada: Face, ben: Face) -> None:
    act(admin, ada, "rename", name="Ada L")
    act(admin, ada, "hide")
    act(admin, ben, "rename", name="Benjamin")
    act(admin, ada, "split", faces_of(ada)[2])
    page = look(admin, ada)
    listed = page[page.index('id="decisions"') :]
    summaries = [each.summary for each in Decision.objects.exclude(summary__contains="Benjamin")]
    places = [listed.index(f"<strong>{summary}</strong>") for summary in summaries]
    assert places == sorted(places)
    assert len(places) == 3
    assert "Benjamin" not in listed
    assert listed.count("admin, <time") == listed.count("Undo</button>") == 3
    split = Decision.objects.get(kind=Decision.Kind.SPLIT)
    answer = admin.post(f"{PEOPLE}undo/{split.pk}/", {"next": address(ada)}, follow=True)
    assert answer.redirect_chain == [(address(ada), 302)]
    assert ada.image_faces.count() == 4
    undone = answer.content.decode()
    undone = undone[undone.index('id="decisions"') :]
    assert "undone by admin" in undone
    assert undone.count("Undo</button>") == 2


def test_a_person_who_is_gone(admin: Client, ada: Face) -> None:
    answer = admin.get(f"{PEOPLE}0/change/", follow=True)
    assert answer.redirect_chain == [(PEOPLE, 302)]
    assert "not there any more" in answer.content.decode()
    assert admin.post(f"{PEOPLE}x/change/", {"action": "hide"})["Location"] == PEOPLE


def test_strangers_are_kept_out(client: Client, ada: Face, member: User, staff: User) -> None:
    for user, status in ((None, 302), (member, 302), (staff, 403)):
        if user:
            client.force_login(user)
        assert client.get(address(ada)).status_code == status
        assert client.post(address(ada), {"action": "hide"}).status_code == status
    assert not Decision.objects.exists()


def test_who_may_only_look_sees_no_buttons_and_changes_nothing(
    client: Client, ada: Face, ben: Face, staff: User
) -> None:
    corrections.hide([ada], User.objects.create_user("somebody"))
    staff.user_permissions.add(Permission.objects.get(codename="view_face"))
    client.force_login(staff)
    page = look(client, ada)
    assert page.count(f"{PEOPLE}crop/") >= 4
    assert "somebody, <time" in page
    for control in ('name="face"', 'name="action"', 'name="to"', 'id="name"', "Undo</button>"):
        assert control not in page
    for action in ("rename", "hide", "show", "split", "move", "remove", "cover", "merge"):
        assert client.post(address(ada), {"action": action, "face": faces_of(ada)[0].pk}).status_code == 403
    assert Decision.objects.count() == 1


def test_a_change_needs_the_token(ada: Face) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("admin"))
    decision = corrections.hide([ada], User.objects.get())
    for place in (address(ada), PEOPLE, f"{PEOPLE}merge/", f"{PEOPLE}undo/{decision.pk}/"):
        assert client.post(place, {"action": "show"}).status_code == 403
    ada.refresh_from_db()
    assert ada.hidden
