"""What Prometheus is told: read from the database at each scrape, so that all processes and machines agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Count, Min
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily
from prometheus_client.registry import Collector

from events.models import Delivery, Event, Image, Tally
from faces.progress import workers_alive
from faces.steps import STEP

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from prometheus_client.core import Metric

    Families = Iterable[Metric]

SEARCH = "search"

LARGEST_EVENTS = 200
"""So many published events have lines of their own, the newest; Prometheus keeps a series for each of them."""


class SiteCollector(Collector):
    """Counts and times, and never what or whom: no name, no number of a photo or a person."""

    def collect(self) -> Iterator[Metric]:
        """Yield every metric, in a fixed number of queries."""
        yield from _photos()
        yield from _work()
        yield from _searches()
        yield from _queue()
        yield from _deliveries()
        yield _database()


REGISTRY = CollectorRegistry()
REGISTRY.register(SiteCollector())


def _photos() -> Iterator[Metric]:
    rows = Image.objects.order_by().values_list("event", "state").annotate(count=Count("*"))
    counts = {(event, state): count for event, state, count in rows}
    overall = GaugeMetricFamily("grabpic_photos", "Photos, by state.", labels=["state"])
    by_event = GaugeMetricFamily(
        "grabpic_event_photos", "Photos of a published event, by state.", labels=["event", "state"]
    )
    for state in Image.State.values:
        overall.add_metric([state], sum(count for (_, of), count in counts.items() if of == state))
    for pk, slug in Event.objects.published().order_by("-date", "-pk").values_list("pk", "slug")[:LARGEST_EVENTS]:
        for state in Image.State.values:
            by_event.add_metric([slug, state], counts.get((pk, state), 0))
    yield from (overall, by_event, _oldest_pending())


def _oldest_pending() -> Metric:
    oldest = Image.objects.pending().aggregate(oldest=Min("created_at"))["oldest"]
    age = (timezone.now() - oldest).total_seconds() if oldest else 0
    return GaugeMetricFamily("grabpic_oldest_pending_photo_seconds", "Age of the oldest pending photo.", value=age)


def _work() -> Families:
    steps = SummaryMetricFamily(
        "grabpic_step_seconds", "Time that the steps of the work took; how often, in photos.", labels=["step"]
    )
    for tally in Tally.objects.filter(name=STEP).order_by("label"):
        steps.add_metric([tally.label], tally.count, tally.seconds)
    return [steps]


def _searches() -> Families:
    """The rate of selfies that find nobody is that of `no_match` among all outcomes."""
    searches = CounterMetricFamily("grabpic_searches", "Selfie searches, by outcome.", labels=["outcome"])
    seconds = SummaryMetricFamily("grabpic_search_seconds", "Time that selfie searches took.")
    tallies = list(Tally.objects.filter(name=SEARCH).order_by("label"))
    for tally in tallies:
        searches.add_metric([tally.label], tally.count)
    seconds.add_metric([], sum(tally.count for tally in tallies), sum(tally.seconds for tally in tallies))
    return searches, seconds


def _queue() -> Families:
    jobs = GaugeMetricFamily("grabpic_jobs", "Jobs of the queue, by task and status.", labels=["task", "status"])
    rows = ProcrastinateJob.objects.order_by("task_name", "status").values_list("task_name", "status")
    for task, status, count in rows.annotate(count=Count("*")):
        jobs.add_metric([task, status], count)
    workers = GaugeMetricFamily("grabpic_workers", "Worker processes that showed a sign of life lately.")
    workers.add_metric([], workers_alive())
    return jobs, workers


def _deliveries() -> Families:
    deliveries = GaugeMetricFamily("grabpic_webhook_deliveries", "Messages to webhooks, by state.", labels=["state"])
    counts = dict(Delivery.objects.order_by().values_list("state").annotate(count=Count("*")))
    for state in Delivery.State.values:
        deliveries.add_metric([state], counts.get(state, 0))
    return [deliveries]


def _database() -> Metric:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (size,) = cursor.fetchone()
    return GaugeMetricFamily("grabpic_database_bytes", "Size of the database on disk.", value=size)
