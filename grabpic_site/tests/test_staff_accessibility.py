"""Every page of ours for staff: axe-core finds nothing, and the keyboard reaches everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import expect

from faces import corrections
from faces.models import AuditEntry, Decision, Face, ImageFace
from faces.tests.people import add_person
from grabpic_site.languages import FOR_STAFF
from grabpic_site.tests.conftest import IN_BROWSER
from grabpic_site.tests.inspection import Inspection, Known

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event, Image

pytestmark = IN_BROWSER

DJANGOS = (
    Known("label-title-only", "#searchbar"),
    Known("aria-prohibited-attr", ".help-tooltip"),
    Known("label", "#id_opens_at_"),
    Known("label", "#id_closes_at_"),
)
"""What Django's own parts of these pages are found to have."""

NO_PAGES = {"retry", "schema", "docs", "redoc", "admin:faces_crop", "admin:faces_undo", "admin:faces_candidates"}
"""Addresses that answer with a file, only change something, or are another package's."""


class Tour(Inspection):
    site: str

    def visit(self, where: str, *arguments: object, query: str = "") -> None:
        self.page.goto(self.site + reverse(where, args=arguments) + query)
        self.look(where + query.partition("&")[0])


@pytest.fixture
def tour(desk: Page, staff: User, live_server: LiveServer) -> Tour:
    """A tour of somebody who may do everything."""
    staff.is_superuser = True
    staff.save()
    tour = Tour(desk, DJANGOS)
    tour.site = str(live_server)
    return tour


def test_pages_of_an_event(tour: Tour, run: Event) -> None:
    tour.visit("upload", run.slug)
    tour.visit("poster", run.slug)
    tour.visit("admin:events_event_changelist")
    tour.visit("admin:events_event_add")
    tour.visit("admin:events_event_change", run.pk)
    tour.visit("admin:faces_event_distances", run.pk)
    tour.visit("admin:events_image_changelist")
    tour.visit("admin:events_image_change", run.images.order_by("pk")[0].pk)
    assert not tour.findings, "\n".join(tour.findings)


def test_pages_of_people(tour: Tour, run: Event) -> None:
    red, green = Face.objects.order_by("pk")
    tour.visit("admin:faces_face_changelist")
    tour.visit("admin:faces_face_change", red.pk)
    tour.visit("admin:faces_merge", query=f"?person={red.pk}&person={green.pk}")
    assert not tour.findings, "\n".join(tour.findings)


def test_pages_of_decisions(tour: Tour, event: Event) -> None:
    event.group_distance = 0.54
    event.save()
    for angle in (0, 66, 132):
        add_person(event, angle)
    tour.visit("admin:faces_decision_changelist")
    for queue in ("merges", "suspicious", "visitors"):
        tour.visit(f"admin:faces_review_{queue}")
        tour.visit(f"admin:faces_review_{queue}", query="?event=city-run")
    assert not tour.findings, "\n".join(tour.findings)
