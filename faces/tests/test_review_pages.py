"""The pages of the review queues: who may look and decide, every answer, and its undo."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User

from conftest import new_key
from faces import corrections
from faces.admin.reviews import MOST_CARDS
from faces.models import Decision
from faces.tests.people import add_person, faces_of, photo

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client

    from events.models import Event

MERGES, SUSPICIOUS = "/admin/faces/decision/merges/", "/admin/faces/decision/suspicious/"
JSON = {"Accept": "application/json"}


@pytest.fixture(autouse=True)
def distance(event: Event) -> None:
    """One group up to a cosine distance of 0.54 (62.6 degrees), a question up to 0.648 (69.4 degrees)."""
    event.group_distance = 0.54
    event.save()


@pytest.fixture
def looker(client: Client, staff: User) -> Client:
    """Staff who may view people only."""
    return allowed(client, staff, "view_face")


@pytest.fixture
def decider(client: Client, staff: User) -> Client:
    """Staff who may correct who is who."""
    return allowed(client, staff, "view_face", "change_face")


@pytest.fixture
def pair(event: Event) -> str:
    """The key of a question: two persons who may be one."""
    return "-".join(str(add_person(event, angle).cover_id) for angle in (0, 66))


@pytest.fixture
def mixed(event: Event) -> tuple[str, list[int]]:
    """The key of a question, a person who may be two people, and the keys of the faces."""
    person = add_person(event, 180, 180, 180, 241, 241)
    faces = faces_of(person)
    return str(faces[0]), faces


def allowed(client: Client, user: User, *permissions: str) -> Client:
    user.user_permissions.add(*Permission.objects.filter(codename__in=permissions))
    client.force_login(user)
    return client


def keys(page: Any) -> list[str]:
    found = re.search(r'<script id="keys"[^>]*>(.*?)</script>', page.content.decode())
    return re.findall(r"[\d-]+", found[1]) if found else []


def shown(page: Any) -> list[str]:
    return re.findall(r'data-key="([\d-]+)"', page.content.decode())


def send(client: Client, url: str, **data: Any) -> Any:
    return client.post(f"{url}?event=city-run", data, headers=JSON)


@pytest.mark.parametrize("url", [MERGES, SUSPICIOUS])
class TestStrangers:
    def test_anonymous_visitors_and_members_log_in_first(
        self, client: Client, event: Event, member: User, pair: str, url: str
    ) -> None:
        for _ in range(2):
            for answer in (client.get(f"{url}?event=city-run"), send(client, url, key=pair, answer="same")):
                assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/admin/login/")
            client.force_login(member)
        assert not Decision.objects.exists()

    def test_staff_without_a_permission_are_refused(
        self, client: Client, event: Event, staff: User, pair: str, url: str
    ) -> None:
        allowed(client, staff, "view_decision", "view_event")
        assert client.get(f"{url}?event=city-run").status_code == 403
        assert client.get(url).status_code == 403
        assert send(client, url, key=pair, answer="same").status_code == 403
        assert not Decision.objects.exists()

    def test_who_may_view_sees_the_question_and_decides_nothing(
        self, looker: Client, event: Event, pair: str, mixed: tuple[str, list[int]], url: str
    ) -> None:
        page = looker.get(f"{url}?event=city-run")
        assert len(shown(page)) == 1
        assert "You may look, but not decide" in page.content.decode()
        assert 'name="answer"' not in page.content.decode()
        for data in ({"answer": "same"}, {"answer": "right"}, {"answer": "later"}, {"undo": ""}):
            assert send(looker, url, key=shown(page)[0], **data).status_code == 403
        assert not Decision.objects.exists()

    def test_an_api_key_opens_nothing(self, client: Client, event: Event, url: str) -> None:
        key = new_key("camera")
        answer = client.get(f"{url}?event=city-run", headers={"Authorization": f"Api-Key {key}"})
        assert answer.status_code == 302


@pytest.mark.parametrize("url", [MERGES, SUSPICIOUS])
class TestEvents:
    def test_without_an_event_there_is_a_choice(
        self, decider: Client, event: Event, other_event: Event, url: str
    ) -> None:
        page = decider.get(url).content.decode()
        assert f'<a href="{url}?event=city-run">City Run</a>' in page
        assert f'<a href="{url}?event=other-run">Other Run</a>' in page
        assert decider.post(url, {"answer": "same"}).status_code == 400

    def test_an_event_is_named_by_slug_or_primary_key(self, decider: Client, event: Event, url: str) -> None:
        for named in (event.pk, event.slug):
            assert "City Run" in decider.get(url, {"event": named}).content.decode()
        for named in ("nowhere", "999999", "9" * 30, "'", "\0"):
            assert decider.get(url, {"event": named}).status_code == 404

    def test_the_slug_of_an_event_may_be_a_number(self, decider: Client, event: Event, url: str) -> None:
        event.slug = "2026"
        event.save()
        assert "City Run" in decider.get(url, {"event": "2026"}).content.decode()

    def test_without_questions_the_page_says_so(self, decider: Client, other_event: Event, url: str) -> None:
        page = decider.get(url, {"event": "other-run"})
        assert keys(page) == shown(page) == []
        assert "Nothing more to ask for now." in page.content.decode()

    def test_questions_of_another_event_cannot_be_answered(
        self, decider: Client, other_event: Event, pair: str, mixed: tuple[str, list[int]], url: str
    ) -> None:
        key, answer = (pair, "same") if url == MERGES else (mixed[0], "right")
        refused = decider.post(f"{url}?event=other-run", {"key": key, "answer": answer}, headers=JSON)
        assert (refused.status_code, refused.json()["code"]) == (409, "gone")
        assert not Decision.objects.exists()


class TestMerges:
    def test_a_pair_is_shown_side_by_side(self, decider: Client, event: Event, pair: str) -> None:
        event.faces.filter(cover_id=int(pair.split("-")[0])).update(name="Ada <i>")
        page = decider.get(f"{MERGES}?event=city-run")
        assert keys(page) == shown(page) == [pair]
        text = page.content.decode()
        assert "Ada &lt;i&gt;" in text
        assert "Unnamed person" in text
        assert '<strong id="left">1</strong>' in text
        assert text.count('alt="Face"') == 2

    def test_same_makes_one_person_and_an_undo_two(self, decider: Client, event: Event, staff: User, pair: str) -> None:
        answer = send(decider, MERGES, key=pair, answer="same").json()
        decision = Decision.objects.get()
        assert (decision.kind, decision.made_by) == (Decision.Kind.MERGE, staff)
        assert answer == {"key": pair, "decision": decision.pk, "said": decision.summary}
        assert event.faces.count() == 1
        undone = send(decider, MERGES, key=pair, undo=decision.pk)
        assert undone.json() == {"key": pair, "decision": None, "said": f"Undone: {decision.summary}"}
        assert event.faces.count() == 2
        assert keys(decider.get(f"{MERGES}?event=city-run")) == [pair]

    def test_different_people_are_not_asked_about_again(self, decider: Client, event: Event, pair: str) -> None:
        send(decider, MERGES, key=pair, answer="different")
        assert Decision.objects.get().kind == Decision.Kind.NOT_SAME
        assert event.faces.count() == 2
        assert keys(decider.get(f"{MERGES}?event=city-run")) == []

    def test_what_is_put_off_comes_last(self, decider: Client, event: Event, pair: str) -> None:
        other = "-".join(str(add_person(event, angle).cover_id) for angle in (180, 248))
        assert keys(decider.get(f"{MERGES}?event=city-run")) == [pair, other]
        assert send(decider, MERGES, key=pair, answer="later").json()["decision"] is None
        assert not Decision.objects.exists()
        assert keys(decider.get(f"{MERGES}?event=city-run")) == [other, pair]
        send(decider, MERGES, key=pair, undo="")
        assert keys(decider.get(f"{MERGES}?event=city-run")) == [pair, other]

    def test_a_second_answer_is_refused(self, decider: Client, event: Event, pair: str) -> None:
        send(decider, MERGES, key=pair, answer="same")
        for answer, code in (("same", "one_already"), ("different", "gone")):
            refused = send(decider, MERGES, key=pair, answer=answer)
            assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert Decision.objects.count() == 1

    def test_a_second_undo_changes_nothing(self, decider: Client, event: Event, pair: str) -> None:
        decision = send(decider, MERGES, key=pair, answer="same").json()["decision"]
        for _ in range(2):
            assert send(decider, MERGES, key=pair, undo=decision).status_code == 200
        assert event.faces.count() == 2

    def test_a_pair_stays_a_question_when_one_of_them_is_united_with_a_third(
        self, decider: Client, event: Event, staff: User, pair: str
    ) -> None:
        left = event.faces.get(cover_id=int(pair.split("-")[0]))
        corrections.merge(event, [add_person(event, 0, 0), left], staff)
        assert not event.faces.filter(pk=left.pk).exists()
        assert send(decider, MERGES, key=pair, answer="same").status_code == 200
        assert event.faces.count() == 1

    def test_a_pair_that_vanished_is_left_out_and_refused(self, decider: Client, event: Event, pair: str) -> None:
        decider.get(f"{MERGES}?event=city-run")
        event.images.filter(faces__pk=pair.split("-")[0]).delete()
        assert shown(decider.get(f"{MERGES}?event=city-run&cards={pair}")) == []
        page = decider.get(f"{MERGES}?event=city-run&go=1")
        assert keys(page) == shown(page) == []
        refused = send(decider, MERGES, key=pair, answer="same")
        assert refused.json() == {
            "code": "gone",
            "detail": "This has changed meanwhile, and is not a question any more.",
        }

    def test_a_decision_of_another_event_is_not_undone(
        self, decider: Client, event: Event, other_event: Event, staff: User, pair: str
    ) -> None:
        decision = corrections.hide([add_person(other_event, 0)], staff)
        assert send(decider, MERGES, key=pair, undo=decision.pk).status_code == 404
        assert Decision.objects.live().exists()

    def test_an_undo_that_a_later_decision_forbids_is_told(
        self, decider: Client, event: Event, staff: User, pair: str
    ) -> None:
        decision = send(decider, MERGES, key=pair, answer="same").json()["decision"]
        third = add_person(event, 180)
        corrections.not_same(event.faces.exclude(pk=third.pk).get(), third, staff)
        answer = send(decider, MERGES, key=pair, undo=decision)
        assert answer.status_code in {200, 409}

    @pytest.mark.parametrize(
        "data",
        [
            {"answer": "maybe"},
            {"answer": "right"},
            {"answer": ""},
            {},
            {"answer": "same", "key": "x"},
            {"answer": "same", "key": ""},
            {"answer": "same", "key": "1-2-3"},
            {"answer": "same", "key": "9" * 30},
            {"answer": "same", "faces": "x"},
            {"undo": "", "key": ""},
        ],
    )
    def test_wrong_input_is_refused(self, decider: Client, event: Event, pair: str, data: dict[str, str]) -> None:
        assert send(decider, MERGES, **{"key": pair, **data}).status_code == 400
        assert not Decision.objects.exists()

    @pytest.mark.parametrize("key", ["", "x", "1-", "1,,2", "9" * 40])
    def test_wrong_keys_of_cards_are_refused(self, decider: Client, event: Event, key: str) -> None:
        assert decider.get(MERGES, {"event": "city-run", "cards": key}).status_code == 400

    @pytest.mark.parametrize("undo", ["x", "-1", "999999", "9" * 30])
    def test_decisions_that_do_not_exist_are_not_undone(
        self, decider: Client, event: Event, pair: str, undo: str
    ) -> None:
        assert send(decider, MERGES, key=pair, undo=undo).status_code == 404

    def test_cards_are_fetched_ahead(self, decider: Client, event: Event, pair: str) -> None:
        other = "-".join(str(add_person(event, angle).cover_id) for angle in (180, 248))
        page = decider.get(MERGES, {"event": "city-run", "cards": f"{pair},{other}"})
        assert shown(page) == [pair, other]
        assert "<html" not in page.content.decode()
        many = ",".join([f"{pk}-{pk}" for pk in range(10**9, 10**9 + MOST_CARDS)] + [pair])
        assert shown(decider.get(MERGES, {"event": "city-run", "cards": many})) == []

    def test_the_plain_form_goes_on_with_the_next_question(self, decider: Client, event: Event, pair: str) -> None:
        other = "-".join(str(add_person(event, angle).cover_id) for angle in (180, 248))
        decider.get(f"{MERGES}?event=city-run")
        page = decider.post(f"{MERGES}?event=city-run", {"key": pair, "answer": "same"}, follow=True)
        assert page.redirect_chain == [(f"{MERGES}?event=city-run&go=1", 302)]
        assert keys(page) == shown(page) == [other]
        decision = Decision.objects.get()
        assert decision.summary in page.content.decode()
        assert f'name="undo" value="{decision.pk}"' in page.content.decode()
        page = decider.post(f"{MERGES}?event=city-run", {"key": pair, "undo": decision.pk}, follow=True)
        assert keys(page) == [pair, other]
        assert shown(page) == [pair]

    def test_the_plain_form_tells_what_cannot_be_done(self, decider: Client, event: Event, pair: str) -> None:
        event.images.all().delete()
        page = decider.post(f"{MERGES}?event=city-run", {"key": pair, "answer": "same"}, follow=True)
        assert "This has changed meanwhile" in page.content.decode()


class TestSuspicious:
    def test_a_group_is_shown_with_its_doubtful_faces_and_reason(
        self, decider: Client, event: Event, mixed: tuple[str, list[int]]
    ) -> None:
        key, faces = mixed
        page = decider.get(f"{SUSPICIOUS}?event=city-run")
        assert keys(page) == shown(page) == [key]
        text = page.content.decode()
        assert "Unlike the rest of the group" in text
        assert re.findall(r'name="faces" value="(\d+)" checked', text) == [str(pk) for pk in faces[3:]]
        assert text.count('alt="Typical face"') == 3

    def test_a_photo_that_shows_a_person_twice_has_both_boxes(self, decider: Client, event: Event) -> None:
        shared = photo(event)
        person = add_person(event, 0, 50, images=[shared, shared])
        person.image_faces.filter(pk=faces_of(person)[1]).update(x=30, y=10, width=15, height=20)
        text = decider.get(f"{SUSPICIOUS}?event=city-run").content.decode()
        assert "The same person twice in one photo" in text
        assert f"/photos/{shared.image_id}/preview/" in text
        assert '<rect x="50.000%" y="25.000%" width="25.000%" height="50.000%"/>' in text
        assert text.count("<rect ") == 2

    @pytest.mark.parametrize(("answer", "kind"), [("split", Decision.Kind.SPLIT), ("remove", Decision.Kind.REMOVE)])
    def test_the_chosen_faces_are_taken_out(
        self, decider: Client, event: Event, mixed: tuple[str, list[int]], answer: str, kind: str
    ) -> None:
        key, faces = mixed
        done = send(decider, SUSPICIOUS, key=key, answer=answer, faces=faces[3:]).json()
        decision = Decision.objects.get()
        assert (decision.kind, done["decision"]) == (kind, decision.pk)
        person = event.faces.order_by("pk")[0]
        assert faces_of(person) == faces[:3]
        assert keys(decider.get(f"{SUSPICIOUS}?event=city-run")) == []
        send(decider, SUSPICIOUS, key=key, undo=decision.pk)
        assert faces_of(person) == faces

    def test_all_right_is_kept_and_undone(self, decider: Client, event: Event, mixed: tuple[str, list[int]]) -> None:
        key, faces = mixed
        done = send(decider, SUSPICIOUS, key=key, answer="right").json()
        decision = Decision.objects.get()
        assert decision.kind == Decision.Kind.CONFIRM
        assert decision.faces.count() == len(faces)
        assert keys(decider.get(f"{SUSPICIOUS}?event=city-run")) == []
        send(decider, SUSPICIOUS, key=key, undo=done["decision"])
        assert keys(decider.get(f"{SUSPICIOUS}?event=city-run")) == [key]

    def test_faces_must_be_chosen_and_be_this_persons(
        self, decider: Client, event: Event, mixed: tuple[str, list[int]]
    ) -> None:
        key, faces = mixed
        other = add_person(event, 0)
        for chosen, code in (([], "nothing_chosen"), ([other.cover_id], "gone"), (faces, "nothing_left")):
            refused = send(decider, SUSPICIOUS, key=key, answer="split", faces=chosen)
            assert (refused.status_code, refused.json()["code"]) == (409, code)
        assert not Decision.objects.exists()

    def test_a_person_who_vanished_is_refused(
        self, decider: Client, event: Event, mixed: tuple[str, list[int]]
    ) -> None:
        event.images.all().delete()
        assert send(decider, SUSPICIOUS, key=mixed[0], answer="right").json()["code"] == "gone"
        assert shown(decider.get(SUSPICIOUS, {"event": "city-run", "cards": mixed[0]})) == []


@pytest.mark.parametrize(("url", "angles", "page", "cards"), [(MERGES, [0], 17, 9), (SUSPICIOUS, [0, 0, 61], 24, 13)])
def test_the_queries_are_as_many_for_many_people(
    decider: Client,
    event: Event,
    django_assert_num_queries: Callable[..., Any],
    url: str,
    angles: list[int],
    page: int,
    cards: int,
) -> None:
    for turn in range(5):
        add_person(event, *(angle + 66 * turn for angle in angles))
    found = keys(decider.get(f"{url}?event=city-run"))
    assert len(found) >= 4
    with django_assert_num_queries(page):
        decider.get(f"{url}?event=city-run")
    with django_assert_num_queries(cards):
        assert shown(decider.get(url, {"event": "city-run", "cards": ",".join(found)})) == found
