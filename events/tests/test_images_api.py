"""Photos over the API."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from conftest import BLUE, GREEN, RED
from events.models import Event, Image, Scope
from events.tests.programs import code_of, organiser_of, program, send, tables_asked, walk
from faces.models import Face
from faces.tests.conftest import add, listed, replays, run

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.test import Client

__all__ = ["add", "replays", "run"]

IMAGES = "/api/v1/images"


def names(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{IMAGES}?{query}")
    assert response.status_code == 200, response.json()
    return [image["file_name"] for image in response.json()["results"]]


def address(image: Image) -> str:
    return f"{IMAGES}/{image.image_id}"


def test_a_photo(run: Event) -> None:
    image = run.images.get(file_name="all.png")
    client = program(Scope.READ)
    shown = client.get(address(image)).json()
    assert shown == {
        "image_id": str(image.image_id),
        "event": "city-run",
        "file_name": "all.png",
        "state": "indexed",
        "failure_code": "",
        "failure_reason": "",
        "width": 400,
        "height": 300,
        "taken_at": None,
        "created_at": image.created_at.isoformat().replace("+00:00", "Z"),
        "sha256": image.sha256,
        "file_path": image.storage_key,
        "preview_path": f"photos/{image.image_id}/preview.jpg",
        "thumbnail_path": f"photos/{image.image_id}/thumbnail.jpg",
        "faces": 3,
    }
    assert client.get(IMAGES).json()["results"][2] == shown
    for path in ("file_path", "preview_path", "thumbnail_path"):
        assert client.get(f"/api/v1/storage/{shown[path]}").status_code == 200


def test_a_photo_that_nobody_has_looked_at_has_no_preview(event: Event) -> None:
    (image,) = listed(event, 1)
    shown = program().get(address(image)).json()
    assert (shown["state"], shown["preview_path"], shown["thumbnail_path"]) == ("pending", None, None)


@pytest.fixture
def four(event: Event, other_event: Event) -> list[str]:
    """The names of four photos: pending, indexed at noon, failed, and one of another event, indexed an hour later."""
    noon = datetime(2026, 5, 1, 12, tzinfo=UTC)
    photos = [
        *listed(event, 1),
        *listed(event, 1, state="indexed", taken_at=noon),
        *listed(event, 1, state="failed", failure_code="truncated"),
        *listed(other_event, 1, state="indexed", taken_at=noon.replace(hour=13)),
    ]
    return [photo.file_name for photo in photos]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", [0, 1, 2, 3]),
        ("event=city-run", [0, 1, 2]),
        ("state=indexed", [1, 3]),
        ("event=city-run&state=indexed", [1]),
        ("failure_code=truncated", [2]),
        ("failure_code=broken", []),
        ("taken_from=2026-05-01T12:00:00Z", [1, 3]),
        ("taken_until=2026-05-01T13:00:00Z", [1]),
        ("taken_from=2026-05-01T14:30:00%2B02:00&taken_until=2026-05-02", [3]),
    ],
)
def test_photos_are_found(four: list[str], query: str, expected: list[int]) -> None:
    assert names(program(), query) == [four[place] for place in expected]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("state=lost", "state"),
        ("state=", "state"),
        ("taken_from=noon", "taken_from"),
        ("taken_from=2026-05-02T00:00Z&taken_until=2026-05-01T00:00Z", "taken_until"),
        ("status=indexed", "status"),
        ("failure_code=a%00b", "failure_code"),
    ],
)
def test_a_filter_that_makes_no_sense(event: Event, query: str, named: str) -> None:
    response = program().get(f"{IMAGES}?{query}")
    assert code_of(response) == (400, "bad_request")
    assert response.json()["detail"].startswith(f"`{named}`: ")


def test_photos_that_come_in_meanwhile_come_last(event: Event) -> None:
    before = [image.file_name for image in listed(event, 5)]
    client = program()
    first = client.get(f"{IMAGES}?limit=2&event=city-run").json()
    after = [image.file_name for image in listed(event, 2)]
    rest = [image["file_name"] for image in walk(client, first["next"])]
    assert rest == before[2:] + after


def test_a_page_of_many_takes_as_many_queries_as_one_of_few(run: Event) -> None:
    client = program()
    assert tables_asked(client, f"{IMAGES}?limit=1") == tables_asked(client, IMAGES) == 1
    assert tables_asked(client, f"{IMAGES}?event=city-run") == 2


def test_a_photo_goes_with_its_faces_and_files(run: Event, django_capture_on_commit_callbacks: Any) -> None:
    client = program(Scope.READ, Scope.MANAGE)
    image = run.images.get(file_name="all.png")
    original = f"/api/v1/storage/{image.storage_key}"
    assert client.get(original).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert send(client, "DELETE", address(image)).status_code == 204
    assert [client.get(url).status_code for url in (address(image), original)] == [404, 404]
    assert names(client) == ["red.png", "red-green.png", "empty.png"]


def test_only_what_was_seen_is_deleted(run: Event) -> None:
    client = program()
    image = run.images.get(file_name="all.png")
    tag = client.get(address(image))["ETag"]
    assert client.get(address(image), headers={"If-None-Match": tag}).status_code == 304
    Image.objects.filter(pk=image.pk).update(state="pending")
    assert code_of(send(client, "DELETE", address(image), If_Match=tag)) == (412, "precondition_failed")
    tag = client.get(address(image))["ETag"]
    assert send(client, "DELETE", address(image), If_Match=tag).status_code == 204


def test_a_storage_that_fails_after_the_deletion_is_named(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    (image,) = listed(event, 1)

    def fail(self: Image) -> None:
        raise OSError("down")

    monkeypatch.setattr(Image, "delete", fail)
    assert code_of(send(program(), "DELETE", address(image))) == (503, "files_left")


def statuses(client: Client, image: Image) -> list[int]:
    calls = [("GET", IMAGES), ("GET", address(image)), ("DELETE", address(image))]
    return [send(client, *call).status_code for call in calls]


def test_strangers_learn_and_delete_nothing(client: Client, run: Event, other_event: Event, member: User) -> None:
    image = run.images.earliest("pk")
    assert statuses(client, image) == [401, 401, 401]
    client.force_login(member)
    assert statuses(client, image) == [403, 403, 403]
    for foreign in (organiser_of(other_event, "delete_image"), program(events=[other_event])):
        assert statuses(foreign, image) == [200, 404, 404]
        assert names(foreign) == []
        assert code_of(foreign.get(f"{IMAGES}?event=city-run")) == (404, "unknown_event")
        nowhere = foreign.get(f"{IMAGES}/{uuid.uuid4()}")
        assert foreign.get(address(image)).json() == nowhere.json()
    assert run.images.count() == 4


def test_staff_and_keys_do_what_they_are_allowed_to(run: Event) -> None:
    first, second, third, fourth = run.images.order_by("pk")
    assert statuses(organiser_of(run), first) == [200, 200, 403]
    assert statuses(organiser_of(run, "delete_image"), first) == [200, 200, 204]
    assert statuses(program(Scope.READ, events=[run]), second) == [200, 200, 403]
    assert statuses(program(Scope.UPLOAD, Scope.SEARCH), second) == [403, 403, 403]
    assert statuses(program(Scope.READ, Scope.MANAGE, events=[run]), second) == [200, 200, 204]
    assert list(run.images.order_by("pk")) == [third, fourth]
    assert Face.objects.count() == len({RED, GREEN, BLUE})


@pytest.mark.parametrize("image_id", ["x", "0", "a%00b", "0b7ad6d0-6b3a-4dd4-9a4b-2f3f6a2c9d11"])
def test_what_is_no_photo(event: Event, image_id: str) -> None:
    for method in ("GET", "DELETE"):
        assert code_of(send(program(), method, f"{IMAGES}/{image_id}")) == (404, "not_found")
