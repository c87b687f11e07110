"""Sends webhooks their messages. The truth is in the rows: what is due, how often it was tried, what came back.

One process at a time sends to a webhook, one message after the other. A message that fails is tried again, later and
later. A webhook that fails several times in a row rests: its other messages wait, and nobody else's.
"""

from __future__ import annotations

import json
import time
from datetime import timedelta
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from events import queue
from events.locks import held
from events.models import Delivery, Webhook
from events.sending import Answer, Line
from events.signatures import signed
from events.webhooks import TEST, message

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet

BACK_OFF = (
    *(timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30)),
    *(timedelta(hours=2), timedelta(hours=6), timedelta(hours=12), timedelta(hours=24)),
)
"""Between one attempt and the next; after the last one the message has failed."""

OVERDUE = timedelta(days=2)
"""What could not even be tried for so long has failed, too: the back-off is over by then."""

PATIENCE = 3
"""So many failures in a row send a webhook to rest."""

REST = timedelta(minutes=1)
"""Then one message is tried, and the webhook rests again if that fails."""

BATCH = 200
"""So many messages go out before the webhook is read anew, with what staff have changed."""

KEPT = {Delivery.State.DELIVERED: timedelta(days=30), Delivery.State.FAILED: timedelta(days=90)}
"""How long the log goes back."""


def lock_of(webhook_id: int) -> str:
    """Return the name of the lock that whoever sends to a webhook holds."""
    return f"webhook {webhook_id}"


def never() -> bool:
    return False


def ready() -> QuerySet[Webhook]:
    """Return the webhooks to which something is to be sent now."""
    now = timezone.now()
    due = Delivery.objects.filter(webhook=OuterRef("pk"), state=Delivery.State.PENDING, due_at__lte=now)
    return Webhook.objects.filter(Exists(due), is_active=True).exclude(rests_until__gt=now)


def deliver(webhook_id: int, stop: Callable[[], bool] = never) -> None:
    """Send a webhook what is due, until nothing is, or it has to rest; `stop` is asked before each message.

    At once where another process is at it: that one looks again after it has let go.
    """
    while not stop() and (webhook := ready().filter(pk=webhook_id).first()):
        with held(lock_of(webhook_id)) as ours:
            if not ours:
                return
            _send_batch(webhook, stop)


def send_again(deliveries: QuerySet[Delivery]) -> list[int]:
    """Make messages due once more, as they are; return the keys of their webhooks, which rest no longer."""
    webhooks = list(deliveries.order_by().values_list("webhook", flat=True).distinct())
    with transaction.atomic():
        deliveries.update(
            state=Delivery.State.PENDING, attempts=0, due_at=timezone.now(), delivered_at=None, problem=""
        )
        Webhook.objects.filter(pk__in=webhooks).update(rests_until=None)
        transaction.on_commit(partial(queue.call_couriers, *webhooks))
    return webhooks


def send_test(webhook: Webhook) -> Answer:
    """Send a message that means nothing, here and now and once, and note it in the log."""
    delivery = message(webhook, TEST, {"text": "This is a test."})
    with Line(webhook.url) as line:
        answer = _post(line, webhook, delivery)
    delivery.state = Delivery.State.FAILED if answer.problem else Delivery.State.DELIVERED
    delivery.delivered_at = None if answer.problem else timezone.now()
    delivery.attempts, delivery.status_code, delivery.problem = 1, answer.status, answer.problem
    delivery.save()
    return answer


def expire() -> None:
    """Give up what was not sent in time, and delete what is too old in the log."""
    now = timezone.now()
    overdue = Delivery.objects.filter(state=Delivery.State.PENDING, due_at__lt=now - OVERDUE)
    overdue.update(
        state=Delivery.State.FAILED, problem="The webhook was switched off, or did not answer, for too long."
    )
    for state, age in KEPT.items():
        Delivery.objects.filter(state=state, created_at__lt=now - age).delete()


def _send_batch(webhook: Webhook, stop: Callable[[], bool]) -> None:
    patience = 1 if webhook.rests_until else PATIENCE
    due = webhook.deliveries.filter(state=Delivery.State.PENDING, due_at__lte=timezone.now())
    with Line(webhook.url) as line:
        for delivery in due.order_by("due_at", "pk")[:BATCH]:
            if stop():
                return
            answer = _post(line, webhook, delivery)
            _note(delivery, answer)
            patience = patience - 1 if answer.problem else PATIENCE
            if not _goes_on(webhook, answer, patience):
                return


def _post(line: Line, webhook: Webhook, delivery: Delivery) -> Answer:
    body = json.dumps(delivery.payload, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "Grabpic"}
    return line.post(body, headers | signed(webhook.secret, str(delivery.delivery_id), int(time.time()), body))


def _note(delivery: Delivery, answer: Answer) -> None:
    """Write down what came of an attempt; unless somebody was faster, or the message is gone."""
    tried, now = delivery.attempts + 1, timezone.now()
    changes: dict[str, object] = {"attempts": tried, "status_code": answer.status, "problem": answer.problem}
    if not answer.problem:
        changes |= {"state": Delivery.State.DELIVERED, "delivered_at": now}
    elif tried > len(BACK_OFF):
        changes |= {"state": Delivery.State.FAILED}
    else:
        changes |= {"due_at": now + BACK_OFF[tried - 1]}
    Delivery.objects.filter(pk=delivery.pk, state=Delivery.State.PENDING).update(**changes)


def _goes_on(webhook: Webhook, answer: Answer, patience: int) -> bool:
    """Tell whether the webhook can be sent more now, and write down when not."""
    if answer.status == HTTPStatus.GONE:
        _switch_off(webhook)
    elif not answer.problem and webhook.rests_until:
        _rest(webhook, None)
    elif not patience:
        _rest(webhook, timezone.now() + REST)
    return answer.status != HTTPStatus.GONE and patience > 0


def _rest(webhook: Webhook, until: datetime | None) -> None:
    webhook.rests_until = until
    Webhook.objects.filter(pk=webhook.pk).update(rests_until=until)


def _switch_off(webhook: Webhook) -> None:
    """Send nothing any more to who does not want it; staff can switch it on, and send again."""
    Webhook.objects.filter(pk=webhook.pk).update(is_active=False)
    waiting = webhook.deliveries.filter(state=Delivery.State.PENDING)
    waiting.update(state=Delivery.State.FAILED, problem="The address answered 410 Gone: the webhook was switched off.")
