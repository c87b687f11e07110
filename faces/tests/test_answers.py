"""“That's me” and “Not me”: what an answer changes, for whom it counts, and how it is taken back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from faces import visitors
from faces.evidence import claims
from faces.models import Evidence, Face, ImageFace
from faces.questions import questions
from faces.tests.galleries import open_gallery
from faces.tests.people import add_person, faces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.contrib.auth.models import User
    from django.test import Client
    from django.test.client import _MonkeyPatchedWSGIResponse as Answered
    from pytest_django import DjangoAssertNumQueries

    from events.models import Event, Image
    from faces.models import Visitor

GALLERY = "/events/city-run/gallery/"
ANSWER = GALLERY + "answer/"


class Cast:
    """Ada is surely the visitor; Bob, in two photos, and Eve, in one, only may be."""

    def __init__(self, client: Client, event: Event) -> None:
        self.client, self.event = client, event
        self.ada, self.bob, self.eve = add_person(event, 0), add_person(event, 60, 61), add_person(event, 120)
        self.visitor = open_gallery(client, event, faces_of(self.ada), [faces_of(self.bob)[0], faces_of(self.eve)[0]])

    def say(self, asked: int, is_me: str) -> Answered:
        return self.client.post(ANSWER, {"asked": asked, "is_me": is_me})

    def again(self, kind: str) -> Answered:
        return self.client.post(ANSWER, {"again": kind})

    def shown(self) -> tuple[set[int], list[int]]:
        """Return the persons who are surely shown, and the witnesses of those who are asked about."""
        grant = visitors.grant_of(self.visitor)
        sure = set(Face.objects.filter(image_faces__in=grant.sure).values_list("pk", flat=True))
        return sure, [question.witness for question in questions(grant, grant.images())]

    def opens(self, image: Image) -> bool:
        """Tell whether the visitor may see the photo; it has no file, so that it is not there either way."""
        return visitors.grant_of(self.visitor).open_images().filter(pk=image.pk).exists()


@pytest.fixture
def cast(client: Client, event: Event) -> Cast:
    return Cast(client, event)


def witness(person: Face) -> int:
    return faces_of(person)[0]


def photo_of(person: Face) -> Image:
    return ImageFace.objects.filter(face=person)[0].image


def unite(event: Event, persons: Sequence[Face]) -> None:
    """Make one person of several, as a grouping does."""
    first, *others = persons
    ImageFace.objects.filter(face__in=others).update(face=first)
    event.faces.filter(pk__in=[other.pk for other in others]).delete()


def test_each_person_is_asked_about_once_with_their_photos(cast: Cast) -> None:
    grant = visitors.grant_of(cast.visitor)
    first, second = questions(grant, grant.images())
    assert (first.witness, len(first.images)) == (witness(cast.bob), 2)
    assert (second.witness, second.images) == (witness(cast.eve), [photo_of(cast.eve)])


def test_yes_makes_the_photos_sure_ones(cast: Cast) -> None:
    response = cast.say(witness(cast.bob), "yes")
    assert (response.status_code, response["Location"]) == (302, GALLERY + "#maybe")
    assert cast.shown() == ({cast.ada.pk, cast.bob.pk}, [witness(cast.eve)])
    page = cast.client.get(GALLERY).content.decode()
    assert "You are in 3 photos" in page
    assert "You said yes to 1" in page
    said = Evidence.objects.get()
    assert (said.asked_id, said.known_id, said.is_me) == (witness(cast.bob), witness(cast.ada), True)


def test_no_takes_the_photos_away(cast: Cast) -> None:
    cast.say(witness(cast.bob), "no")
    assert cast.shown() == ({cast.ada.pk}, [witness(cast.eve)])
    assert not cast.opens(photo_of(cast.bob))
    assert cast.opens(photo_of(cast.eve))
    page = cast.client.get(GALLERY).content.decode()
    assert "You said no to 1" in page
    assert f'name="asked" value="{witness(cast.bob)}"' not in page


@pytest.mark.parametrize("kind", ["yes", "no"])
def test_both_are_taken_back(cast: Cast, kind: str) -> None:
    other = {"yes": "no", "no": "yes"}[kind]
    cast.say(witness(cast.bob), kind)
    cast.say(witness(cast.eve), other)
    cast.again(kind)
    _, asked = cast.shown()
    assert asked == [witness(cast.bob)]
    assert Evidence.objects.get().asked_id == witness(cast.eve)


def test_a_second_answer_takes_the_place_of_the_first(cast: Cast) -> None:
    for said in ("yes", "no"):
        cast.say(witness(cast.bob), said)
    assert [said.is_me for said in Evidence.objects.all()] == [False]


class TestPersonsUnitedLater:
    def test_are_one_question(self, cast: Cast) -> None:
        unite(cast.event, [cast.bob, cast.eve])
        assert cast.shown() == ({cast.ada.pk}, [witness(cast.bob)])

    @pytest.mark.parametrize("said", ["yes", "no"])
    def test_need_one_answer(self, cast: Cast, said: str) -> None:
        cast.say(witness(cast.eve), said)
        unite(cast.event, [cast.bob, cast.eve])
        assert cast.shown()[1] == []
        assert cast.opens(photo_of(cast.bob)) == (said == "yes")

    def test_are_asked_about_again_where_the_answers_differ(self, cast: Cast) -> None:
        cast.say(witness(cast.bob), "yes")
        cast.say(witness(cast.eve), "no")
        unite(cast.event, [cast.bob, cast.eve])
        assert cast.shown() == ({cast.ada.pk}, [witness(cast.bob)])

    def test_count_once_for_staff(self, cast: Cast) -> None:
        cast.say(witness(cast.bob), "no")
        cast.say(witness(cast.eve), "yes")
        unite(cast.event, [cast.bob, cast.eve])
        cast.say(witness(cast.bob), "yes")
        (claim,) = claims(cast.event)
        assert (claim.same, claim.different) == (1, 0)

    def test_with_who_is_sure_are_sure(self, cast: Cast) -> None:
        cast.say(witness(cast.bob), "no")
        unite(cast.event, [cast.ada, cast.bob])
        assert cast.shown() == ({cast.ada.pk}, [witness(cast.eve)])
        assert "You said" not in cast.client.get(GALLERY).content.decode()


class TestNobodyIsAskedAbout:
    def test_who_is_hidden(self, cast: Cast) -> None:
        Face.objects.filter(pk=cast.bob.pk).update(hidden=True)
        assert cast.shown()[1] == [witness(cast.eve)]
        assert cast.say(witness(cast.bob), "yes").status_code == 404
        assert not cast.opens(photo_of(cast.bob))

    def test_who_is_gone(self, cast: Cast) -> None:
        asked = witness(cast.bob)
        photo_of(cast.bob).delete()
        assert cast.say(asked, "yes").status_code == 404
        assert not Evidence.objects.exists()

    def test_who_is_in_no_other_photos(self, client: Client, event: Event) -> None:
        ada = add_person(event, 0)
        beside = add_person(event, 60, images=[photo_of(ada)])
        visitor = open_gallery(client, event, faces_of(ada), faces_of(beside))
        grant = visitors.grant_of(visitor)
        assert questions(grant, grant.images()) == []
        assert "Maybe you" not in client.get(GALLERY).content.decode()


def test_yes_after_which_the_person_is_hidden_opens_nothing(cast: Cast) -> None:
    cast.say(witness(cast.bob), "yes")
    Face.objects.filter(pk=cast.bob.pk).update(hidden=True)
    assert not cast.opens(photo_of(cast.bob))
    assert "You said" not in cast.client.get(GALLERY).content.decode()


def test_what_is_known_is_a_face_that_is_still_there(cast: Cast) -> None:
    photo_of(cast.ada).delete()
    cast.say(witness(cast.bob), "yes")
    assert Evidence.objects.get().known_id is None
    cast.say(witness(cast.eve), "yes")
    assert Evidence.objects.latest("pk").known_id == witness(cast.bob)


class TestStrangers:
    def test_have_no_say(self, cast: Cast, client: Client) -> None:
        client.post(GALLERY)
        response = cast.say(witness(cast.bob), "yes")
        assert (response.status_code, response["Location"]) == (302, GALLERY)
        assert not Evidence.objects.exists()

    @pytest.mark.parametrize("user", ["member", "organiser", "staff"])
    def test_with_an_account_have_no_say(self, cast: Cast, user: str, request: pytest.FixtureRequest) -> None:
        cast.client.post(GALLERY)
        cast.client.force_login(request.getfixturevalue(user))
        cast.say(witness(cast.bob), "yes")
        assert not Evidence.objects.exists()

    def test_are_not_asked_about_others_persons(self, cast: Cast, client: Client) -> None:
        mallory = open_gallery(client, cast.event, [witness(cast.eve)], [])
        for asked in (witness(cast.ada), witness(cast.bob), 0, 10**30):
            assert cast.say(asked, "yes").status_code == 404
        assert visitors.grant_of(mallory).images().count() == 1

    def test_of_another_event_open_nothing(self, cast: Cast, other_event: Event) -> None:
        response = cast.client.post("/events/other-run/gallery/answer/", {"asked": witness(cast.bob), "is_me": "yes"})
        assert response["Location"] == "/events/other-run/gallery/"
        assert not Evidence.objects.exists()

    def test_need_the_token_against_forged_requests(self, cast: Cast) -> None:
        cast.client.handler.enforce_csrf_checks = True
        assert cast.say(witness(cast.bob), "yes").status_code == 403

    @pytest.mark.parametrize(
        "data",
        [
            {},
            {"asked": "x", "is_me": "yes"},
            {"asked": "9" * 5000, "is_me": "yes"},
            {"is_me": "yes"},
            {"again": "maybe"},
            {"asked": "1", "is_me": ""},
        ],
    )
    def test_with_nonsense_are_refused(self, cast: Cast, data: dict[str, str]) -> None:
        assert cast.client.post(ANSWER, data).status_code == 404

    def test_only_post(self, cast: Cast) -> None:
        assert cast.client.get(ANSWER).status_code == 405


def expire(visitor: Visitor) -> None:
    visitor.expires_at = timezone.now()
    visitor.save()


def test_after_the_gallery_has_expired_nothing_is_remembered(cast: Cast) -> None:
    expire(cast.visitor)
    assert cast.say(witness(cast.bob), "yes").status_code == 302
    assert not Evidence.objects.exists()


@pytest.mark.parametrize("access", ["draft", "over"])
def test_where_the_event_is_closed_nothing_is_remembered(cast: Cast, access: str) -> None:
    now = timezone.now()
    changed = {"access": "draft"} if access == "draft" else {"closes_at": now - timedelta(minutes=1)}
    type(cast.event).objects.filter(pk=cast.event.pk).update(**changed)
    assert cast.say(witness(cast.bob), "yes").status_code == {"draft": 404, "over": 403}[access]
    assert not Evidence.objects.exists()


class TestAskedFace:
    """The face that a question shows."""

    @pytest.fixture
    def address(self, run: Event, client: Client) -> str:
        _, green, blue = ImageFace.objects.filter(image__file_name="all.png").order_by("x")
        open_gallery(client, run, [blue.pk], [green.pk])
        return f"{GALLERY}asked/{green.pk}/"

    def test_is_shown_to_who_is_asked(self, client: Client, address: str) -> None:
        assert address in client.get(GALLERY).content.decode()
        response = client.get(address)
        assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
        assert response["Cache-Control"] == "private, max-age=3600"

    def test_is_not_for_strangers(self, client: Client, address: str, member: User) -> None:
        client.post(GALLERY)
        assert client.get(address).status_code == 404
        client.force_login(member)
        assert client.get(address).status_code == 404

    def test_is_not_for_another_visitor(self, client: Client, address: str, run: Event) -> None:
        blue = ImageFace.objects.filter(image__file_name="all.png").latest("x")
        open_gallery(client, run, [blue.pk], [])
        assert client.get(address).status_code == 404
        assert client.get(f"{GALLERY}asked/{blue.pk}/").status_code == 404  # sure ones are not asked about

    def test_is_gone_after_the_answer(self, client: Client, address: str, run: Event) -> None:
        asked = address.split("/")[-2]
        client.post(ANSWER, {"asked": asked, "is_me": "no"})
        assert client.get(address).status_code == 404

    def test_is_not_there_where_the_event_is_a_draft(self, client: Client, address: str, run: Event) -> None:
        run.access = run.Access.DRAFT
        run.save()
        assert client.get(address).status_code == 404


@pytest.mark.parametrize("more", [0, 4])
def test_takes_six_queries_whatever_is_asked(
    client: Client, event: Event, more: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cast = Cast(client, event)
    others = [add_person(event, 130 + number, 131 + number) for number in range(more)]
    open_gallery(client, event, faces_of(cast.ada), [witness(each) for each in (cast.bob, cast.eve, *others)])
    with django_assert_num_queries(6):  # session, event, visitor, witnesses with answers, photos, photos that may be
        client.get(GALLERY)
