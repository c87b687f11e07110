"""The jobs of the workers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from asgiref.sync import async_to_sync
from django.db import connection
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from conftest import GREEN, RED
from events.models import Event, Image
from faces import grouping, pipeline, tasks
from faces.models import Face, ImageFace

if TYPE_CHECKING:
    from collections.abc import Callable

    Add = Callable[..., Image]


pytestmark = pytest.mark.usefixtures("empty_queue")


class Context:
    """The part of procrastinate's that the jobs use."""

    def __init__(self, *, stopping: bool = False) -> None:
        self.should_abort = lambda: stopping


class Sweeping(Context):
    app = app


def jobs(task: str) -> list[dict[str, int]]:
    return list(
        ProcrastinateJob.objects.filter(task_name=task, status="todo").order_by("pk").values_list("args", flat=True)
    )


def run_index(event: Event, *, stopping: bool = False) -> None:
    tasks.index(Context(stopping=stopping), event_id=event.pk)  # type: ignore[arg-type]


def forget_all_jobs() -> None:
    for job in ProcrastinateJob.objects.all():
        app.job_manager.cancel_job_by_id(job.pk, delete_job=True)


def test_each_photo_is_announced_in_the_transaction_that_adds_it(event: Event, add: Add) -> None:
    add("one.png", RED)
    add("two.png", RED)
    assert jobs("index") == [{"event_id": event.pk}] * 2


def test_retried_photos_are_announced_for_their_events(event: Event, other_event: Event, add: Add) -> None:
    add("one.png", RED)
    add("two.png", RED, to=other_event)
    Image.objects.update(state="failed")
    forget_all_jobs()
    Image.objects.all().retry()
    assert jobs("index") == [{"event_id": event.pk}, {"event_id": other_event.pk}]


def test_a_batch_is_indexed_and_its_faces_wait_for_the_grouping(event: Event, add: Add) -> None:
    add("one.png", RED)
    add("none.png")
    run_index(event)
    assert dict(Image.objects.values_list("file_name", "state")) == {"one.png": "indexed", "none.png": "no_face"}
    assert jobs("group") == [{"event_id": event.pk}]
    tasks.group(event_id=event.pk)
    assert Face.objects.count() == 1


def test_a_batch_withdraws_the_jobs_of_its_photos(event: Event, other_event: Event, add: Add) -> None:
    for number in range(10):
        add(f"{number}.png", RED)
    add("other.png", RED, to=other_event)
    fail(ProcrastinateJob.objects.earliest("pk").pk)  # stands for the one that runs, which is not in the queue
    run_index(event)
    assert event.images.pending().count() == 2
    assert jobs("index") == [{"event_id": event.pk}] * 2 + [{"event_id": other_event.pk}]


def test_photos_without_faces_need_no_grouping(event: Event, add: Add) -> None:
    add("none.png")
    run_index(event)
    assert jobs("group") == []


def test_one_grouping_waits_at_a_time(event: Event, add: Add) -> None:
    for name in ("one.png", "two.png"):
        add(name, RED)
        run_index(event)
    assert jobs("group") == [{"event_id": event.pk}]


def test_a_grouping_after_which_much_has_changed_asks_for_a_consolidation(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    add("one.png", RED)
    run_index(event)
    tasks.group(event_id=event.pk)
    assert jobs("consolidate") == [{"event_id": event.pk}]
    tasks.request_consolidation(event)
    assert len(jobs("consolidate")) == 1, "one waits at a time"
    forget_all_jobs()
    tasks.consolidate(event_id=event.pk)
    tasks.group(event_id=event.pk)
    assert jobs("consolidate") == []


@pytest.mark.parametrize("silent_for", [tasks.STALLED + 5, None], ids=["killed", "failed"])
def test_a_consolidation_that_came_to_no_end_is_tried_again_a_few_times(event: Event, silent_for: float | None) -> None:
    tasks.request_consolidation(event)
    for attempt in range(tasks.GROUP_ATTEMPTS):
        assert len(jobs("consolidate")) == 1, attempt
        (job,) = ProcrastinateJob.objects.filter(task_name="consolidate", status="todo")
        if silent_for is None:
            fail(job.pk)
        else:
            begin(job.pk, silent_for=silent_for)
        async_to_sync(tasks.sweep.func)(Sweeping(), timestamp=0)  # type: ignore[arg-type]
    assert jobs("consolidate") == []


def test_a_consolidation_that_kills_its_worker_each_time_is_not_asked_for_by_every_grouping(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    add("one.png", RED)
    run_index(event)
    for _ in range(tasks.GROUP_ATTEMPTS):
        tasks.group(event_id=event.pk)
        (job,) = ProcrastinateJob.objects.filter(task_name="consolidate", status="todo")
        fail(job.pk)
    tasks.group(event_id=event.pk)
    assert jobs("consolidate") == []
    tasks.request_consolidation(event)
    assert len(jobs("consolidate")) == 1, "staff may ask"
    forget_all_jobs()
    tasks.consolidate(event_id=event.pk)
    assert not ProcrastinateJob.objects.filter(task_name="consolidate").exists(), "failures before it are forgiven"


def test_a_consolidation_that_runs_is_not_asked_for_again(
    event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping, "FEW", 0)
    add("one.png", RED)
    run_index(event)
    tasks.request_consolidation(event)
    begin(ProcrastinateJob.objects.get(task_name="consolidate").pk, silent_for=0)
    tasks.group(event_id=event.pk)
    assert jobs("consolidate") == []


def test_while_photos_come_in_the_grouping_waits(event: Event, add: Add) -> None:
    add("one.png", RED)
    tasks.request_grouping(event)
    later = ProcrastinateJob.objects.get(task_name="group")
    assert later.scheduled_at is not None
    pipeline.ingest(event)
    tasks.request_grouping(event)
    assert ProcrastinateJob.objects.filter(task_name="group", scheduled_at=None).exists(), "nothing pending: at once"


def test_a_worker_that_is_asked_to_stop_leaves_the_rest_announced(event: Event, add: Add) -> None:
    add("one.png", RED)
    forget_all_jobs()
    run_index(event, stopping=True)
    assert event.images.pending().count() == 1
    assert jobs("index") == [{"event_id": event.pk}]


def test_jobs_of_an_event_that_is_gone_do_nothing(event: Event) -> None:
    gone = event.pk
    event.delete()
    tasks.index(Context(), event_id=gone)  # type: ignore[arg-type]
    tasks.group(event_id=gone)
    tasks.consolidate(event_id=gone)


def test_what_nobody_was_told_of_is_announced(event: Event, other_event: Event, add: Add) -> None:
    for number in range(9):
        add(f"{number}.png", RED)
    add("other.png", GREEN, to=other_event)
    forget_all_jobs()
    tasks.announce_forgotten()
    assert sorted(job["event_id"] for job in jobs("index")) == sorted([event.pk, event.pk, other_event.pk])
    tasks.announce_forgotten()
    assert len(jobs("index")) == 3, "once is enough"


def test_faces_that_no_grouping_waits_for_are_grouped(run: Event) -> None:
    forget_all_jobs()
    tasks.announce_forgotten()
    assert jobs("group") == []
    ImageFace.objects.update(face=None)
    tasks.announce_forgotten()
    assert jobs("group") == [{"event_id": run.pk}]


def test_what_is_known_of_a_person_goes_soon_after_the_last_photo(run: Event) -> None:
    Image.objects.all().delete()
    forget_all_jobs()
    tasks.announce_forgotten()
    assert jobs("group") == [{"event_id": run.pk}]
    tasks.group(event_id=run.pk)
    assert not Face.objects.exists()


def test_a_grouping_that_fails_again_and_again_is_left_alone(run: Event, monkeypatch: pytest.MonkeyPatch) -> None:
    ImageFace.objects.update(face=None)
    for _ in range(tasks.GROUP_ATTEMPTS):
        tasks.announce_forgotten()
        for job in ProcrastinateJob.objects.filter(task_name="group", status="todo"):
            fail(job.pk)
    tasks.announce_forgotten()
    assert jobs("group") == []


def test_failures_before_a_grouping_that_succeeded_are_forgiven(run: Event) -> None:
    for _ in range(tasks.GROUP_ATTEMPTS):
        tasks.request_grouping(run)
        for job in ProcrastinateJob.objects.filter(task_name="group", status="todo"):
            fail(job.pk)
    tasks.group(event_id=run.pk)
    ImageFace.objects.update(face=None)
    tasks.announce_forgotten()
    assert jobs("group") == [{"event_id": run.pk}]


def test_faces_are_grouped_at_once_when_the_last_photo_has_none(event: Event, add: Add) -> None:
    add("one.png", RED)
    pipeline.index_batch(event)
    add("none.png")
    run_index(event)
    assert jobs("group") == [{"event_id": event.pk}]


def test_one_process_groups_an_event_and_the_others_do_not_wait_for_it(event: Event, add: Add) -> None:
    add("one.png", RED)
    tasks.request_grouping(event)  # later, since a photo is pending
    Image.objects.update(state="indexed")
    for expected in (1, 0):
        tasks.request_grouping(event)
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id")
            cursor.execute("SELECT id FROM procrastinate_fetch_job_v2('{group}', %s)", cursor.fetchone())
            assert sum(job is not None for (job,) in cursor.fetchall()) == expected


def test_jobs_that_failed_long_ago_are_dropped(event: Event, add: Add) -> None:
    add("one.png", RED)
    add("two.png", RED)
    old, young = ProcrastinateJob.objects.order_by("pk").values_list("pk", flat=True)
    fail(old)
    fail(young)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_events SET at = at - interval '25 hours' WHERE job_id = %s", [old])
    async_to_sync(tasks.clean_up.func)(Sweeping(), timestamp=0)  # type: ignore[arg-type]
    assert ProcrastinateJob.objects.get().pk == young


def fail(job: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT procrastinate_finish_job_v1(%s, 'failed', false)", [job])


def begin(job_id: int, *, silent_for: float) -> None:
    """Have a worker that gave its last sign of life so many seconds ago at work on the job."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH worker AS (INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - %s * interval '1 second') RETURNING id)"
            " UPDATE procrastinate_jobs SET status = 'doing', worker_id = worker.id FROM worker"
            " WHERE procrastinate_jobs.id = %s",
            [silent_for, job_id],
        )


@pytest.mark.parametrize(("silent_for", "taken"), [(tasks.STALLED + 5, True), (tasks.HEARTBEAT, False)])
def test_the_job_of_a_worker_that_fell_silent_is_taken_from_it(
    event: Event, add: Add, silent_for: float, *, taken: bool
) -> None:
    add("one.png", RED)
    job = ProcrastinateJob.objects.get(task_name="index")
    begin(job.pk, silent_for=silent_for)
    async_to_sync(tasks.sweep.func)(Sweeping(), timestamp=0)  # type: ignore[arg-type]
    assert ProcrastinateJob.objects.filter(pk=job.pk).exists() is not taken
    assert jobs("index") == ([{"event_id": event.pk}] if taken else []), "and its photo is announced again"


def test_grouping_is_asked_of_the_right_event(
    event: Event, other_event: Event, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    grouped: list[Event] = []
    monkeypatch.setattr(grouping, "group", grouped.append)
    tasks.group(event_id=other_event.pk)
    assert grouped == [other_event]
