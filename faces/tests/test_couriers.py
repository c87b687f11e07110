"""Webhooks are sent in threads beside the photos: whoever is slow to answer holds up neither photos nor others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

import pytest

from events.models import Delivery, Event
from events.tests.receiver import new_webhook, receiving
from events.webhooks import Kind, announce
from faces import couriers, tasks

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.server import BaseHTTPRequestHandler

    from pytest_django.fixtures import Settings

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("empty_queue")]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "it does not happen"
        time.sleep(0.01)


def all_ended() -> bool:
    return not any(thread.name.startswith("courier") for thread in threading.enumerate())


def test_a_slow_receiver_holds_up_neither_the_worker_nor_another_receiver(event: Event, settings: Settings) -> None:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    answer = threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        answer.wait(10)
        handler.send_response(200)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with receiving() as slow, receiving() as quick:
        slow.usual = wait
        first, second = new_webhook(slow.address), new_webhook(quick.address)
        announce(event, Kind.MATCH_CREATED, {})
        for webhook in (first, second):
            tasks.deliver(webhook_id=webhook.pk)
        wait_for(lambda: second.deliveries.get().state == "delivered")
        assert first.deliveries.get().state == "pending"
        tasks.deliver(webhook_id=first.pk)  # somebody is at it already
        answer.set()
        wait_for(all_ended)
        assert len(slow.heard) == 1
        assert set(Delivery.objects.values_list("state", flat=True)) == {"delivered"}


def test_no_more_threads_than_may_be_are_begun(event: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, end = [], threading.Event()

    def deliver(webhook_id: int, stop: object) -> None:
        begun.append(webhook_id)
        end.wait(10)

    monkeypatch.setattr("events.deliveries.deliver", deliver)
    for number in range(couriers.MOST + 3):
        couriers.send(number)
    wait_for(lambda: len(begun) == couriers.MOST)
    end.set()
    wait_for(all_ended)
    couriers.send(99)
    wait_for(all_ended)
    assert sorted(begun) == [*range(couriers.MOST), 99]
