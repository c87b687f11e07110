"""The distances of an event in admin."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User

from events.models import Event
from faces import grouping
from faces.admin.distance_chart import BOTTOM, LEFT, RIGHT, TOP, chart, table
from faces.histogram import BINS, Histogram
from faces.tests.test_admin import EVENTS, event_form
from faces.tests.test_grouping import add_faces
from faces.thresholds import Thresholds

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django.fixtures import Settings


def page(event: Event) -> str:
    return f"{EVENTS}{event.pk}/distances/"


def grouped(event: Event) -> Event:
    add_faces(event, 0, 90)
    add_faces(event, 10)
    grouping.group(event)
    return event


def test_the_page_draws_the_pairs_with_the_thresholds(admin: Client, event: Event) -> None:
    html = admin.get(page(grouped(event))).content.decode()
    assert "1 pair of the same person and 2 of different people, as grouped now, among 3 faces." in html
    for name, distance in (("sure", "0.300"), ("maybe", "0.338"), ("join", "0.338"), ("group", "0.338")):
        assert f">{name} {distance}</text>" in html
    assert "measured, for 3 faces" in html
    assert "less than 0.0001" in html
    assert "<script" not in html[html.index("<h1") :]


def test_the_numbers_are_there_for_who_does_not_see_the_picture(admin: Client, event: Event) -> None:
    html = admin.get(page(grouped(event))).content.decode()
    rows = re.findall(r'scope="row">([^<]+)</th><td class="number">(\d+)</td><td class="number">(\d+)</td>', html)
    assert len(rows) == BINS // 5
    assert (rows[0][0], rows[-1][0]) == ("0.0 to 0.1", "1.1 and more")
    assert sum(int(same) for _, same, _ in rows) == 1


def test_how_many_strangers_are_expected(admin: Client, event: Event) -> None:
    Event.objects.update(max_distance=0.88)
    html = re.sub(r"<[^>]+>", "", admin.get(page(grouped(event))).content.decode())
    assert "Strangers expected within the sure distance of a selfie: 0.0030, one in 333 selfies, among 3 faces." in html
    assert "set for this event" in html


def test_an_event_without_faces_says_so(admin: Client, event: Event) -> None:
    html = admin.get(page(event)).content.decode()
    assert "There are no pairs yet" in html
    assert "chart-title" not in html


def test_an_engine_that_cannot_be_used_is_named(admin: Client, event: Event) -> None:
    Event.objects.update(engine="crystal-ball")
    assert "There is no face engine" in admin.get(page(event)).content.decode()
    assert "There is no face engine" in admin.get(f"{EVENTS}{event.pk}/change/").content.decode()


def test_no_such_event(admin: Client, event: Event) -> None:
    assert admin.get(f"{EVENTS}{event.pk + 1}/distances/").status_code == 404


def test_strangers_do_not_see_the_page(client: Client, event: Event, member: User, staff: User) -> None:
    assert client.get(page(event)).status_code == 302
    client.force_login(member)
    assert client.get(page(event)).status_code == 302
    client.force_login(staff)
    assert client.get(page(event)).status_code == 403, "staff without the permission to view events"


def test_staff_who_may_view_the_event_see_the_page(client: Client, event: Event, staff: User) -> None:
    staff.user_permissions.add(Permission.objects.get(codename="view_event"))
    client.force_login(staff)
    assert client.get(page(event)).status_code == 200


def test_the_event_links_to_the_page_and_says_what_holds_now(admin: Client, event: Event, settings: Settings) -> None:
    html = admin.get(f"{EVENTS}{event.pk}/change/").content.decode()
    assert f'href="{page(event)}"' in html
    assert "sure 0.300, maybe 0.338, join 0.338, group 0.338 (measured, for 0 faces)" in html
    settings.SIMILARITY_THRESHOLD = 0.2
    html = admin.get(f"{EVENTS}{event.pk}/change/").content.decode()
    assert "sure 0.200, maybe 0.225, join 0.225, group 0.225 (set by SIMILARITY_THRESHOLD)" in html
    refused = admin.post(f"{EVENTS}{event.pk}/change/", event_form(max_distance="-1")).content.decode()
    assert "greater than or equal to 0" in refused
    assert "sure 0.200, maybe 0.225, join 0.225, group 0.225 (set by SIMILARITY_THRESHOLD)" in refused
    assert "distances now" not in admin.get(f"{EVENTS}add/").content.decode().lower()


def test_sure_beyond_maybe_is_refused(admin: Client, event: Event) -> None:
    form = event_form(slug="city-run", max_distance="0.5", maybe_distance="0.4")
    html = admin.post(f"{EVENTS}{event.pk}/change/", form).content.decode()
    assert "What is sure may be, too: enter 0.5 or more, or leave this empty." in html
    event.refresh_from_db()
    assert event.max_distance is None


@pytest.mark.parametrize("maybe", ["0.5", "0.6", ""])
def test_distances_in_order_are_taken(admin: Client, event: Event, maybe: str) -> None:
    form = event_form(slug="city-run", max_distance="0.5", maybe_distance=maybe)
    assert admin.post(f"{EVENTS}{event.pk}/change/", form).status_code == 302
    event.refresh_from_db()
    assert event.max_distance == 0.5


def counted(*different: int, **limits: float) -> Histogram:
    values = {"group": 0.5, "join": 0.5, "sure": 0.4, "maybe": 0.6, **limits}
    counts = (*different, *[0] * (BINS - len(different)))
    return Histogram((0,) * BINS, counts, 9, Thresholds(**values, faces=9), 0.1)


def test_counts_reach_from_the_axis_to_the_top() -> None:
    drawn = chart(counted(0, 999_999))
    first, second = re.findall(r"V([\d.]+)", drawn.different)[:2]
    assert (float(first), float(second)) == (BOTTOM, TOP)
    assert [tick.label for tick in drawn.counts] == ["1", "10", "100", "1k", "10k", "100k"]


def test_each_threshold_has_a_row_of_its_own_inside_the_picture() -> None:
    lines = chart(counted(5, maybe=1.9)).lines
    assert [line.name for line in lines] == ["sure", "join", "group", "maybe"]
    assert len({line.y for line in lines}) == 4
    assert all(LEFT <= line.x <= RIGHT and 0 < line.y < TOP for line in lines)
    assert (lines[0].anchor, lines[-1].anchor) == ("start", "end")


def test_the_table_has_every_pair() -> None:
    rows = table(counted(*range(BINS)))
    assert sum(row.different for row in rows) == sum(range(BINS))
    assert (rows[0].different, rows[-1].end) == (10, None)
