"""People in admin, in Debian's Chromium: chosen with the keyboard, corrected, and back again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import Count
from playwright.sync_api import expect

from faces.models import Face
from grabpic_site.tests.conftest import IN_BROWSER, fits

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from playwright.sync_api import Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

pytestmark = IN_BROWSER

SIZES: Any = [{"width": 390, "height": 844}, {"width": 1280, "height": 900}]


@pytest.fixture
def page(desk: Page, staff: User) -> Page:
    """A page where somebody has logged in who may do everything."""
    staff.is_superuser = True
    staff.save()
    return desk


def largest() -> Face:
    """Return the person who is in three photos."""
    return Face.objects.annotate(count=Count("image_faces")).order_by("-count")[0]


def press_until_focused(page: Page, selector: str, key: str = "Tab") -> None:
    for _ in range(80):
        page.keyboard.press(key)
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    pytest.fail(f"The keyboard does not reach {selector}.")


def test_faces_are_split_off_with_the_keyboard_and_brought_back(
    page: Page, live_server: LiveServer, run: Event
) -> None:
    red = largest()
    page.goto(f"{live_server}/admin/faces/face/{red.pk}/change/")
    expect(page.locator("[name=face]")).to_have_count(3)
    expect(page.locator(".faces img").first).to_have_js_property("naturalWidth", 160)
    press_until_focused(page, "[name=face]")
    page.keyboard.press("Space")
    expect(page.locator(".chosen")).to_have_text("1 chosen")
    # Enter in a checkbox is no button pressed by accident.
    page.keyboard.press("Enter")
    press_until_focused(page, "[name=face]:not(:checked)")
    page.keyboard.press("Space")
    expect(page.locator(".chosen")).to_have_text("2 chosen")
    press_until_focused(page, "button[value=split]", "Shift+Tab")
    page.keyboard.press("Enter")
    message = page.locator(".messagelist .success")
    expect(message).to_contain_text(re.compile(r"Split 2 faces off \w{8}\."))
    expect(page.locator("[name=face]")).to_have_count(1)
    press_until_focused(page, ".messagelist .undo")
    page.keyboard.press("Enter")
    expect(message).to_contain_text("Undone: Split 2 faces off")
    expect(page.locator("[name=face]")).to_have_count(3)
    assert red.image_faces.count() == 3


def test_a_click_anywhere_on_a_face_chooses_it(page: Page, live_server: LiveServer, run: Event) -> None:
    page.goto(f"{live_server}/admin/faces/face/{largest().pk}/change/")
    page.locator(".faces img").first.click()
    expect(page.locator(".chosen")).to_have_text("1 chosen")
    page.locator(".faces img").last.click(modifiers=["Shift"])
    expect(page.locator(".chosen")).to_have_text("3 chosen")
    page.get_by_role("button", name="Choose none").click()
    expect(page.locator(".chosen")).to_have_text("0 chosen")
    page.get_by_role("button", name="Choose all").click()
    expect(page.locator("[name=face]:checked")).to_have_count(3)


def test_a_face_is_moved_to_somebody_who_was_searched_for(page: Page, live_server: LiveServer, run: Event) -> None:
    red = largest()
    green = run.faces.exclude(pk=red.pk).get()
    Face.objects.filter(pk=green.pk).update(name="Grace")
    page.goto(f"{live_server}/admin/faces/face/{red.pk}/change/")
    page.locator("[name=face]").first.check()
    page.get_by_text("Another person…").click()
    field = page.get_by_label("Name or grab_id")
    field.fill("nobody")
    expect(page.get_by_text("Nobody found.")).to_be_visible()
    field.fill("gra")
    page.get_by_role("radio", name="Grace").check()
    # Enter in the field is no button pressed by accident.
    field.press("Enter")
    expect(page.get_by_role("radio", name="Grace")).to_be_checked()
    page.get_by_role("button", name="Move the chosen faces there").click()
    expect(page.locator(".messagelist .success")).to_contain_text("See Grace")
    assert green.image_faces.count() == 3


def test_people_are_merged_from_their_covers(page: Page, live_server: LiveServer, run: Event) -> None:
    page.goto(f"{live_server}/admin/faces/face/")
    for box in page.locator("[name=_selected_action]").all():
        box.check()
    expect(page.locator(".chosen")).to_have_text("2 chosen")
    page.get_by_role("button", name="Merge…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Are these one person?")
    page.get_by_role("button", name="Merge", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text("Merged")
    expect(page.locator("[name=_selected_action]")).to_have_count(1)
    page.locator(".messagelist .undo").click()
    expect(page.locator("[name=_selected_action]")).to_have_count(2)


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_the_boxes_lie_on_the_faces(page: Page, live_server: LiveServer, run: Event, size: Any) -> None:
    page.set_viewport_size(size)
    image = run.images.get(file_name="1.png")
    page.goto(f"{live_server}/admin/events/image/{image.pk}/change/")
    picture = page.locator(".boxes img")
    expect(picture).to_have_js_property("naturalWidth", 400)
    shown, box = picture.bounding_box(), page.locator(".box rect").first.bounding_box()
    assert shown is not None
    assert box is not None
    scale = shown["width"] / image.width
    assert [box["x"] - shown["x"], box["y"] - shown["y"], box["width"]] == pytest.approx(
        [20 * scale, 100 * scale, 70 * scale], abs=4
    )
    page.locator(".box rect").first.click()
    expect(page.locator("#faces")).to_be_visible()


@pytest.mark.parametrize("size", SIZES, ids=["phone", "desk"])
def test_the_pages_need_no_scrolling_sideways(page: Page, live_server: LiveServer, run: Event, size: Any) -> None:
    page.set_viewport_size(size)
    people = f"{live_server}/admin/faces/face/"
    keys = list(run.faces.values_list("pk", flat=True))
    query = "&".join(f"person={pk}" for pk in keys)
    for address in (people, f"{people}{keys[0]}/change/", f"{people}merge/?{query}"):
        page.goto(address)
        assert fits(page)
