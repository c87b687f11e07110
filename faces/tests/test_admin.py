"""The admin pages of events, photos and people."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import GREEN, RED
from events.models import Event, Image
from faces.models import Face
from faces.tests.conftest import listed

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.test import Client
    from pytest_django.fixtures import Settings

EVENTS, IMAGES, PEOPLE = "/admin/events/event/", "/admin/events/image/", "/admin/faces/face/"


def process(client: Client, *events: Event, action: str = "find_faces") -> str:
    data = {"action": action, "_selected_action": [event.pk for event in events]}
    return client.post(EVENTS, data, follow=True).content.decode()


def test_the_action_says_how_many_photos_wait_and_indexes_none(
    admin: Client, event: Event, other_event: Event, add: Callable[..., Image], start_worker: Callable[..., None]
) -> None:
    add("a.png", RED, GREEN)
    start_worker()
    page = process(admin, event, other_event)
    assert "City Run: 1 photos wait for the workers." in page
    assert "Other Run: 0 photos wait for the workers." in page
    assert "No worker is running" not in page
    assert event.images.pending().count() == 1


def test_the_action_says_when_nobody_works(admin: Client, event: Event) -> None:
    assert "No worker is running: start one with `manage.py worker`." in process(admin, event)


def test_staff_have_all_faces_grouped_anew(admin: Client, event: Event, empty_queue: None) -> None:
    page = process(admin, event, action="regroup")
    assert "City Run: its faces will be grouped anew." in page
    assert "No worker is running" in page
    jobs = ProcrastinateJob.objects.filter(task_name="consolidate").values_list("args", flat=True)
    assert list(jobs) == [{"event_id": event.pk}]


def test_the_action_takes_in_the_drop_folder(
    admin: Client, event: Event, settings: Settings, paint: Callable[..., io.BytesIO]
) -> None:
    folder = settings.STORAGE_PATH / event.slug
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(paint(RED).getvalue())
    (folder / "notes.txt").write_text("no photo")
    page = process(admin, event)
    assert "1 photos wait" in page
    assert event.images.pending().count() == 1
    assert "City Run: notes.txt: This is not a photo" in page


def test_staff_without_the_permission_cannot_process(
    staff_client: Client, event: Event, settings: Settings, paint: Callable[..., io.BytesIO]
) -> None:
    folder = settings.STORAGE_PATH / event.slug
    folder.mkdir(parents=True)
    (folder / "a.png").write_bytes(paint(RED).getvalue())
    assert staff_client.post(EVENTS, {"action": "find_faces", "_selected_action": [event.pk]}).status_code == 403
    assert not event.images.exists()


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


@pytest.mark.parametrize(("url", "queries"), [(EVENTS, 6), (IMAGES, 8), (PEOPLE, 7)])
def test_the_number_of_queries_of_a_list_is_fixed(
    admin: Client,
    run: Event,
    other_event: Event,
    django_assert_num_queries: Callable[..., object],
    url: str,
    queries: int,
) -> None:
    for code in ("crashed", "truncated"):
        listed(other_event, 3, state="failed", failure_code=code)
    with django_assert_num_queries(queries):  # type: ignore[attr-defined]
        assert admin.get(url).status_code == 200


@pytest.mark.parametrize(("url", "table"), [(IMAGES, "events_image"), (PEOPLE, "faces_face")])
def test_no_list_counts_all_rows(admin: Client, run: Event, url: str, table: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        admin.get(url)
    counts = [
        query["sql"] for query in queries if f'FROM "{table}"' in query["sql"] and "SELECT COUNT(*)" in query["sql"]
    ]
    assert [sql for sql in counts if "LIMIT 5001" in sql] == counts != []


def test_a_long_list_says_that_it_is_cut(admin: Client, event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    listed(event, 3)
    assert "3 images" in admin.get(IMAGES).content.decode()
    monkeypatch.setattr("events.admin.MOST_LISTED", 2)
    assert "2+ images" in admin.get(IMAGES).content.decode()


def test_events_show_what_is_pending_and_failed(admin: Client, event: Event, other_event: Event) -> None:
    listed(event, 13)
    listed(event, 17, state="failed", failure_code="crashed")
    page = admin.get(EVENTS).content.decode()
    assert re.findall(r'field-(?:pending|failed)_count">(\d+)<', page) == ["13", "17", "0", "0"]
    for order in ("4", "-5"):
        assert admin.get(EVENTS, {"o": order}).status_code == 200


def test_people_show_how_many_photos_they_are_in(admin: Client, run: Event) -> None:
    page = admin.get(PEOPLE).content.decode()
    assert sorted(re.findall(r'field-image_count">(\d+)<', page)) == ["1", "2", "3"]


def test_photos_are_filtered_by_why_they_failed(admin: Client, event: Event) -> None:
    listed(event, 1, state="failed", failure_code="crashed")
    listed(event, 2, state="failed", failure_code="truncated")
    listed(event, 4)
    page = admin.get(IMAGES, {"failure_code": "truncated"}).content.decode()
    assert "2 images" in page
    assert "?failure_code=crashed" in page


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
        "keep_faces_until": "2100-01-01",
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


def test_an_events_page_leads_to_its_people_and_their_review(admin: Client, run: Event) -> None:
    page = admin.get(f"{EVENTS}{run.pk}/change/").content.decode()
    links = [
        f"{PEOPLE}?event__id__exact={run.pk}",
        f"{reverse('admin:faces_review_merges')}?event={run.slug}",
        f"{reverse('admin:faces_review_suspicious')}?event={run.slug}",
        f"{reverse('admin:faces_decision_changelist')}?event__id__exact={run.pk}",
        reverse("admin:faces_event_distances", args=[run.pk]),
    ]
    for link in links:
        assert f'href="{link}"' in page
        assert admin.get(link).status_code == 200


def test_who_may_not_see_people_is_not_sent_to_them(staff_client: Client, staff: User, run: Event) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_event"))
    page = staff_client.get(f"{EVENTS}{run.pk}/change/").content.decode()
    assert "Distances" in page
    assert "Likely merges" not in page
    assert "Decisions" not in page
    link = f'href="{PEOPLE}?event__id__exact={run.pk}"'
    assert link not in staff_client.get(EVENTS).content.decode()
    staff.user_permissions.add(Permission.objects.get(codename="view_face"))
    assert link in staff_client.get(EVENTS).content.decode()
