"""How messages reach a receiver on loopback, and what becomes of those that do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.utils import timezone

from events import deliveries, sending
from events.locks import KEY
from events.models import Delivery, Event, Webhook
from events.tests.receiver import Receiver, new_webhook, receiving
from events.webhooks import Kind, announce

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.server import BaseHTTPRequestHandler

    from pytest_django.fixtures import Settings

SECOND = timedelta(seconds=1)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def webhook(receiver: Receiver, db: None) -> Webhook:
    return new_webhook(receiver.address)


def tell(event: Event, count: int = 1) -> None:
    for number in range(count):
        announce(event, Kind.MATCH_CREATED, {"number": number})


def numbers(receiver: Receiver) -> list[int]:
    return [message["data"]["number"] for message in receiver.heard]


def states() -> list[str]:
    return list(Delivery.objects.order_by("pk").values_list("state", flat=True))


def let_pass(by: timedelta) -> None:
    """Let so much time pass for all that waits."""
    for delivery in Delivery.objects.all():
        Delivery.objects.filter(pk=delivery.pk).update(due_at=delivery.due_at - by)
    for webhook in Webhook.objects.exclude(rests_until=None):
        Webhook.objects.filter(pk=webhook.pk).update(rests_until=webhook.rests_until and webhook.rests_until - by)


def test_a_message_arrives_signed(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    tell(event)
    deliveries.deliver(webhook.pk)
    delivery = Delivery.objects.get()
    (headers,), (body,) = receiver.headers, receiver.bodies
    assert json.loads(body) == delivery.payload
    assert headers["content-type"] == "application/json"
    assert headers["host"] in webhook.url
    assert headers["webhook-id"] == str(delivery.delivery_id)
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 5
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.digest(base64.b64decode(webhook.secret[6:]), signed, hashlib.sha256)
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert (delivery.state, delivery.attempts, delivery.status_code, delivery.problem) == ("delivered", 1, 200, "")
    assert delivery.delivered_at is not None


def test_many_messages_go_over_one_connection_in_order(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    tell(event, 20)
    deliveries.deliver(webhook.pk)
    assert numbers(receiver) == list(range(20))
    assert len(receiver.connections) == 1
    assert set(states()) == {"delivered"}


def test_more_than_a_batch_is_sent(
    event: Event, webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "BATCH", 2)
    tell(event, 5)
    deliveries.deliver(webhook.pk)
    assert numbers(receiver) == list(range(5))


def test_any_2xx_is_a_success(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    receiver.answers += [201, 202, 204]
    tell(event, 3)
    deliveries.deliver(webhook.pk)
    assert list(Delivery.objects.order_by("pk").values_list("state", "status_code")) == [
        ("delivered", 201),
        ("delivered", 202),
        ("delivered", 204),
    ]


def test_a_message_that_fails_is_tried_again_later_and_later_and_then_has_failed(
    event: Event, webhook: Webhook, receiver: Receiver
) -> None:
    receiver.usual = 500
    tell(event)
    waited = []
    for _ in range(20):
        deliveries.deliver(webhook.pk)
        delivery = Delivery.objects.get()
        if delivery.state == "failed":
            break
        waited.append(delivery.due_at - timezone.now())
        deliveries.deliver(webhook.pk)  # too early
        let_pass(timedelta(days=1, minutes=2))
    assert [round(wait / SECOND) for wait in waited] == [10, 60, 300, 1800, 7200, 21600, 43200, 86400]
    assert len(receiver.heard) == delivery.attempts == 9
    assert (delivery.status_code, delivery.problem) == (500, "It answered 500 Internal Server Error.")
    assert len({headers["webhook-id"] for headers in receiver.headers}) == 1


def test_a_message_that_always_fails_holds_up_no_other(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    receiver.answers += [400]
    tell(event, 3)
    deliveries.deliver(webhook.pk)
    assert states() == ["pending", "delivered", "delivered"]


def test_a_webhook_that_fails_in_a_row_rests_and_loses_nothing(
    event: Event, webhook: Webhook, receiver: Receiver
) -> None:
    receiver.usual = 503
    tell(event, 10)
    deliveries.deliver(webhook.pk)
    deliveries.deliver(webhook.pk)
    assert len(receiver.heard) == deliveries.PATIENCE
    let_pass(deliveries.REST + SECOND)
    deliveries.deliver(webhook.pk)
    assert len(receiver.heard) == deliveries.PATIENCE + 1, "one attempt shows whether it is better"
    receiver.usual = 200
    let_pass(deliveries.REST + SECOND)
    deliveries.deliver(webhook.pk)
    webhook.refresh_from_db()
    assert webhook.rests_until is None
    assert set(states()) == {"delivered"}
    assert set(numbers(receiver)) == set(range(10))


def test_a_webhook_that_rests_holds_up_no_other(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    Webhook.objects.filter(pk=webhook.pk).update(rests_until=timezone.now() + SECOND)
    well = new_webhook(receiver.address, name="well")
    tell(event)
    assert list(deliveries.ready()) == [well]


def test_who_answers_gone_is_told_nothing_any_more(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    receiver.answers += [410]
    tell(event, 3)
    deliveries.deliver(webhook.pk)
    webhook.refresh_from_db()
    assert not webhook.is_active
    assert len(receiver.heard) == 1
    assert set(states()) == {"failed"}
    assert "410" in Delivery.objects.earliest("pk").problem


def test_a_redirect_is_not_followed(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", receiver.address)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    receiver.answers += [elsewhere]
    tell(event)
    deliveries.deliver(webhook.pk)
    assert len(receiver.heard) == 1
    assert "redirects are not followed" in Delivery.objects.get().problem


def test_a_long_answer_is_hung_up_on_and_not_kept(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    sent = []

    def talk(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(10**9))
        handler.end_headers()
        try:
            while True:
                sent.append(handler.wfile.write(b"secret " * 10_000))
        except OSError:
            handler.close_connection = True

    receiver.answers += [talk]
    tell(event, 2)
    deliveries.deliver(webhook.pk)
    assert states() == ["delivered", "delivered"]
    assert sum(sent) < 10**8
    assert Delivery.objects.earliest("pk").problem == ""


def test_who_drips_is_cut_off(
    event: Event, webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drip(handler: BaseHTTPRequestHandler) -> None:
        for _ in range(100):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n"[:1])
            time.sleep(0.02)

    monkeypatch.setattr(sending, "SECONDS", 0.2)
    receiver.answers += [drip]
    tell(event)
    start = time.monotonic()
    deliveries.deliver(webhook.pk)
    assert time.monotonic() - start < 1.5
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.status_code) == ("pending", None)
    assert delivery.problem.startswith("No answer within")


def test_nobody_at_the_address_is_a_failure(event: Event, webhook: Webhook) -> None:
    Webhook.objects.update(url="http://127.0.0.1:9/")
    tell(event)
    deliveries.deliver(webhook.pk)
    assert Delivery.objects.get().problem == "Nobody answers at this address."


def test_a_connection_that_was_closed_meanwhile_is_made_anew(
    event: Event, webhook: Webhook, receiver: Receiver
) -> None:
    def once(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True

    receiver.answers += [once]
    tell(event, 2)
    deliveries.deliver(webhook.pk)
    assert states() == ["delivered", "delivered"]
    assert len(receiver.connections) == 2


def test_a_stop_is_obeyed_between_two_messages(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    tell(event, 3)
    deliveries.deliver(webhook.pk, lambda: len(receiver.heard) == 1)
    assert states() == ["delivered", "pending", "pending"]


def test_one_process_at_a_time_sends_to_a_webhook(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    tell(event)
    with connection.cursor() as cursor:
        other = connection.copy("other")
        other.connect()
        try:
            other.connection.execute(f"SELECT pg_advisory_lock({KEY})", [deliveries.lock_of(webhook.pk)])
            deliveries.deliver(webhook.pk)
            assert receiver.heard == []
            # Not by closing alone: the server lets go of a closed session's locks a moment later.
            other.connection.execute("SELECT pg_advisory_unlock_all()")
        finally:
            other.close()
        deliveries.deliver(webhook.pk)
        assert len(receiver.heard) == 1
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        assert cursor.fetchone() == (0,)


def test_what_is_switched_off_is_sent_nothing(event: Event, webhook: Webhook, receiver: Receiver) -> None:
    tell(event)
    Webhook.objects.update(is_active=False)
    deliveries.deliver(webhook.pk)
    assert (receiver.heard, states()) == ([], ["pending"])


def test_a_message_sent_again_is_the_same_with_a_new_signature(
    event: Event, webhook: Webhook, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(event)
    deliveries.deliver(webhook.pk)
    Webhook.objects.update(rests_until=timezone.now() + deliveries.REST)
    assert deliveries.send_again(Delivery.objects.all()) == [webhook.pk]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 60)
    deliveries.deliver(webhook.pk)
    first, second = receiver.headers
    assert receiver.bodies[0] == receiver.bodies[1]
    assert first["webhook-id"] == second["webhook-id"]
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) >= 59
    assert first["webhook-signature"] != second["webhook-signature"]
    assert states() == ["delivered"]


@pytest.mark.parametrize(("status", "state"), [(200, "delivered"), (500, "failed")])
def test_a_test_is_sent_at_once_and_once(webhook: Webhook, receiver: Receiver, status: int, state: str) -> None:
    receiver.usual = status
    assert deliveries.send_test(webhook).status == status
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.kind, delivery.event) == (state, "webhook.test", None)
    assert receiver.heard == [delivery.payload]


def kept(state: str, days: int) -> Delivery:
    delivery = Delivery.objects.create(webhook=Webhook.objects.get(), kind="match.created", payload={}, state=state)
    then = timezone.now() - timedelta(days=days)
    Delivery.objects.filter(pk=delivery.pk).update(created_at=then, due_at=then)
    return delivery


def test_the_log_goes_back_a_month_for_what_arrived_and_a_quarter_for_what_failed(webhook: Webhook) -> None:
    kept("delivered", 31)
    kept("failed", 91)
    young = [kept("delivered", 29), kept("failed", 89)]
    deliveries.expire()
    assert list(Delivery.objects.order_by("pk")) == young


def test_what_could_not_be_sent_in_days_has_failed(webhook: Webhook) -> None:
    kept("pending", 3)
    kept("pending", 1)
    deliveries.expire()
    assert states() == ["failed", "pending"]
