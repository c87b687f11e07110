"""What a token grants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.core import signing

from events.models import Event
from faces.gallery import SALT, Grant, Tier
from faces.models import Face, ImageFace
from faces.search import Found, Match

if TYPE_CHECKING:
    from pytest_django.fixtures import Settings


def grant_for(event: Event, photo: str) -> Grant:
    """A grant for the leftmost person of a photo."""
    return Grant(event.pk, sure=(leftmost(photo).pk,))


def leftmost(photo: str) -> ImageFace:
    return ImageFace.objects.filter(image__file_name=photo).order_by("x")[0]


def file_names(grant: Grant) -> list[str]:
    return [image.file_name for image in grant.images()]


def test_a_token_says_what_it_grants(run: Event) -> None:
    grant = grant_for(run, "red.png")
    assert Grant.from_token(grant.to_token()) == grant


def test_a_token_of_before_the_seals_grants_nothing(run: Event) -> None:
    old = signing.dumps([run.pk, [leftmost("red.png").pk], []], salt="grabpic.gallery.tiers")
    assert Grant.from_token(old) is None


def test_another_code_ends_a_token_and_another_way_to_write_it_does_not(run: Event) -> None:
    without = grant_for(run, "red.png").to_token()
    Event.objects.update(access=Event.Access.CODE, access_code="ABCD-2345")
    assert Grant.from_token(without) is None
    token = grant_for(run, "red.png").to_token()
    Event.objects.update(access_code="abcd2345")
    assert Grant.from_token(token)
    Event.objects.update(access_code="WXYZ-2345")
    assert Grant.from_token(token) is None
    Event.objects.update(access=Event.Access.SELFIE)
    assert Grant.from_token(token)


def test_a_token_tells_nobody_the_code(run: Event) -> None:
    Event.objects.update(access=Event.Access.CODE, access_code="ABCD-2345")
    token = grant_for(run, "red.png").to_token()
    assert "ABCD2345" not in str(signing.loads(token, salt=SALT)).upper()


def test_a_token_of_an_event_that_is_gone_grants_nothing(run: Event) -> None:
    token = grant_for(run, "red.png").to_token()
    run.delete()
    assert Grant.from_token(token) is None


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c", "bnVsbA:1uX:xyz"])
def test_a_forged_token_grants_nothing(token: str) -> None:
    assert Grant.from_token(token) is None


def test_a_changed_token_grants_nothing(run: Event) -> None:
    token = grant_for(run, "red.png").to_token()
    assert Grant.from_token(("a" if token[0] != "a" else "b") + token[1:]) is None


def test_a_token_of_another_secret_grants_nothing(run: Event, settings: Settings) -> None:
    token = grant_for(run, "red.png").to_token()
    settings.SECRET_KEY = "another"
    assert Grant.from_token(token) is None


def test_a_token_expires(run: Event, settings: Settings) -> None:
    token = grant_for(run, "red.png").to_token()
    settings.GALLERY_TOKEN_HOURS = 0
    assert Grant.from_token(token) is None


def test_images_are_those_of_the_person(run: Event) -> None:
    assert file_names(grant_for(run, "red.png")) == ["red.png", "red-green.png", "all.png"]


def test_when_two_persons_are_united_the_token_opens_both(run: Event) -> None:
    grant = grant_for(run, "red.png")
    blue = ImageFace.objects.filter(image__file_name="all.png").order_by("-x")[0]
    ImageFace.objects.filter(face=leftmost("red.png").face).update(face=blue.face)
    run.faces.filter(image_faces=None).delete()
    assert file_names(grant) == ["red.png", "red-green.png", "all.png"]


def test_when_a_person_is_parted_the_token_stays_with_whom_the_selfie_showed(run: Event) -> None:
    grant = grant_for(run, "red.png")
    person = leftmost("red.png").face
    assert person
    part = Face.objects.create(event=run, engine="fake", embedding=person.embedding)
    ImageFace.objects.filter(pk=leftmost("red.png").pk).update(face=part)
    assert file_names(grant) == ["red.png"]


def test_a_photo_that_shows_two_granted_persons_is_listed_once(run: Event) -> None:
    everyone = Grant(run.pk, sure=tuple(ImageFace.objects.values_list("pk", flat=True)))
    assert everyone.images().count() == 3


def test_an_event_taken_back_to_draft_closes_its_galleries(run: Event) -> None:
    grant = grant_for(run, "red.png")
    Event.objects.update(access=Event.Access.DRAFT)
    assert not grant.images().exists()


def test_a_grant_is_for_one_event(run: Event, other_event: Event) -> None:
    grant = grant_for(run, "red.png")
    assert not Grant(other_event.pk, grant.sure).images().exists()


class TestMaybe:
    """Red is sure, in three photos; green may be, in two of those; blue may be, in one."""

    @pytest.fixture
    def grant(self, run: Event) -> Grant:
        _, green, blue = ImageFace.objects.filter(image__file_name="all.png").order_by("x")
        return Grant(run.pk, sure=(leftmost("red.png").pk,), maybe=(green.pk, blue.pk))

    def test_is_granted_where_it_is_asked_for_alone(self, run: Event, grant: Grant) -> None:
        sure, maybe = (
            [Found(Face.objects.get(image_faces=witness), witness, 1, 1) for witness in witnesses]
            for witnesses in (grant.sure, grant.maybe)
        )
        match = Match(sure, maybe)
        assert Grant.from_match(run, match) == grant
        assert Grant.from_match(run, match, maybe=False) == Grant(run.pk, grant.sure)

    def test_a_token_keeps_the_tiers_apart(self, grant: Grant) -> None:
        assert Grant.from_token(grant.to_token()) == grant

    def test_persons_of_each_tier(self, grant: Grant) -> None:
        sure, maybe = set(grant.persons(Tier.SURE)), set(grant.persons(Tier.MAYBE))
        assert sure == {leftmost("red.png").face}
        assert len(maybe) == 2
        assert set(grant.persons()) == sure | maybe

    def test_photos_that_are_sure_are_not_maybe(self, grant: Grant) -> None:
        assert file_names(grant) == ["red.png", "red-green.png", "all.png"]
        assert not grant.maybe_images().exists()

    def test_photos_that_may_be_are_opened_too(self, run: Event, grant: Grant) -> None:
        unsure = Grant(run.pk, maybe=grant.maybe)
        assert not unsure.images().exists()
        assert [image.file_name for image in unsure.maybe_images()] == ["red-green.png", "all.png"]
        assert [image.file_name for image in unsure.open_images()] == ["red-green.png", "all.png"]

    def test_who_turned_out_to_be_the_sure_person_is_not_shown_twice(self, run: Event, grant: Grant) -> None:
        ImageFace.objects.update(face=leftmost("red.png").face)
        assert grant.images().count() == 3
        assert not grant.maybe_images().exists()

    def test_hiding_a_person_closes_their_photos(self, run: Event, grant: Grant) -> None:
        grant.persons(Tier.SURE).update(hidden=True)
        assert not grant.images().exists()
        assert [image.file_name for image in grant.open_images()] == ["red-green.png", "all.png"]
        run.faces.update(hidden=True)
        assert not grant.open_images().exists()

    def test_a_draft_is_closed(self, grant: Grant) -> None:
        Event.objects.update(access=Event.Access.DRAFT)
        assert not grant.open_images().exists()

    def test_it_is_for_one_event(self, other_event: Event, grant: Grant) -> None:
        assert not Grant(other_event.pk, grant.sure, grant.maybe).open_images().exists()
