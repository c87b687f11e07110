"""The jobs of the workers. The truth about work is in the rows; a job only says where to look.

- `index`: one for every photo that becomes pending, each good for a batch; it withdraws those of the others.
- `group`: the new faces of an event get their persons.
- `end`: a large event was deleted, whose photos are to follow it.
- `deliver`: a webhook has something due, which a thread beside the photos sends.
- `consolidate`: all its faces are clustered anew; minutes for a large event, so groupings go on beside it.
- `sweep`: every ten seconds, for what died with its worker or was never announced.
- `clean_up`: every hour, for the jobs that failed long ago, and for all that must not be kept any longer.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from asgiref.sync import sync_to_async
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.jobs import Status
from procrastinate.tasks import configure_task

from events import deliveries, ending, idempotency, limits, queue
from events.models import Event, Image
from faces import couriers, grouping, pipeline, retention, steps, telling
from faces.claims import BATCH_SIZE
from faces.models import Face, ImageFace
from faces.watchdog import watched

if TYPE_CHECKING:
    from django.db.models import QuerySet

logger = logging.getLogger(__name__)

GROUP = "group"
CONSOLIDATE = "consolidate"
SWEEP = "sweep"
CLEAN_UP = "clean_up"

HEARTBEAT = 5.0
"""Seconds between two signs of life of a worker."""

STALLED = 20.0
"""Seconds without one after which its job is taken from it."""

GROUP_EVERY = 10
"""Seconds between two groupings while photos are coming in."""

GROUP_ATTEMPTS = 3
"""So often in a row a grouping, or a consolidation, may fail before it is left alone; see `KEPT_HOURS`."""

END_BATCHES = 20
"""So many batches of photos are deleted by one job."""

END_PAUSE = timedelta(minutes=1)
"""Then a storage that failed is asked again."""

KEPT_HOURS = 24
"""So long a job that failed is kept, for somebody to look at."""

COUNTED = (GROUP, CONSOLIDATE)
"""The jobs that are kept when they fail, since that may be their event's fault."""

_FORGET = (
    "DELETE FROM procrastinate_jobs WHERE task_name = %s AND status = 'failed' AND (args->>'event_id')::bigint = %s"
)


@app.task(name=queue.INDEX, queue=queue.INDEX, pass_context=True)
def index(context: JobContext, event_id: int) -> None:
    """Index a batch of the event's pending photos; a stop of the worker is obeyed between two photos."""
    event = Event.objects.lasting().filter(pk=event_id).first()
    if event is None:
        return
    with watched(context.should_abort) as stop:
        done = pipeline.index_batch(event, stop)
    _withdraw(event, len(done) - 1)
    # Also after a last photo without faces: those of the photos before it wait.
    if pipeline.ended(done):
        _group_or_tell(event)
    if context.should_abort():
        # In place of this job, which may have left photos behind.
        queue.announce(event.pk)


@app.task(name=GROUP, queue=GROUP)
def group(event_id: int) -> None:
    """Give every new face of the event its person."""
    event = Event.objects.lasting().filter(pk=event_id).first()
    if event is not None:
        with steps.counted("group"):
            grouping.group(event)
        if not grouping.is_consolidation_due(event):
            telling.all_indexed(event)
        elif _may_begin(CONSOLIDATE, event):
            request_consolidation(event)
        _forgive(GROUP, event_id)


@app.task(name=CONSOLIDATE, queue=CONSOLIDATE)
def consolidate(event_id: int) -> None:
    """Cluster all faces of the event anew."""
    event = Event.objects.lasting().filter(pk=event_id).first()
    if event is not None:
        with steps.counted("consolidate"):
            grouping.consolidate(event)
        telling.all_indexed(event)
        _forgive(CONSOLIDATE, event_id)


@app.task(name=queue.END, queue=queue.END, pass_context=True)
def end(context: JobContext, event_id: int) -> None:
    """Delete some photos of an event that has ended, and have the rest follow: other work comes between."""
    event = Event.objects.ended().filter(pk=event_id).first()
    if event is None:
        return
    try:
        if not ending.delete_batches(event, END_BATCHES, context.should_abort):
            queue.announce_end(event_id)
    except OSError:
        logger.exception("Photos of an event that was deleted are still in the storage, which fails")
        queue.announce_end(event_id, at=timezone.now() + END_PAUSE)


@app.task(name=queue.DELIVER, queue=queue.DELIVER)
def deliver(webhook_id: int) -> None:
    """Have a webhook sent what is due. Not here, where photos would wait for whoever is slow to answer."""
    couriers.send(webhook_id)


@app.periodic(cron="0 * * * *")
@app.task(name=CLEAN_UP, queue=SWEEP, queueing_lock=CLEAN_UP, pass_context=True)
async def clean_up(context: JobContext, timestamp: int) -> None:
    """Drop the jobs that failed or were stopped a day ago; those that succeeded are gone already. See to retention."""
    await context.app.job_manager.delete_old_jobs(nb_hours=KEPT_HOURS, include_failed=True, include_aborted=True)
    await sync_to_async(see_to_retention)()


@app.periodic(cron="* * * * * */10")
@app.task(name=SWEEP, queue=SWEEP, priority=queue.URGENT, queueing_lock=SWEEP, pass_context=True)
async def sweep(context: JobContext, timestamp: int) -> None:
    """Take the jobs from workers that died, and see to all that is pending, ungrouped and announced to nobody."""
    for job in await context.app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED):
        await context.app.job_manager.finish_job(job, Status.FAILED, delete_job=job.task_name not in COUNTED)
    await sync_to_async(announce_forgotten)()
    await sync_to_async(send_forgotten)()


def see_to_retention() -> None:
    """Delete what must not be kept any longer: faces, galleries, sessions, old entries of the logs, allowances."""
    for _ in retention.retire_overdue():
        pass
    retention.expire()
    limits.expire()
    idempotency.expire()
    deliveries.expire()
    call_command("clearsessions")


def request_grouping(event: Event) -> None:
    """Have the event grouped: at once when nothing else is due, else after a while.

    To be called after the new faces are committed: a grouping that waits already will see them.
    """
    if event.images.due().exists():
        _defer_grouping(event, "later", GROUP_EVERY)
    else:
        _defer_grouping(event, "now", 0)


def request_consolidation(event: Event) -> None:
    """Have all faces of the event clustered anew, soon."""
    name = f"{CONSOLIDATE} {event.pk}"
    deferrer = configure_task(
        name=CONSOLIDATE,
        job_manager=queue.JOBS,
        queue=CONSOLIDATE,
        lock=name,
        queueing_lock=name,
        priority=queue.URGENT,
    )
    with suppress(AlreadyEnqueued), transaction.atomic():
        deferrer.defer(event_id=event.pk)


def announce_forgotten() -> None:
    """Defer jobs for events that have something to do, and no job."""
    for event in _without_job(queue.END, Event.objects.ended()):
        queue.announce_end(event.pk)
    pending = Image.objects.pending().filter(event=OuterRef("pk"))
    for event in _without_job(queue.INDEX, Event.objects.lasting().filter(Exists(pending))):
        queue.announce(*[event.pk] * -(-event.images.pending().count() // BATCH_SIZE))
    # Who has no cover lost it with a photo, and has to be forgotten as far as it showed them.
    ungrouped = Q(pk__in=_new_faces().values("image__event")) | Q(
        pk__in=Face.objects.filter(cover=None).values("event")
    )
    for event in Event.objects.lasting().filter(ungrouped):
        if _may_begin(GROUP, event):
            _defer_grouping(event, "now", 0)
    failed = _jobs(CONSOLIDATE, "failed").values_list("args__event_id", flat=True)
    for event in Event.objects.filter(pk__in=set(failed)):
        if _may_begin(CONSOLIDATE, event):
            request_consolidation(event)


def send_forgotten() -> None:
    """Tell what was told by nobody: events that are done; and send webhooks what is due again."""
    # A consolidation tells at its end.
    for event in _without_job(CONSOLIDATE, telling.with_news()):
        telling.all_indexed(event)
    for webhook in deliveries.ready():
        couriers.send(webhook.pk)


def _group_or_tell(event: Event) -> None:
    """See to what follows the photos that have just come to an end."""
    if _new_faces().filter(image__event=event).exists():
        request_grouping(event)
    else:
        telling.all_indexed(event)


def _withdraw(event: Event, count: int) -> None:
    """Take so many jobs off the queue, whose photos this job has done; else most jobs would find nothing to do."""
    mine = _jobs(queue.INDEX, "todo").filter(args__event_id=event.pk, scheduled_at=None)
    for job_id in mine.order_by("-pk").values_list("pk", flat=True)[: max(0, count)]:
        queue.JOBS.cancel_job_by_id(job_id, delete_job=True)


def _new_faces() -> QuerySet[ImageFace]:
    return ImageFace.objects.filter(face=None, embedding__engine=F("image__event__engine"))


def _without_job(task: str, events: QuerySet[Event]) -> list[Event]:
    busy = set(_jobs(task, "todo", "doing").values_list("args__event_id", flat=True).distinct())
    return [event for event in events if event.pk not in busy]


def _may_begin(task: str, event: Event) -> bool:
    """Tell whether no such job of the event waits or runs, and not too many in a row have failed."""
    statuses = list(_jobs(task, "todo", "doing", "failed").filter(args__event_id=event.pk).values_list("status"))
    return statuses == [("failed",)] * len(statuses) and len(statuses) < GROUP_ATTEMPTS


def _forgive(task: str, event_id: int) -> None:
    """Drop the jobs that failed before one that succeeded."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [task, event_id])


def _jobs(task: str, *statuses: str) -> QuerySet[ProcrastinateJob]:
    return ProcrastinateJob.objects.filter(task_name=task, status__in=statuses)


def _defer_grouping(event: Event, when: str, seconds: int) -> None:
    """Defer a grouping, unless one of the same `when` waits already."""
    deferrer = configure_task(
        name=GROUP,
        job_manager=queue.JOBS,
        queue=GROUP,
        # A process that would only wait for another's grouping looks at photos instead. What is due later comes behind,
        # since of jobs with the same lock the first one keeps the others back.
        lock=f"{GROUP} {event.pk}",
        priority=queue.URGENT - 1 if seconds else queue.URGENT,
        queueing_lock=f"{GROUP} {event.pk} {when}",
        schedule_in={"seconds": seconds} if seconds else None,
    )
    with suppress(AlreadyEnqueued), transaction.atomic():
        deferrer.defer(event_id=event.pk)
