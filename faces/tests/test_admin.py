"""The admin pages of events, photos and people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User

from conftest import GREEN, RED
from events.models import Event, Image
from faces.models import Face

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from pytest_django.fixtures import Settings

EVENTS, IMAGES, PEOPLE = "/admin/events/event/", "/admin/events/image/", "/admin/faces/face/"


@pytest.fixture
def admin(client: Client, db: None) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


def process(client: Client, *events: Event) -> str:
    data = {"action": "find_faces", "_selected_action": [event.pk for event in events]}
    return client.post(EVENTS, data, follow=True).content.decode()


def test_the_action_processes_the_pending_photos(admin: Client, event: Event, add: Callable[..., Image]) -> None:
    add("a.png", RED, GREEN)
    page = process(admin, event)
    assert "City Run: Photos processed: 1. Faces found: 2. New people: 2. People in all: 2." in page
    assert Face.objects.count() == 2


def test_the_action_takes_in_the_drop_folder(
    admin: Client, event: Event, settings: Settings, paint: Callable[..., io.BytesIO]
) -> None:
    folder = settings.STORAGE_PATH / event.slug
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(paint(RED).getvalue())
    (folder / "notes.txt").write_text("no photo")
    page = process(admin, event)
    assert "Photos processed: 1." in page
    assert "City Run: notes.txt: This is not a photo" in page


def test_the_action_names_what_is_wrong_and_goes_on(
    admin: Client, event: Event, other_event: Event, add: Callable[..., Image]
) -> None:
    add("a.png", RED)
    add("b.png", RED, to=other_event)
    Event.objects.filter(pk=event.pk).update(engine="crystal-ball")
    page = process(admin, event, other_event)
    assert "no face engine" in page
    assert "Other Run: Photos processed: 1." in page


def test_staff_without_the_permission_cannot_process(
    staff_client: Client, event: Event, add: Callable[..., Image]
) -> None:
    add("a.png", RED)
    assert staff_client.post(EVENTS, {"action": "find_faces", "_selected_action": [event.pk]}).status_code == 403
    assert not Face.objects.exists()


def test_failed_photos_can_be_made_pending_again(admin: Client, event: Event, add: Callable[..., Image]) -> None:
    photo = add("a.png", RED)
    Image.objects.update(state="failed", failure_code="engine_failed")
    page = admin.post(IMAGES, {"action": "retry", "_selected_action": [photo.pk]}, follow=True)
    assert "1 photos are pending again." in page.content.decode()
    assert event.images.pending().count() == 1


@pytest.mark.parametrize("url", [EVENTS, IMAGES, PEOPLE])
def test_strangers_see_nothing(client: Client, run: Event, member: User, url: str) -> None:
    assert client.get(url).status_code == 302
    client.force_login(member)
    assert client.get(url).status_code == 302


@pytest.mark.parametrize(("url", "queries"), [(EVENTS, 5), (IMAGES, 6), (PEOPLE, 5)])
def test_the_number_of_queries_of_a_list_is_fixed(
    admin: Client, run: Event, django_assert_num_queries: Callable[..., object], url: str, queries: int
) -> None:
    with django_assert_num_queries(queries):  # type: ignore[attr-defined]
        assert admin.get(url).status_code == 200


def test_detail_pages_open(admin: Client, run: Event) -> None:
    for url, pk in (
        (EVENTS, run.pk),
        (IMAGES, Image.objects.values_list("pk", flat=True)[0]),
        (PEOPLE, Face.objects.values_list("pk", flat=True)[0]),
    ):
        assert admin.get(f"{url}{pk}/change/").status_code == 200


def event_form(**changes: str) -> dict[str, str]:
    return {
        "name": "New",
        "slug": "new",
        "date": "2026-05-01",
        "access": "draft",
        "engine": "fake",
        "max_distance": "",
        **changes,
    }


def test_an_event_is_made_in_admin(admin: Client, event: Event) -> None:
    admin.post(EVENTS + "add/", event_form())
    assert Event.objects.get(slug="new").engine == "fake"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"engine": "crystal-ball"}, "there are: facenet+sface"),
        ({"max_distance": "3"}, "less than or equal to 2"),
        ({"slug": "../x"}, "valid “slug”"),
        ({"slug": "city-run"}, "already exists"),
    ],
)
def test_an_event_with_mistakes_is_refused(admin: Client, event: Event, change: dict[str, str], problem: str) -> None:
    assert problem in admin.post(EVENTS + "add/", event_form(**change)).content.decode()
    assert Event.objects.count() == 1


def test_the_engine_is_fixed_once_there_are_photos(admin: Client, run: Event) -> None:
    admin.post(f"{EVENTS}{run.pk}/change/", event_form(engine="facenet+sface"))
    run.refresh_from_db()
    assert (run.name, run.engine) == ("New", "fake")
