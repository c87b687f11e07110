"""The inspection of pages finds what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from grabpic_site.tests.conftest import IN_BROWSER
from grabpic_site.tests.inspection import Inspection

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Page

pytestmark = IN_BROWSER

PAGE = """<!doctype html><html lang="en"><title>A page</title><style>
@keyframes turn { to { rotate: 1turn } }
#moving { animation: turn 1s infinite }
#bare:focus { outline: none }
</style><main><h1>A page</h1>%s</main></html>"""


def findings(page: Page, content: str) -> list[str]:
    page.set_content(PAGE % content)
    inspection = Inspection(page)
    inspection.look("page")
    return inspection.findings


def test_a_good_page_has_no_findings(visit: Callable[..., Page]) -> None:
    good = "<p>Words</p><button>Press</button> <label>Name <input></label><button disabled>Not now</button>"
    assert findings(visit(), good) == []


def test_each_fault_is_found(visit: Callable[..., Page]) -> None:
    page = visit()
    for fault, said in (
        ('<p style="color: #bbb">Words</p>', "serious color-contrast"),
        ('<img src="data:,">', "critical image-alt"),
        ("<h3>Deep</h3>", "moderate heading-order"),
        ('<p style="width: 2000px">Words</p>', "scrolled sideways"),
        ('<h2 style="overflow: hidden; width: 3em; white-space: nowrap">Many words</h2>', "cut off"),
        ('<p id="moving">Words</p>', "moves: turn"),
        ('<button id="bare">Press</button>', "shows no focus"),
        ('<button onfocus="this.blur()">Press</button><button>Other</button>', "not reached by Tab"),
    ):
        found = findings(page, fault)
        assert any(said in one for one in found), (fault, found)
