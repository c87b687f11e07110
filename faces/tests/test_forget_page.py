"""“Forget me”: a visitor's own things go, and on choice their faces; nobody else's."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from conftest import BLUE, GREEN, RED
from events.models import Event
from faces import consent, corrections, search
from faces.models import AuditEntry, Consent, Evidence, Face, ImageFace, Visitor
from faces.search import Match, NoMatch
from faces.tests.galleries import open_gallery
from faces.tests.test_privacy import person_at
from faces.views.session import CONSENTS_KEY

if TYPE_CHECKING:
    import io
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client

    Painter = Callable[..., io.BytesIO]

ADDRESS = "/events/city-run/forget/"
GALLERY = "/events/city-run/gallery/"


def take_selfie(client: Client, selfie: io.BytesIO, slug: str = "city-run") -> None:
    """Open the gallery as an attendee does."""
    answer = client.post(f"/events/{slug}/selfie/", {"consent": consent.VERSION, "file": selfie})
    assert answer.status_code == 303


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def choice(client: Client) -> dict[str, str]:
    """Return what the form sends where the box “Also delete my face” is ticked."""
    box = re.search(r'name="person" value="([^"]+)"', text(client.get(ADDRESS)))
    assert box
    return {"person": box[1]}


def test_the_page_says_what_goes_and_how_many_photos_the_choice_is_about(
    run: Event, client: Client, paint: Painter
) -> None:
    take_selfie(client, paint(RED))
    page = text(client.get(ADDRESS))
    assert "Also delete my face: the person in these 3 photos" in page
    assert "checked" not in page
    assert GALLERY in page


def test_the_visitor_is_forgotten_and_the_faces_stay(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    answer = client.post(ADDRESS)
    assert "You are forgotten" in text(answer)
    assert "Your face in the photos was not deleted." in text(answer)
    assert answer["Clear-Site-Data"] == '"cache"'
    assert "no-store" in answer["Cache-Control"]
    assert not Visitor.objects.exists()
    assert Consent.objects.get().withdrawn_at
    assert client.get(GALLERY).status_code == 302
    assert isinstance(search.find(run, paint(RED)), Match)
    entry = AuditEntry.objects.get(action="forgotten")
    assert (entry.actor, entry.grab_id, entry.detail) == ("visitor", None, "0 answers; no faces")


def test_on_choice_the_person_goes_from_the_event(run: Event, client: Client, paint: Painter) -> None:
    person = person_at("red.png", 0)
    take_selfie(client, paint(RED))
    answer = client.post(ADDRESS, choice(client))
    assert "your face in 3 photos" in text(answer)
    assert isinstance(search.find(run, paint(RED)), NoMatch)
    assert isinstance(search.find(run, paint(GREEN)), Match)
    assert AuditEntry.objects.get(action="erased").grab_id == person.grab_id


def test_a_page_about_the_one_before_erases_nobody(run: Event, client: Client, paint: Painter) -> None:
    """A shared phone: the first leaves the page open, the second takes a selfie in another tab."""
    take_selfie(client, paint(RED))
    of_the_first = choice(client)
    take_selfie(client, paint(GREEN))
    answer = client.post(ADDRESS, of_the_first)
    assert answer.status_code == 409
    assert "Nothing was deleted: another selfie was taken" in text(answer)
    assert "in these 2 photos" in text(answer)
    assert Visitor.objects.count() == 1
    assert Face.objects.count() == 3
    assert choice(client) != of_the_first
    client.post(ADDRESS, choice(client))
    assert isinstance(search.find(run, paint(GREEN)), NoMatch)
    assert isinstance(search.find(run, paint(RED)), Match)


def test_a_second_time_there_is_nothing_to_forget(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    client.post(ADDRESS, choice(client))
    for answer in (client.post(ADDRESS, {"person": "yes"}), client.get(ADDRESS)):
        assert answer.status_code == 200
        assert "Nothing of you is here" in text(answer)
    assert AuditEntry.objects.filter(action="forgotten").count() == 1


def test_other_sessions_of_the_same_person_die_with_the_faces(
    run: Event, client: Client, client_2: Client, paint: Painter
) -> None:
    take_selfie(client_2, paint(RED))
    take_selfie(client, paint(RED))
    client.post(ADDRESS)
    assert client_2.get(GALLERY).status_code == 200
    take_selfie(client, paint(RED))
    assert "1 other gallery that your face had opened" in text(client.post(ADDRESS, choice(client)))
    assert client_2.get(GALLERY).status_code == 302
    assert not Visitor.objects.exists()


def test_who_is_only_maybe_shown_is_never_erased_whatever_was_answered(run: Event, client: Client) -> None:
    witness = person_at("red.png", 0).image_faces.first()
    assert witness
    visitor = with_consent(client, open_gallery(client, run, maybe=[witness.pk]))
    Evidence.objects.create(event=run, visitor=visitor, asked=witness, is_me=True)
    run.contact = "photos@example.org"
    run.save()
    page = text(client.get(ADDRESS))
    assert "photos@example.org" in page
    assert 'name="person"' not in page
    answer = client.post(ADDRESS, {"person": "yes"})
    assert "1 answer" in text(answer)
    assert ImageFace.objects.count() == 6
    assert not Evidence.objects.exists()


def test_a_hidden_person_is_nobody_s_to_erase(run: Event, client: Client, staff: User, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    corrections.hide([person_at("red.png", 0)], staff)
    assert 'name="person"' not in text(client.get(ADDRESS))
    client.post(ADDRESS, {"person": "yes"})
    assert Face.objects.count() == 3


def test_who_has_only_the_link_deletes_no_faces(run: Event, client: Client) -> None:
    witness = person_at("red.png", 0).image_faces.first()
    assert witness
    open_gallery(client, run, sure=[witness.pk])
    assert "take a selfie on this device first" in text(client.get(ADDRESS))
    client.post(ADDRESS, {"person": "yes"})
    assert Face.objects.count() == 3
    assert not Visitor.objects.exists()


def test_a_selfie_of_ones_own_makes_no_face_of_a_link(
    run: Event, client: Client, client_2: Client, paint: Painter
) -> None:
    take_selfie(client, paint(RED))
    link = f"/events/city-run/my/{Visitor.objects.get().key}/"
    erasing = choice(client)
    take_selfie(client_2, paint(GREEN))
    client_2.get(link)
    assert "take a selfie on this device first" in text(client_2.get(ADDRESS))
    client_2.post(ADDRESS, erasing)
    assert Face.objects.count() == 3


def test_on_another_device_the_consent_is_taken_back_too(
    run: Event, client: Client, client_2: Client, paint: Painter
) -> None:
    take_selfie(client, paint(RED))
    client_2.get(f"/events/city-run/my/{Visitor.objects.get().key}/")
    client_2.post(ADDRESS)
    assert Consent.objects.get().withdrawn_at
    assert client.get(GALLERY).status_code == 302


def test_an_expired_gallery_is_deleted_too_but_no_face(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    Visitor.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    assert 'name="person"' not in text(client.get(ADDRESS))
    client.post(ADDRESS, {"person": "yes"})
    assert Face.objects.count() == 3
    assert not Visitor.objects.exists()
    assert Consent.objects.get().withdrawn_at


def test_a_consent_whose_selfie_found_nobody_can_be_taken_back(run: Event, client: Client, paint: Painter) -> None:
    selfie = paint((230, 230, 20))
    client.post("/events/city-run/selfie/", {"consent": consent.VERSION, "file": selfie})
    assert "You are forgotten" in text(client.post(ADDRESS))
    assert Consent.objects.get().withdrawn_at


def test_an_event_that_is_over_forgets_too(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    Event.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    assert "your face in 3 photos" in text(client.post(ADDRESS, choice(client)))


@pytest.mark.parametrize("who", ["anonymous", "another person", "another event", "member", "staff"])
def test_strangers_erase_nobody(
    who: str, run: Event, other_event: Event, client: Client, paint: Painter, member: User, staff: User
) -> None:
    if who == "another person":
        take_selfie(client, paint(BLUE))
    if who == "another event":
        with_consent(client, open_gallery(client, other_event, sure=[face.pk for face in ImageFace.objects.all()]))
    if who in ("member", "staff"):
        client.force_login(member if who == "member" else staff)
    client.post(ADDRESS, {"person": "yes"})
    client.post("/events/other-run/forget/", {"person": "yes"})
    assert isinstance(search.find(run, paint(RED)), Match)
    assert isinstance(search.find(run, paint(GREEN)), Match)


def test_a_draft_is_nobody_s_to_know_of(run: Event, client: Client) -> None:
    Event.objects.update(access=Event.Access.DRAFT)
    assert client.get(ADDRESS).status_code == 404
    assert client.post(ADDRESS).status_code == 404


def test_no_other_page_makes_a_visitor_forget(run: Event, client: Client, paint: Painter) -> None:
    take_selfie(client, paint(RED))
    assert client.put(ADDRESS).status_code == 405
    client.get(ADDRESS, {"person": "yes"})
    assert Visitor.objects.count() == 1


def with_consent(client: Client, visitor: Visitor) -> Visitor:
    """Have the visitor's selfie been taken in this session."""
    visitor.consent = Consent.objects.create(event=visitor.event, version=consent.VERSION, language="en")
    visitor.save()
    session = client.session
    session[CONSENTS_KEY] = {str(visitor.event_id): visitor.consent.pk}
    session.save()
    return visitor


@pytest.fixture
def client_2() -> Client:
    """Another device."""
    from django.test import Client

    return Client()
