"""The pages that others made, under our Content-Security-Policy: a refusal of the browser fails a test (`visit`).

Our own pages are looked at by `test_accessibility` and `test_staff_accessibility`, all of them, under the policy, too.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.urls import reverse
from playwright.sync_api import Route, expect

from grabpic_site.tests.conftest import IN_BROWSER, is_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

    from events.models import Event

    Visit = Callable[..., Page]

pytestmark = IN_BROWSER


def test_a_page_that_breaks_the_policy_is_noticed(launch: Callable[..., Browser], live_server: LiveServer) -> None:
    page = launch().new_page()
    answer = page.goto(f"{live_server}/")
    assert answer is not None
    headers = {"Content-Security-Policy": answer.headers["content-security-policy"]}
    for broken in ('<p style="color: red">', "<script>1</script>", '<img src="https://example.org/a.png">'):
        body = f"<!doctype html><title>Broken</title>{broken}"
        page.route("**/broken", partial(Route.fulfill, body=body, content_type="text/html", headers=headers))
        with page.expect_console_message(is_refusal):
            page.goto(f"{live_server}/broken")
    page.close()


class TestAdmin:
    @pytest.fixture
    def page(self, desk: Page, staff: User) -> Page:
        staff.is_superuser = True
        staff.save()
        return desk

    def test_every_list_and_form_of_djangos_own_is_shown(
        self, page: Page, live_server: LiveServer, event: Event
    ) -> None:
        for address in addresses(event):
            answer = page.goto(f"{live_server}{address}")
            assert answer is not None
            assert answer.status == 200

    def test_the_widgets_work(self, page: Page, live_server: LiveServer, event: Event) -> None:
        page.goto(f"{live_server}{reverse('admin:events_event_change', args=[event.pk])}")
        page.locator("#id_date").fill("")
        page.locator(".field-date .datetimeshortcuts a").first.click()
        expect(page.locator("#id_date")).not_to_have_value("")
        with page.expect_popup() as popup:
            page.locator("#lookup_id_cover").click()
        expect(popup.value.locator("#changelist")).to_be_visible()

    def test_staff_can_log_in(self, visit: Visit, live_server: LiveServer, staff: User) -> None:
        page = visit()
        page.goto(f"{live_server}/admin/")
        page.fill("[name=username]", "staff")
        page.fill("[name=password]", "staff")
        page.click("[type=submit]")
        expect(page.locator("#user-tools")).to_be_visible()


def addresses(event: Event) -> list[str]:
    models = [model._meta for model in admin.site._registry]
    return [
        reverse("admin:index"),
        reverse("admin:password_change"),
        reverse("admin:auth_user_add"),
        reverse("admin:auth_user_change", args=[User.objects.get().pk]),
        reverse("admin:auth_group_change", args=[Group.objects.create(name="Crew").pk]),
        reverse("admin:events_event_history", args=[event.pk]),
        reverse("admin:events_event_delete", args=[event.pk]),
        *(reverse(f"admin:{model.app_label}_{model.model_name}_changelist") for model in models),
    ]


class TestDocumentation:
    def test_swagger_asks_the_api(self, visit: Visit, live_server: LiveServer) -> None:
        page = visit()
        page.goto(f"{live_server}/docs")
        operation = page.locator("#operations-health-health")
        operation.locator("button").first.click()
        operation.locator(".try-out__btn").click()
        operation.locator(".execute").click()
        expect(operation.locator(".live-responses-table tbody .response-col_status")).to_contain_text("200")

    def test_redoc_is_styled_and_finds(self, visit: Visit, live_server: LiveServer) -> None:
        page = visit()
        page.goto(f"{live_server}/redoc")
        expect(page.locator("h1").first).to_have_css("font-size", "26px")
        page.get_by_role("search").get_by_role("textbox").fill("selfie")
        expect(page.locator("[data-role='search:results'] li").first).to_be_visible()
