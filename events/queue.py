"""Calls the workers when photos are waiting. Who answers is `faces.tasks`, known here by name only."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import django.db
import psycopg
from django.db import transaction
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued, ConnectorException
from procrastinate.manager import JobManager
from procrastinate.tasks import configure_task

if TYPE_CHECKING:
    from datetime import datetime

    from procrastinate.types import JSONDict

INDEX = "index"
"""The name of the task that takes an event's pending photos in hand."""

END = "end"
"""The name of the task that deletes the photos of an event that has ended."""

DELIVER = "deliver"
"""The name of the task that sends a webhook what is due."""

URGENT = 10
"""Priority of the jobs that must not wait behind fifty thousand photos."""

JOBS = JobManager(DjangoConnector())
"""Writes jobs on Django's connection, and so in its transactions. In a worker, procrastinate's own has another one."""

DATABASE_AWAY = (django.db.OperationalError, psycopg.OperationalError, ConnectorException)
"""What Django, the driver and the queue each raise when the database does not answer."""


def announce(*event_ids: int, at: datetime | None = None) -> None:
    """Defer a job for each photo, by its event, in the transaction that makes it pending: both come, or neither.

    `at`: not before then.
    """
    if event_ids:
        jobs: list[JSONDict] = [{"event_id": event_id} for event_id in event_ids]
        configure_task(name=INDEX, job_manager=JOBS, queue=INDEX, schedule_at=at).batch_defer(*jobs)


def announce_end(event_id: int, at: datetime | None = None) -> None:
    """Defer a job that deletes photos of an event that has ended, unless one waits; `at`: not before then."""
    name = f"{END} {event_id}"
    deferrer = configure_task(name=END, job_manager=JOBS, queue=END, lock=name, queueing_lock=name, schedule_at=at)
    with suppress(AlreadyEnqueued), transaction.atomic():
        deferrer.defer(event_id=event_id)


def call_couriers(*webhook_ids: int) -> None:
    """Defer a job for each webhook that none waits for; to be called after what is due is committed."""
    for webhook_id in webhook_ids:
        name = f"{DELIVER} {webhook_id}"
        # First a look: nearly always one waits while photos come in, and the database notes each refusal in its log.
        if not ProcrastinateJob.objects.filter(queueing_lock=name, status="todo").exists():
            with suppress(AlreadyEnqueued), transaction.atomic():
                deferrer = configure_task(
                    name=DELIVER, job_manager=JOBS, queue=DELIVER, queueing_lock=name, priority=URGENT
                )
                deferrer.defer(webhook_id=webhook_id)
