"""Tells other programs what happens in events: a row for each message, written together with what it tells of.

`events.deliveries` sends them.
"""

from __future__ import annotations

import uuid
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from events import queue
from events.models import Delivery, Webhook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from events.models import Event

Kind = Webhook.Kind

TEST = "webhook.test"
"""The kind of a message that staff send to see whether it arrives."""


class Audience:
    """Who wants to hear of some kinds of things in an event: asked once, for any number of messages."""

    def __init__(self, event: Event, *kinds: Kind) -> None:
        self._event = event
        self._webhooks = list(
            Webhook.objects.filter(Webhook.reaching(event), is_active=True, kinds__overlap=kinds).order_by("pk")
        )

    def wants(self, kind: Kind) -> bool:
        return any(kind in webhook.kinds for webhook in self._webhooks)

    def tell(self, kind: Kind, data: Mapping[str, Any]) -> None:
        """Write a message for each webhook, in the transaction of the caller, and call the workers after it.

        What the row says must not be sent if the transaction fails; and a job that is taken before it ends would not
        see the row. If the process dies in between, the next sweep finds it.
        """
        listeners = [webhook for webhook in self._webhooks if kind in webhook.kinds]
        if listeners:
            Delivery.objects.bulk_create(message(webhook, kind, data, self._event) for webhook in listeners)
            transaction.on_commit(partial(queue.call_couriers, *(webhook.pk for webhook in listeners)))


def announce(event: Event, kind: Kind, data: Mapping[str, Any]) -> None:
    """Tell every webhook that listens; to nobody, it is one small query."""
    Audience(event, kind).tell(kind, data)


def message(webhook: Webhook, kind: str, data: Mapping[str, Any], event: Event | None = None) -> Delivery:
    """Return a message that is due now, not yet written."""
    now, delivery_id = timezone.now(), uuid.uuid4()
    payload = {
        "id": str(delivery_id),
        "type": kind,
        "timestamp": now.isoformat(),
        "event": event and event.slug,
        "data": dict(data),
    }
    return Delivery(delivery_id=delivery_id, webhook=webhook, event=event, kind=kind, payload=payload, due_at=now)
