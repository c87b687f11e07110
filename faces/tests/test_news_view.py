"""What a page that waits for more photos is told, and whom nobody tells anything."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from conftest import GREEN, RED
from events.models import Event, Image
from faces import grouping, pipeline
from faces.models import ImageFace
from faces.tests.conftest import listed
from faces.tests.galleries import open_gallery

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoAssertNumQueries

NEWS = "/events/city-run/news/"


def open_red(client: Client, run: Event) -> None:
    open_gallery(client, run, [ImageFace.objects.get(image__file_name="red.png").pk])


def test_counts_what_was_looked_at_and_what_waits(client: Client, run: Event, add: Callable[..., Image]) -> None:
    listed(run, 2, state=Image.State.FAILED)
    add("new.png", RED)
    response = client.get(NEWS)
    assert response.json() == {"photos": 4, "pending": 1, "mine": None}
    assert "no-store" in response["Cache-Control"]


def test_a_photo_waits_until_its_faces_are_grouped(client: Client, run: Event, add: Callable[..., Image]) -> None:
    add("new.png", RED, GREEN)
    pipeline.index_batch(run)
    assert client.get(NEWS).json() == {"photos": 4, "pending": 1, "mine": None}
    grouping.group(run)
    assert client.get(NEWS).json() == {"photos": 5, "pending": 0, "mine": None}


def test_counts_the_photos_of_the_gallery_that_is_open(client: Client, run: Event) -> None:
    open_red(client, run)
    assert client.get(NEWS).json()["mine"] == 3


def test_a_gallery_of_another_event_is_not_counted(client: Client, run: Event, other_event: Event) -> None:
    open_red(client, run)
    assert client.get("/events/other-run/news/").json() == {"photos": 0, "pending": 0, "mine": None}


def test_an_expired_gallery_is_none(client: Client, run: Event) -> None:
    visitor = open_gallery(client, run, [ImageFace.objects.get(image__file_name="red.png").pk])
    visitor.expires_at = timezone.now() - timedelta(seconds=1)
    visitor.save()
    assert client.get(NEWS).json()["mine"] is None


def test_makes_few_queries_however_many_photos(
    client: Client, run: Event, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):  # the event, its photos by state, those with ungrouped faces
        client.get(NEWS)
    open_red(client, run)
    listed(run, 50, state=Image.State.INDEXED)
    with django_assert_num_queries(7):  # and the session, the visitor, what they answered, their photos
        client.get(NEWS)


@pytest.mark.parametrize("who", ["anonymous", "member", "stranger"])
class TestStranger:
    @pytest.fixture(autouse=True)
    def _logged_in(self, client: Client, who: str, member: User, organiser: User, other_event: Event) -> None:
        other_event.staff.set([organiser])
        Event.objects.get(slug="city-run").staff.clear()
        if who != "anonymous":
            client.force_login({"member": member, "stranger": organiser}[who])

    def test_hears_nothing_of_a_draft(self, client: Client, event: Event) -> None:
        Event.objects.filter(pk=event.pk).update(access=Event.Access.DRAFT)
        assert client.get(NEWS).status_code == 404

    @pytest.mark.parametrize(
        "closed",
        [
            {"access": Event.Access.CODE, "access_code": "ABCD-EFGH"},
            {"closes_at": timezone.now() - timedelta(days=1)},
            {"opens_at": timezone.now() + timedelta(days=1)},
        ],
    )
    def test_hears_nothing_of_a_closed_one(self, client: Client, event: Event, closed: dict[str, Any]) -> None:
        Event.objects.filter(pk=event.pk).update(**closed)
        response = client.get(NEWS, headers={"Accept": "application/json"})
        assert response.status_code == 403
        assert "photos" not in response.json()


def test_staff_of_the_event_hear_of_its_draft(client: Client, event: Event, organiser: User) -> None:
    Event.objects.filter(pk=event.pk).update(access=Event.Access.DRAFT)
    client.force_login(organiser)
    assert client.get(NEWS).json() == {"photos": 0, "pending": 0, "mine": None}


def test_is_only_read(client: Client, event: Event) -> None:
    assert client.post(NEWS).status_code == 405
