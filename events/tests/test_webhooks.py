"""Who is told what: one row for each webhook that listens, with what it tells of, or not at all."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from procrastinate.contrib.django.models import ProcrastinateJob

from events.models import Delivery, Event, Webhook
from events.models.webhooks import new_secret
from events.signatures import signed
from events.tests.receiver import new_webhook
from events.webhooks import Audience, Kind, announce

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.usefixtures("empty_queue")


def told() -> list[tuple[str, str]]:
    """Return who is to be told what."""
    return list(Delivery.objects.order_by("pk").values_list("webhook__name", "kind"))


def test_a_message_says_what_happened_when_and_where(event: Event) -> None:
    new_webhook()
    announce(event, Kind.MATCH_CREATED, {"photos": 3})
    delivery = Delivery.objects.get()
    assert set(delivery.payload) == {"id", "type", "timestamp", "event", "data"}
    assert UUID(delivery.payload["id"]) == delivery.delivery_id
    assert (delivery.payload["type"], delivery.payload["event"]) == ("match.created", "city-run")
    assert datetime.fromisoformat(delivery.payload["timestamp"]) == delivery.due_at
    assert delivery.payload["data"] == {"photos": 3}
    assert (delivery.event, delivery.state, delivery.attempts) == (event, "pending", 0)


def test_only_who_reaches_the_event_and_wants_the_kind_is_told(event: Event, other_event: Event) -> None:
    new_webhook(name="every event")
    new_webhook(name="this event", every_event=False).events.add(event)
    new_webhook(name="another event", every_event=False).events.add(other_event)
    new_webhook(name="no event", every_event=False)
    new_webhook("https://client.example", Kind.IMAGE_INDEXED, name="another kind")
    new_webhook(name="switched off", is_active=False)
    announce(event, Kind.MATCH_CREATED, {})
    assert told() == [("every event", "match.created"), ("this event", "match.created")]


def test_an_audience_is_asked_for_once(event: Event) -> None:
    with CaptureQueriesContext(connection) as queries:
        audience = Audience(event, Kind.IMAGE_INDEXED, Kind.IMAGE_FAILED)
        for _ in range(100):
            audience.tell(Kind.IMAGE_INDEXED, {})
    assert len(queries) == 1
    assert not audience.wants(Kind.IMAGE_INDEXED)


def test_what_did_not_happen_is_not_told(event: Event) -> None:
    new_webhook()
    with transaction.atomic():
        announce(event, Kind.MATCH_CREATED, {})
        transaction.set_rollback(True)
    assert told() == []


def test_the_workers_are_called_once_and_after_the_commit(
    event: Event, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    webhook = new_webhook()
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(3):
            announce(event, Kind.MATCH_CREATED, {})
        assert not ProcrastinateJob.objects.exists()
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("deliver", {"webhook_id": webhook.pk})


def test_a_message_outlives_its_event(event: Event) -> None:
    new_webhook()
    announce(event, Kind.PERSON_FORGOTTEN, {"grab_id": "x"})
    event.delete()
    delivery = Delivery.objects.get()
    assert (delivery.event, delivery.payload["event"], delivery.state) == (None, "city-run", "pending")


def test_each_webhook_has_a_secret_of_32_bytes(db: None) -> None:
    one, other = new_webhook(), new_webhook()
    assert one.secret != other.secret
    assert len(base64.b64decode(one.secret.removeprefix("whsec_"), validate=True)) == 32


def test_a_message_is_signed_as_the_specification_says() -> None:
    """The example of the specification's own libraries."""
    headers = signed(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_a_signature_holds_for_one_body_only() -> None:
    secret = new_secret()
    signature = signed(secret, "one", 1, b"{}")["webhook-signature"]
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, b"one.1.{}", hashlib.sha256).digest()).decode()
    assert signature == f"v1,{expected}"
    others = [signed(secret, "one", 1, b"{ }"), signed(secret, "two", 1, b"{}"), signed(secret, "one", 2, b"{}")]
    assert signature not in [other["webhook-signature"] for other in others]


def test_a_webhook_is_within_events_if_it_reaches_no_other(event: Event, other_event: Event) -> None:
    both, this = (new_webhook(name=name, every_event=False) for name in ("both", "this"))
    new_webhook(name="none", every_event=False)
    new_webhook(name="every")
    both.events.add(event, other_event)
    this.events.add(event)
    within = Webhook.objects.filter(Webhook.within(Event.objects.filter(pk=event.pk)))
    assert [webhook.name for webhook in within] == ["this"]
    assert Webhook.objects.filter(Webhook.within(Event.objects.all())).count() == 2
