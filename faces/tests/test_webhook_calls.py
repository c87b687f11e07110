"""What webhooks are told of photos, people and matches, and when; and that nothing in it shows a face."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from conftest import BLUE, GREEN, RED
from events.models import Delivery, Event, Image
from events.tests.receiver import new_webhook
from events.webhooks import Kind
from faces import consent, corrections, couriers, grouping, pipeline, privacy, retention, tasks, telling
from faces.models import Face, ImageFace
from faces.tests.test_tasks import Context, Sweeping

if TYPE_CHECKING:
    from collections.abc import Callable
    from io import BytesIO
    from pathlib import Path

    from django.contrib.auth.models import User
    from django.test import Client

    Add = Callable[..., Image]
    Paint = Callable[..., BytesIO]

pytestmark = pytest.mark.usefixtures("empty_queue")


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have nothing sent; return to whom it would be."""
    sent: list[int] = []
    monkeypatch.setattr(couriers, "send", sent.append)
    return sent


def told(*kinds: str) -> list[dict[str, Any]]:
    """Return what webhooks were told of these kinds, in order."""
    return list(Delivery.objects.filter(kind__in=kinds).order_by("pk").values_list("payload__data", flat=True))


def run_index(event: Event) -> None:
    tasks.index(Context(), event_id=event.pk)  # type: ignore[arg-type]


def sweep() -> None:
    async_to_sync(tasks.sweep.func)(Sweeping(), timestamp=0)  # type: ignore[arg-type]


def test_each_photo_that_was_looked_at_is_told(event: Event, add: Add) -> None:
    new_webhook()
    photos = [add("two.png", RED, GREEN), add("none.png")]
    pipeline.ingest(event)
    assert told("image.indexed") == [
        {"image_id": str(photos[0].image_id), "file_name": "two.png", "state": "indexed", "faces": 2},
        {"image_id": str(photos[1].image_id), "file_name": "none.png", "state": "no_face", "faces": 0},
    ]
    assert told("image.failed") == []


def test_each_photo_that_failed_is_told_with_its_reason(event: Event, add: Add) -> None:
    new_webhook()
    photo = add("gone.png", RED)
    photo.delete_files()
    Image.objects.update(attempts=2)
    pipeline.ingest(event)
    photo.refresh_from_db()
    assert photo.failure_code
    assert told("image.failed") == [
        {
            "image_id": str(photo.image_id),
            "file_name": "gone.png",
            "code": photo.failure_code,
            "reason": photo.failure_reason,
        }
    ]
    assert told("image.indexed") == []


def test_a_photo_that_is_tried_again_later_is_not_told(event: Event, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    new_webhook()
    add("one.png", RED)
    monkeypatch.setattr("faces.pipeline.stays_engine", lambda *_: False)
    pipeline.index_batch(event)
    assert Image.objects.get().state == "pending"
    assert not Delivery.objects.exists()


def queries_of_a_batch(event: Event, add: Add, name: str, photos: int) -> int:
    for number in range(photos):
        add(f"{name}-{number}.png")
    with CaptureQueriesContext(connection) as queries:
        assert len(pipeline.index_batch(event)) == photos
    return sum("events_webhook" in query["sql"] or "events_delivery" in query["sql"] for query in queries)


def test_where_nobody_listens_a_batch_costs_one_query(event: Event, add: Add) -> None:
    new_webhook(is_active=False)
    assert queries_of_a_batch(event, add, "few", 2) == queries_of_a_batch(event, add, "many", 6) == 1


def test_a_listener_costs_one_query_for_a_photo(event: Event, add: Add) -> None:
    new_webhook()
    assert queries_of_a_batch(event, add, "some", 4) == 1 + 4


def test_an_event_is_told_once_when_all_its_faces_have_their_person(event: Event, add: Add) -> None:
    new_webhook()
    add("one.png", RED)
    run_index(event)
    assert told("event.indexed") == []
    tasks.group(event_id=event.pk)
    assert told("event.indexed") == [{"images": 1, "indexed": 1, "no_face": 0, "failed": 0, "faces": 1, "persons": 1}]
    tasks.group(event_id=event.pk)
    sweep()
    telling.all_indexed(event)
    assert len(told("event.indexed")) == 1


def test_an_event_is_told_again_after_more_photos(event: Event, add: Add) -> None:
    new_webhook()
    add("one.png", RED)
    pipeline.ingest(event)
    add("two.png", GREEN)
    pipeline.ingest(event)
    assert [data["images"] for data in told("event.indexed")] == [1, 2]


def test_an_event_whose_last_photos_have_no_faces_is_told(event: Event, add: Add) -> None:
    new_webhook()
    add("none.png")
    run_index(event)
    assert [data["no_face"] for data in told("event.indexed")] == [1]


def test_an_event_is_told_after_its_consolidation(event: Event, add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    new_webhook()
    add("one.png", RED)
    run_index(event)
    tasks.group(event_id=event.pk)
    sweep()
    assert told("event.indexed") == [], "all faces are to be clustered anew first"
    tasks.consolidate(event_id=event.pk)
    assert len(told("event.indexed")) == 1


def test_the_sweep_tells_what_nobody_told(event: Event, add: Add) -> None:
    new_webhook()
    add("none.png")
    pipeline.index_batch(event)  # and its worker died
    assert told("event.indexed") == []
    sweep()
    sweep()
    assert len(told("event.indexed")) == 1


def test_an_event_with_photos_in_hand_is_not_told(event: Event, add: Add) -> None:
    new_webhook()
    add("none.png")
    pipeline.index_batch(event)
    add("pending.png")
    telling.all_indexed(event)
    assert told("event.indexed") == []


def test_what_happened_before_there_was_a_webhook_is_not_told(run: Event) -> None:
    new_webhook()
    sweep()
    assert not Delivery.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_is_told_once_whoever_finds_out_first(event: Event, add: Add) -> None:
    new_webhook()
    add("none.png")
    pipeline.index_batch(event)
    start = threading.Barrier(4)

    def tell() -> None:
        start.wait(10)
        telling.all_indexed(event)
        connection.close()

    threads = [threading.Thread(target=tell) for _ in range(start.parties)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(told("event.indexed")) == 1


@pytest.mark.django_db(transaction=True)
def test_an_ingest_in_the_foreground_tells_it_all(event: Event, paint: Paint, tmp_path: Path) -> None:
    new_webhook()
    (tmp_path / "one.png").write_bytes(paint(RED).getvalue())
    call_command("ingest", event.slug, str(tmp_path / "one.png"), processes=1)
    kinds = list(Delivery.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["image.indexed", "event.indexed"]


def test_a_match_on_the_website_is_told(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    selfie = {"file": paint(RED), "consent": consent.VERSION}
    assert client.post(f"/events/{run.slug}/selfie/", selfie).status_code == 303
    red = Face.objects.get(image_faces__image__file_name="red.png")
    assert told("match.created") == [{"sure": [str(red.grab_id)], "maybe": [], "photos": 3, "maybe_photos": 0}]


def test_a_match_by_the_api_is_told(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    answer = client.post("/api/v1/auth/selfie", {"file": paint(RED)})
    assert told("match.created") == [{"sure": [answer.json()["grab_id"]], "maybe": [], "photos": 3, "maybe_photos": 0}]


def test_a_selfie_that_found_nobody_is_not_told(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    client.post("/api/v1/auth/selfie", {"file": paint((10, 200, 200))})
    client.post(f"/events/{run.slug}/selfie/", {"file": paint((10, 200, 200)), "consent": consent.VERSION})
    assert told("match.created") == []


def red_and_green(event: Event) -> tuple[Face, Face]:
    red, green = ImageFace.objects.filter(image__file_name="red-green.png").order_by("x")
    assert red.face
    assert green.face
    return red.face, green.face


def test_an_erased_person_is_told_with_every_grab_id(run: Event, staff: User) -> None:
    new_webhook()
    red, green = red_and_green(run)
    corrections.merge(run, [red, green], staff)
    privacy.erase(run, [red], staff)
    assert told("person.forgotten") == [{"grab_id": str(red.grab_id), "former_grab_ids": [str(green.grab_id)]}]


def test_a_visitor_who_is_forgotten_with_their_person_is_told(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    red, _ = red_and_green(run)
    client.post(f"/events/{run.slug}/selfie/", {"file": paint(RED), "consent": consent.VERSION})
    client.post(f"/events/{run.slug}/forget/", {"person": str(red.pk)})
    assert told("person.forgotten") == [{"grab_id": str(red.grab_id), "former_grab_ids": []}]


def test_a_visitor_who_is_forgotten_alone_is_not_told(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    client.post(f"/events/{run.slug}/selfie/", {"file": paint(RED), "consent": consent.VERSION})
    client.post(f"/events/{run.slug}/forget/")
    assert told("person.forgotten") == []


def test_messages_that_named_an_erased_person_go(client: Client, run: Event, paint: Paint, staff: User) -> None:
    new_webhook()
    for colour in (RED, GREEN):
        client.post("/api/v1/auth/selfie", {"file": paint(colour)})
    red, green = red_and_green(run)
    privacy.erase(run, [red], staff)
    assert [data["sure"] for data in told("match.created")] == [[str(green.grab_id)]]


def test_messages_that_named_people_go_with_all_faces(client: Client, run: Event, paint: Paint) -> None:
    new_webhook()
    client.post("/api/v1/auth/selfie", {"file": paint(RED)})
    retention.retire(run)
    assert told("match.created") == []


def keys_in(data: Any) -> set[str]:
    """Return the names of all fields, however deep."""
    if isinstance(data, dict):
        return set(data) | {key for value in data.values() for key in keys_in(value)}
    return {key for value in data for key in keys_in(value)} if isinstance(data, list) else set()


def test_nothing_in_a_message_shows_a_face_or_a_visitor(
    client: Client, run: Event, add: Add, paint: Paint, staff: User
) -> None:
    new_webhook()
    add("more.png", BLUE)
    broken = add("broken.png", RED)
    broken.delete_files()
    Image.objects.filter(pk=broken.pk).update(attempts=2)
    pipeline.ingest(run)
    client.post("/api/v1/auth/selfie", {"file": paint(GREEN), "maybe": "true", "boxes": "true"})
    privacy.erase(run, [red_and_green(run)[0]], staff)
    payloads = Delivery.objects.values_list("kind", "payload")
    assert {kind for kind, _ in payloads} == set(Kind)
    assert keys_in([payload for _, payload in payloads]) == {
        *("id", "type", "timestamp", "event", "data"),
        *("image_id", "file_name", "state", "faces", "code", "reason"),
        *("images", "indexed", "no_face", "failed", "persons"),
        *("sure", "maybe", "photos", "maybe_photos", "grab_id", "former_grab_ids"),
    }


def test_the_sweep_sends_what_is_due_and_the_job_sends_at_once(event: Event, sent: list[int]) -> None:
    webhook, idle = new_webhook(), new_webhook()
    Delivery.objects.create(webhook=webhook, kind="match.created", payload={})
    sweep()
    tasks.deliver(webhook_id=idle.pk)
    assert sent == [webhook.pk, idle.pk]
