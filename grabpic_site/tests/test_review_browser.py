"""The review queues in Debian's Chromium: one key for each answer, and nothing lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from faces import corrections
from faces.models import Decision
from faces.tests.people import add_person, faces_of
from grabpic_site.tests.conftest import IN_BROWSER, fits

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

pytestmark = IN_BROWSER

SIZES: Any = [{"width": 390, "height": 844}, {"width": 1280, "height": 900}]


@pytest.fixture
def page(desk: Page, staff: User, event: Event) -> Page:
    """A page where somebody has logged in who may do everything; persons 66 degrees apart may be one."""
    staff.is_superuser = True
    staff.save()
    event.group_distance = 0.54
    event.save()
    return desk


def open_queue(page: Page, live_server: LiveServer, name: str, count: int) -> None:
    page.goto(f"{live_server}/admin/faces/decision/{name}/?event=city-run")
    expect(page.locator("#left")).to_have_text(str(count))
    expect(page.locator("article")).to_have_count(count)


def kinds() -> list[str]:
    return list(Decision.objects.live().order_by("pk").values_list("kind", flat=True))


def test_pairs_are_answered_with_one_key_each_and_taken_back(page: Page, live_server: LiveServer, event: Event) -> None:
    for angle in (0, 66, 132, 198):
        add_person(event, angle)
    open_queue(page, live_server, "merges", 3)
    first = page.locator("article:visible").get_attribute("data-key")
    said, left = page.locator("#said"), page.locator("#left")
    page.keyboard.press("y")
    expect(left).to_have_text("2")
    expect(said).to_contain_text("Merged")
    page.keyboard.press("n")
    expect(said).to_contain_text("are not the same person")
    assert kinds() == ["merge", "not_same"]
    page.keyboard.press("Space")
    expect(page.locator("#done")).to_be_visible()
    expect(said).to_have_text("Put off.")
    page.keyboard.press("z")
    expect(left).to_have_text("1")
    page.keyboard.press("u")
    expect(left).to_have_text("2")
    expect(said).to_contain_text("are not the same person")
    page.keyboard.press("z")
    expect(left).to_have_text("3")
    expect(page.locator("article:visible")).to_have_attribute("data-key", str(first))
    expect(said).to_contain_text("Undone: Merged")
    assert kinds() == []
    assert event.faces.count() == 4


def test_suspicious_groups_are_answered_with_one_key_each_and_taken_back(
    page: Page, live_server: LiveServer, event: Event
) -> None:
    mixed = [add_person(event, *(turn + angle for angle in (0, 0, 61))) for turn in (0, 180)]
    open_queue(page, live_server, "suspicious", 2)
    said = page.locator("#said")
    page.locator("article:visible [name=faces]").uncheck()
    page.keyboard.press("s")
    expect(said).to_have_text("Choose the faces that do not belong.")
    page.locator("article:visible [name=faces]").check()
    page.keyboard.press("s")
    expect(said).to_contain_text("Split 1 face off")
    page.keyboard.press("y")
    expect(said).to_contain_text("is one person")
    assert kinds() == ["split", "confirm"]
    page.keyboard.press("z")
    expect(said).to_contain_text("Undone: Confirmed")
    page.keyboard.press("l")
    expect(said).to_have_text("Put off.")
    page.keyboard.press("z")
    page.keyboard.press("z")
    expect(said).to_contain_text("Undone: Split")
    expect(page.locator("#left")).to_have_text("2")
    assert kinds() == []
    assert [len(faces_of(person)) for person in mixed] == [3, 3]


def test_an_answer_without_a_connection_is_kept_and_sent_again(
    page: Page, live_server: LiveServer, event: Event
) -> None:
    for angle in (0, 66, 132):
        add_person(event, angle)
    open_queue(page, live_server, "merges", 2)
    expect(page.locator("#cards article")).to_have_count(2)
    page.route("**/merges/**", lambda route: route.abort())
    page.keyboard.press("n")
    expect(page.locator("#stalled")).to_contain_text("The server does not answer. One answer is not saved yet.")
    expect(page.locator("#left")).to_have_text("1")
    page.keyboard.press("n")
    # Nothing is on its way any more, so that the click sends it.
    expect(page.locator("#stalled")).to_contain_text("2 answers are not saved yet.")
    assert kinds() == []
    page.unroute("**/merges/**")
    page.get_by_role("button", name="Send again").click()
    expect(page.locator("#stalled")).to_be_hidden()
    assert kinds() == ["not_same", "not_same"]


def test_what_is_so_already_is_no_problem(page: Page, live_server: LiveServer, event: Event, staff: User) -> None:
    persons = [add_person(event, angle) for angle in (0, 66)]
    open_queue(page, live_server, "merges", 1)
    corrections.merge(event, persons, staff)
    page.keyboard.press("y")
    expect(page.locator("#said")).to_have_text("They are one person already.")
    expect(page.locator("#problems li")).to_have_count(0)
    expect(page.locator("#undo")).to_be_hidden()


def test_an_answer_that_is_refused_is_told(page: Page, live_server: LiveServer, event: Event) -> None:
    for angle in (0, 66):
        add_person(event, angle)
    open_queue(page, live_server, "merges", 1)
    event.images.all().delete()
    page.keyboard.press("y")
    problem = page.locator("#problems li")
    expect(problem).to_contain_text("Not done: This has changed meanwhile")
    problem.get_by_role("button").click()
    expect(problem).to_have_count(0)


@pytest.mark.parametrize(("name", "angles"), [("merges", [0]), ("suspicious", [0, 0, 61])])
def test_the_buttons_fit_every_screen_and_work(
    page: Page, live_server: LiveServer, event: Event, name: str, angles: list[int]
) -> None:
    for turn in (0, 66):
        add_person(event, *(turn + angle for angle in angles))
    for size in SIZES:
        page.set_viewport_size(size)
        page.goto(f"{live_server}/admin/faces/decision/{name}/?event=city-run")
        expect(page.locator("article:visible")).to_have_count(1)
        assert fits(page)
    page.get_by_role("button", name="Later").click()
    expect(page.locator("#said")).to_have_text("Put off.")
