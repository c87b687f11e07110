"""Webhooks in admin: of one's own events only, with a secret that is shown once; and the log of what they were sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from events.models import Delivery, Event, Webhook
from events.tests.receiver import Receiver, new_webhook, receiving
from events.webhooks import Kind, announce
from faces.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.contrib.auth.models import User
    from pytest_django.fixtures import Settings

pytestmark = pytest.mark.usefixtures("empty_queue")

WEBHOOKS = "/admin/events/webhook/"
DELIVERIES = "/admin/events/delivery/"
MAY = (
    *("add_webhook", "change_webhook", "delete_webhook", "view_webhook"),
    *("change_delivery", "view_delivery", "view_face"),
)
URL = "https://client.example/hook"


@pytest.fixture
def owner(organiser: User) -> Client:
    """A client of the organiser's, who has what the group of organisers has to do with webhooks."""
    organiser.user_permissions.set(Permission.objects.filter(codename__in=MAY))
    client = Client()
    client.force_login(organiser)
    return client


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    settings.WEBHOOKS_TO_PRIVATE_ADDRESSES = True
    with receiving() as receiver:
        yield receiver


def form(*events: Event, **fields: Any) -> dict[str, Any]:
    fields = {"name": "client", "url": URL, "kinds": ["event.indexed"], "is_active": "on", **fields}
    return fields | {"events": [event.pk for event in events]}


def add(client: Client, *events: Event, **fields: Any) -> Any:
    return client.post(f"{WEBHOOKS}add/", form(*events, **fields))


def page_of(row: Webhook | Delivery) -> str:
    return f"{WEBHOOKS if isinstance(row, Webhook) else DELIVERIES}{row.pk}/change/"


def problems(page: Any) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = page.context["adminform"].form.errors
    return errors


def own(event: Event, **fields: Any) -> Webhook:
    webhook = new_webhook(every_event=False, **fields)
    webhook.events.add(event)
    return webhook


def test_the_secret_is_shown_once(owner: Client, event: Event, organiser: User) -> None:
    page = add(owner, event)
    webhook = Webhook.objects.get()
    assert webhook.secret in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert (webhook.kinds, webhook.created_by, list(webhook.events.all())) == (["event.indexed"], organiser, [event])
    for address in (WEBHOOKS, page_of(webhook), f"{WEBHOOKS}{webhook.pk}/history/"):
        assert webhook.secret not in owner.get(address).content.decode()


def test_a_new_secret_takes_the_place_of_the_old_one(owner: Client, event: Event) -> None:
    webhook = own(event)
    page = owner.post(page_of(webhook), form(event, _secret="yes"))
    renewed = Webhook.objects.get()
    assert renewed.secret != webhook.secret
    assert renewed.secret in page.content.decode()
    assert webhook.secret not in page.content.decode()


@pytest.mark.parametrize(
    "url", ["http://client.example/", "https://user:word@client.example/", "ftp://client.example/"]
)
def test_an_address_that_may_not_be_used_is_refused(owner: Client, event: Event, url: str) -> None:
    assert "url" in problems(add(owner, event, url=url))
    assert not Webhook.objects.exists()


def test_organisers_make_webhooks_for_their_own_events(owner: Client, event: Event, other_event: Event) -> None:
    assert "events" in problems(add(owner, other_event))
    assert "events" in problems(add(owner, event, other_event))
    assert "events" in problems(add(owner, every_event="on"))
    assert not Webhook.objects.exists()


def test_kinds_that_name_people_are_for_who_may_see_people(owner: Client, event: Event, organiser: User) -> None:
    organiser.user_permissions.remove(Permission.objects.get(codename="view_face"))
    assert "kinds" in problems(add(owner, event, kinds=["match.created"]))
    webhook = own(event)
    assert owner.post(page_of(webhook), form(event, name="mine")).status_code == 403


def test_what_was_changed_is_in_the_audit_log(owner: Client, event: Event) -> None:
    add(owner, event)
    owner.post(page_of(Webhook.objects.get()), form(event, is_active=""))
    details = AuditEntry.objects.filter(event=event).order_by("pk").values_list("detail", flat=True)
    assert list(details) == ["webhook client: event.indexed to client.example", "webhook client: off"]


def test_webhooks_of_other_events_are_not_shown_nor_changed(owner: Client, event: Event, other_event: Event) -> None:
    foreign = [own(other_event, name="Secret 1"), new_webhook(name="Secret 2"), own(event, name="Secret 3")]
    foreign[2].events.add(other_event)
    announce(other_event, Kind.EVENT_INDEXED, {"note": "Secret"})
    announce(event, Kind.EVENT_INDEXED, {"note": "Secret"})
    before = list(Webhook.objects.order_by("pk").values())
    pages = [WEBHOOKS, DELIVERIES, *map(page_of, foreign), *map(page_of, Delivery.objects.all())]
    for page in pages:
        assert "Secret" not in owner.get(page, follow=True).content.decode(), page
    for webhook in foreign:
        owner.post(page_of(webhook), form(event, _secret="yes", _test="yes"))
        owner.post(f"{WEBHOOKS}{webhook.pk}/delete/", {"post": "yes"})
    everything = [delivery.pk for delivery in Delivery.objects.all()]
    Delivery.objects.update(state="failed")
    owner.post(DELIVERIES, {"action": "send_again", "_selected_action": everything})
    assert list(Webhook.objects.order_by("pk").values()) == before
    assert set(Delivery.objects.values_list("state", flat=True)) == {"failed"}


def test_what_a_webhook_told_of_an_event_that_is_not_ones_own_is_not_shown(
    owner: Client, event: Event, other_event: Event
) -> None:
    webhook = own(event)
    webhook.events.add(other_event)
    announce(other_event, Kind.EVENT_INDEXED, {})
    webhook.events.remove(other_event)
    assert "0 deliveries" in owner.get(DELIVERIES).content.decode()
    assert owner.get(page_of(Delivery.objects.get())).status_code == 302


def test_everything_of_ones_own_is_shown(owner: Client, event: Event) -> None:
    webhook = own(event, name="Timing")
    announce(event, Kind.EVENT_INDEXED, {"images": 17})
    assert "Timing" in owner.get(WEBHOOKS).content.decode()
    assert "Timing" in owner.get(page_of(webhook)).content.decode()
    assert "event.indexed" in owner.get(DELIVERIES).content.decode()
    page = owner.get(page_of(Delivery.objects.get())).content.decode()
    assert "&quot;images&quot;: 17" in page
    assert webhook.secret not in page


@pytest.mark.parametrize(("status", "said"), [(204, "The test arrived: it answered 204."), (404, "did not arrive")])
def test_a_test_is_sent_and_its_answer_told(
    owner: Client, event: Event, receiver: Receiver, status: int, said: str
) -> None:
    receiver.usual = status
    webhook = own(event, url="https://client.example")
    page = owner.post(page_of(webhook), form(event, url=receiver.address, _test="yes"), follow=True)
    assert said in page.content.decode()
    assert [message["type"] for message in receiver.heard] == ["webhook.test"]


def test_messages_are_sent_again(
    owner: Client, event: Event, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    own(event)
    announce(event, Kind.EVENT_INDEXED, {})
    Delivery.objects.update(state="failed", attempts=9, problem="It answered 500.")
    payload = Delivery.objects.get().payload
    with django_capture_on_commit_callbacks() as calls:
        owner.post(DELIVERIES, {"action": "send_again", "_selected_action": [Delivery.objects.get().pk]})
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.attempts, delivery.problem) == ("pending", 0, "")
    assert delivery.payload == payload
    assert len(calls) == 1, "the workers are called"


def test_who_may_only_look_sends_nothing_again(owner: Client, event: Event, organiser: User) -> None:
    organiser.user_permissions.remove(Permission.objects.get(codename="change_delivery"))
    own(event)
    announce(event, Kind.EVENT_INDEXED, {})
    Delivery.objects.update(state="failed")
    owner.post(DELIVERIES, {"action": "send_again", "_selected_action": [Delivery.objects.get().pk]})
    assert Delivery.objects.get().state == "failed"


def test_the_log_is_only_read(owner: Client, event: Event) -> None:
    own(event)
    announce(event, Kind.EVENT_INDEXED, {})
    delivery = Delivery.objects.get()
    assert owner.post(page_of(delivery), {"state": "delivered"}).status_code == 403
    assert owner.post(f"{DELIVERIES}{delivery.pk}/delete/", {"post": "yes"}).status_code == 403
    owner.post(DELIVERIES, {"action": "delete_selected", "_selected_action": [delivery.pk], "post": "yes"})
    assert owner.get(f"{DELIVERIES}add/").status_code == 403
    assert Delivery.objects.get().state == "pending"


def test_the_log_says_what_came_of_each_message(owner: Client, event: Event) -> None:
    own(event)
    for _ in range(3):
        announce(event, Kind.EVENT_INDEXED, {})
    waits, arrived, failed = Delivery.objects.order_by("pk")
    Delivery.objects.filter(pk=arrived.pk).update(state="delivered", attempts=1, status_code=204)
    Delivery.objects.filter(pk=failed.pk).update(state="failed", attempts=9, problem="It answered 500.")
    listing = owner.get(DELIVERIES).content.decode()
    assert "It answered 204.<" in listing
    assert "It answered 500. (9 attempts)" in listing
    assert f"{waits.due_at:%Y-%m-%d %H:%M:%S}" in owner.get(page_of(waits)).content.decode()
    page = owner.get(page_of(failed)).content.decode()
    assert f"{failed.due_at:%Y-%m-%d %H:%M:%S}" not in page
    assert "deletelink" not in page


def test_a_webhook_is_deleted_with_its_log(owner: Client, event: Event) -> None:
    webhook = own(event)
    announce(event, Kind.EVENT_INDEXED, {})
    owner.post(f"{WEBHOOKS}{webhook.pk}/delete/", {"post": "yes"})
    assert not Webhook.objects.exists()
    assert not Delivery.objects.exists()


def test_the_log_is_filtered(owner: Client, event: Event) -> None:
    one, other = own(event, name="one"), own(event, name="other")
    announce(event, Kind.EVENT_INDEXED, {})
    announce(event, Kind.IMAGE_FAILED, {})
    other.deliveries.update(state="failed")
    for query, count in (
        ("", 4),
        (f"?webhook={one.pk}", 2),
        ("?webhook=nonsense", 4),
        ("?kind=image.failed", 2),
        ("?state__exact=failed", 2),
        (f"?webhook={one.pk}&kind=image.failed&event__id__exact={event.pk}", 1),
    ):
        page = owner.get(f"{DELIVERIES}{query}")
        assert page.context["cl"].result_count == count, query


@pytest.mark.parametrize("listing", [WEBHOOKS, DELIVERIES])
def test_lists_need_no_more_queries_for_more_rows(owner: Client, event: Event, listing: str) -> None:
    counts = []
    for _ in range(2):
        for _ in range(3):
            own(event)
        announce(event, Kind.EVENT_INDEXED, {})
        with CaptureQueriesContext(connection) as queries:
            owner.get(listing)
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("address", [WEBHOOKS, DELIVERIES, f"{WEBHOOKS}add/"])
def test_strangers_see_nothing(client: Client, member: User, organiser: User, address: str, event: Event) -> None:
    assert client.get(address).status_code == 302
    client.force_login(member)
    assert client.get(address).status_code == 302
    client.force_login(organiser)
    assert client.get(address).status_code == 403, "staff without the permission"
