"""What Prometheus is told, and who may ask."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import RED, new_key, paint_photo
from events import ingest, tallies
from events.models import Delivery, Event, Scope, Webhook
from events.tallies import Amount
from faces import pipeline
from faces.tests.conftest import listed
from faces.tests.selfies import YELLOW, selfie_of, upload

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.test import Client
    from pytest_django import DjangoCaptureOnCommitCallbacks

pytestmark = pytest.mark.django_db

Samples = dict[tuple[str, ...], float]


@pytest.fixture
def prometheus(client: Client) -> dict[str, Any]:
    """What Prometheus sends, with a key that may read everything."""
    key = new_key("prometheus", Scope.READ)
    accept = "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    return {"headers": {"Authorization": f"Api-Key {key}", "Accept": accept}}


def scrape(client: Client, asked: dict[str, Any]) -> Samples:
    response = client.get("/metrics", **asked)
    assert response["Content-Type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name.removeprefix("grabpic_"), *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(response.content.decode())
        for sample in family.samples
    }


def test_an_empty_site(client: Client, prometheus: dict[str, Any], empty_queue: None) -> None:
    samples = scrape(client, prometheus)
    assert samples.pop(("database_bytes",)) > 1_000_000
    expected: Samples = {
        **{("photos", state): 0 for state in ("pending", "indexed", "no_face", "failed")},
        **{("webhook_deliveries", state): 0 for state in ("pending", "delivered", "failed")},
        ("oldest_pending_photo_seconds",): 0,
        ("search_seconds_count",): 0,
        ("search_seconds_sum",): 0,
        ("workers",): 0,
    }
    assert samples == expected


def test_photos(client: Client, prometheus: dict[str, Any], run: Event, other_event: Event) -> None:
    Event.objects.filter(pk=other_event.pk).update(access=Event.Access.DRAFT)
    listed(other_event, 2)
    samples = scrape(client, prometheus)
    assert (samples["photos", "indexed"], samples["photos", "failed"], samples["photos", "pending"]) == (4, 0, 2)
    assert samples["event_photos", "city-run", "indexed"] == 4
    assert 0 < samples[("oldest_pending_photo_seconds",)] < 60
    assert not any("other-run" in labels for labels in samples)


def test_work_of_all_processes(
    client: Client,
    prometheus: dict[str, Any],
    event: Event,
    start_worker: Callable[..., None],
    empty_queue: None,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    ingest.add(event, paint_photo(RED), "red.png")
    ingest.add(event, paint_photo(), "empty.png")
    start_worker()
    with django_capture_on_commit_callbacks(execute=True):
        pipeline.ingest(event)
        tallies.add_all("step", {"decode": Amount(5, 2.0)})
    samples = scrape(client, prometheus)
    steps = {labels[1]: count for labels, count in samples.items() if labels[0] == "step_seconds_count"}
    assert steps == {"decode": 7, "detect": 2, "embed": 2, "group": 1, "previews": 2, "write": 2}
    assert 2.0 < samples["step_seconds_sum", "decode"] < 10
    assert samples["jobs", "todo", "index"] == 2
    assert samples[("workers",)] == 1


def test_searches_by_outcome(
    client: Client,
    prometheus: dict[str, Any],
    run: Event,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        for colour in (RED, YELLOW, YELLOW):
            client.post("/api/v1/auth/selfie", {"file": upload(selfie_of(colour))})
        client.post("/api/v1/auth/selfie", {"file": upload(paint_photo())})
    samples = scrape(client, prometheus)
    outcomes = {labels[1]: count for labels, count in samples.items() if labels[0] == "searches_total"}
    assert outcomes == {"matched": 1, "no_match": 2, "no_face": 1}
    assert samples[("search_seconds_count",)] == 4
    assert samples[("search_seconds_sum",)] > 0


def test_deliveries(client: Client, prometheus: dict[str, Any]) -> None:
    webhook = Webhook.objects.create(name="shop", url="https://shop.example.org", kinds=["image.indexed"])
    Delivery.objects.create(webhook=webhook, kind="image.indexed", payload={}, state=Delivery.State.FAILED)
    assert scrape(client, prometheus)["webhook_deliveries", "failed"] == 1


def test_a_fixed_number_of_queries(
    client: Client, prometheus: dict[str, Any], run: Event, django_assert_num_queries: Callable[[int], Any]
) -> None:
    def ask() -> None:
        client.get("/metrics", **prometheus)

    ask()
    for number in range(3):
        Event.objects.create(slug=f"more-{number}", name="More", engine="fake", access=Event.Access.OPEN)
    with django_assert_num_queries(10):
        ask()


@pytest.mark.parametrize(
    ("scopes", "of_one_event", "code"),
    [
        ([Scope.READ], True, "permission_denied"),
        ([Scope.UPLOAD, Scope.SEARCH, Scope.MANAGE], False, "missing_scope"),
    ],
)
def test_a_key_for_something_else(
    client: Client, event: Event, scopes: list[Scope], of_one_event: bool, code: str
) -> None:
    key = new_key("other", *scopes, events=[event] if of_one_event else None)
    response = client.get("/metrics", headers={"Authorization": f"Api-Key {key}"})
    assert (response.status_code, response.json()["code"]) == (403, code)


def test_strangers(client: Client, organiser: User, staff: User) -> None:
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Api-Key nonsense.x"}).status_code == 401
    client.force_login(organiser)
    assert client.get("/metrics").status_code == 403
    client.force_login(staff)
    assert client.get("/metrics").status_code == 200
