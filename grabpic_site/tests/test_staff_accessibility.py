"""Every page of ours for staff: axe-core finds nothing, and the keyboard reaches everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.urls import reverse
from playwright.sync_api import expect

from conftest import new_key
from events.models import ApiKey, Event
from events.tests.receiver import new_webhook
from events.webhooks import announce
from faces import audit_log, corrections
from faces.models import Evidence, Face
from faces.tests.people import add_person, faces_of
from grabpic_site.languages import FOR_STAFF
from grabpic_site.tests.conftest import IN_BROWSER
from grabpic_site.tests.inspection import Inspection, Known

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer


DJANGOS = (
    Known("label-title-only", "#searchbar"),
    Known("aria-prohibited-attr", ".help-tooltip"),
    Known("scrollable-region-focusable", ".results"),
    Known("label", "#id_opens_at_"),
    Known("label", "#id_closes_at_"),
    Known("label", "#id_expiry_date_"),
)
"""What Django's own parts of these pages are found to have."""

NO_PAGES = {
    "metrics",
    "retry",
    "admin:faces_crop",
    "admin:faces_export",
    "admin:faces_undo",
    "admin:faces_candidates",
    "admin:events_image_add",
    "admin:faces_face_add",
    "admin:faces_decision_add",
    "admin:faces_decision_change",
    "admin:faces_auditentry_add",
    "admin:faces_auditentry_change",
    "admin:events_delivery_add",
}
"""Addresses that answer with a file or a part of a page, only change something, or refuse everybody."""

FROM_OTHERS = {"schema", "docs", "redoc"}
DJANGOS_OWN = ("_history", "_delete")
"""How the names of admin's pages end that are as Django made them."""


def pages(event: Event) -> dict[str, tuple[tuple[object, ...], str]]:
    """Return our pages for staff: by the name of the address, what is in it, and its query."""
    one, other = Face.objects.filter(event=event).order_by("pk")[:2]
    queue = f"?event={event.slug}"
    new_key("kiosk", events=[event])
    webhook = new_webhook(name="Timing", every_event=False)
    webhook.events.add(event)
    announce(event, webhook.Kind.MATCH_CREATED, {"sure": [str(one.grab_id)], "maybe": [], "photos": 3})
    return {
        "upload": ((event.slug,), ""),
        "poster": ((event.slug,), "?language=de"),
        "admin:events_event_changelist": ((), ""),
        "admin:events_event_add": ((), ""),
        "admin:events_event_change": ((event.pk,), ""),
        "admin:faces_event_distances": ((event.pk,), ""),
        "admin:events_apikey_changelist": ((), ""),
        "admin:events_apikey_add": ((), ""),
        "admin:events_apikey_change": ((quote(ApiKey.objects.get().pk),), ""),
        "admin:events_image_changelist": ((), ""),
        "admin:events_image_change": ((event.images.order_by("pk")[1].pk,), ""),
        "admin:faces_face_changelist": ((), ""),
        "admin:faces_face_change": ((one.pk,), ""),
        "admin:faces_merge": ((), f"?person={one.pk}&person={other.pk}"),
        "admin:faces_erase": ((one.pk,), ""),
        "admin:faces_decision_changelist": ((), ""),
        "admin:faces_review_merges": ((), queue),
        "admin:faces_review_suspicious": ((), queue),
        "admin:faces_review_visitors": ((), queue),
        "admin:faces_auditentry_changelist": ((), ""),
        "admin:events_webhook_changelist": ((), ""),
        "admin:events_webhook_add": ((), ""),
        "admin:events_webhook_change": ((webhook.pk,), ""),
        "admin:events_delivery_changelist": ((), ""),
        "admin:events_delivery_change": ((webhook.deliveries.get().pk,), ""),
    }


@pytest.fixture
def busy(run: Event, staff: User) -> Event:
    """An event in which something happened: pairs to review, decisions, entries of the audit log."""
    Event.objects.filter(pk=run.pk).update(group_distance=0.54)
    one, other, hidden = (add_person(run, angle) for angle in (0, 66, 132))
    corrections.hide([hidden], by=staff)
    add_person(run, 200, 210, 220, 300)
    Evidence.objects.create(event=run, asked_id=faces_of(other)[0], known_id=faces_of(one)[0], is_me=True)
    audit_log.record(audit_log.Action.SEARCHED, run, "visitor", detail="matched")
    run.refresh_from_db()
    return run


def names_of_ours() -> set[str]:
    of_models = {
        f"admin:{one.name}"
        for model, its_admin in admin.site._registry.items()
        if model._meta.app_label in ("events", "faces")
        for one in its_admin.urls
        if one.name and not one.name.endswith(DJANGOS_OWN)
    }
    return (of_models | FOR_STAFF) - FROM_OTHERS - NO_PAGES


@pytest.mark.django_db
def test_every_page_for_staff_is_looked_at(run: Event) -> None:
    assert names_of_ours() == set(pages(run))


class TestStaff:
    pytestmark = IN_BROWSER

    @pytest.fixture
    def inspection(self, desk: Page, staff: User) -> Inspection:
        """The inspection of a page of somebody who may do everything."""
        staff.is_superuser = True
        staff.save()
        return Inspection(desk, DJANGOS)

    def test_can_use_every_page(self, inspection: Inspection, live_server: LiveServer, busy: Event) -> None:
        for name, (arguments, query) in pages(busy).items():
            inspection.page.goto(f"{live_server}{reverse(name, args=arguments)}{query}")
            if "review" in name:
                expect(inspection.page.locator("article")).not_to_have_count(0)
            inspection.look(name)
        for queue in ("merges", "suspicious", "visitors"):
            inspection.page.goto(f"{live_server}{reverse(f'admin:faces_review_{queue}')}")
            inspection.look(f"{queue}, of which event")
        self._make_key(inspection.page, live_server)
        inspection.look("the new key")
        assert not inspection.findings, "\n".join(inspection.findings)

    def _make_key(self, page: Page, live_server: LiveServer) -> None:
        page.goto(f"{live_server}{reverse('admin:events_apikey_add')}")
        page.get_by_label("Name:").fill("timing crew")
        page.get_by_label("Upload:").check()
        page.get_by_label("Every event").check()
        page.get_by_role("button", name="Save").click()
        page.get_by_role("button", name="Copy", exact=True).click()
        expect(page.locator("#said")).not_to_be_empty()
