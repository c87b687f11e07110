"""What everybody can rely on, looked for on a page as it stands: axe-core's rules, the keyboard, width, stillness."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from grabpic_site.tests.conftest import fits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS: Any = {"runOnly": RULES, "resultTypes": ["violations"]}
SIZES: Any = [({"width": 1280, "height": 900}, "dark"), ({"width": 390, "height": 844}, "light")]
"""With the colours that the device prefers: admin has both."""

FLAT = """
* { transition: none !important }
body:has(.brand)::before { display: none }
html:has(.brand) { background: rgb(74 55 23) !important }
"""
FLATTEN = """(rules) => {
    const sheet = new CSSStyleSheet(); // which, unlike an element, no Content-Security-Policy refuses
    sheet.replaceSync(rules);
    document.adoptedStyleSheets = [sheet];
}"""
GLASS = """() => [...document.querySelectorAll(".glass")]
    .filter((one) => getComputedStyle(one).backgroundImage.includes("gradient"))
    .forEach((one) => { one.style.background = "var(--glass-strong)" })"""
GLASS_AGAIN = """() => document.querySelectorAll(".glass").forEach((one) => { one.style.background = "" })"""
"""The site's ground and glass where they are brightest, all over: axe-core tells no contrast on a gradient.

Admin's colours turn slowly into those of the other theme, and are measured when they are there.
"""

CLICKABLE = """() => {
    const root = [...document.querySelectorAll("dialog[open]")].findLast((one) => one.matches(":modal")) ?? document;
    const selector = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
    const reachable = (one) => {
        if (one.disabled || one.tabIndex < 0 || one.closest("[inert]")) return false;
        return one.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true });
    };
    window.unreached = new Set([...root.querySelectorAll(selector)].filter(reachable));
    document.activeElement?.blur();
    return window.unreached.size;
}"""

PRESSED = """() => {
    const one = document.activeElement;
    const outlined = (node) => {
        const { outlineStyle, outlineWidth } = getComputedStyle(node);
        return outlineStyle !== "none" && parseFloat(outlineWidth) > 0;
    };
    const around = [one, one.labels?.[0]].filter(Boolean);
    for (let node = one; node !== document.body && around.length < 6; node = node.parentElement) around.push(node);
    const inGroup = (other) => one.type === "radio" && other.form === one.form && other.name === one.name;
    for (const other of window.unreached) if (other === one || inGroup(other)) window.unreached.delete(other);
    return one === document.body || around.some(outlined) ? null : one.outerHTML.slice(0, 120);
}"""
"""A card or a label may show the focus of what is in it; from a radio button, the arrows reach those of its group."""

CUT = """() => [...document.querySelectorAll("a, button, label, h1, h2, h3, p, span, li, dt, dd")].filter((one) => {
    const { overflowX, textIndent, textOverflow } = getComputedStyle(one);
    const hidden = one.clientWidth <= 1 || textIndent !== "0px"; // for readers of screens alone
    const cuts = overflowX !== "visible" && textOverflow !== "ellipsis" && !hidden;
    return cuts && one.scrollWidth > one.clientWidth + 1;
}).map((one) => one.outerHTML.slice(0, 120))"""
LEFT = "() => [...window.unreached].map((one) => one.outerHTML.slice(0, 120))"
MOVING = """() => document.getAnimations().filter((one) => one.playState === "running")
    .map((one) => `${one.animationName ?? one.transitionProperty} of ${one.effect.target.outerHTML.slice(0, 80)}`)"""


@dataclass(frozen=True)
class Known:
    """A finding of Django's own pages: of this rule, where this is part of the element's selector."""

    rule: str
    selector: str


@dataclass
class Inspection:
    """Collects what is wrong with each page that is looked at; `known` is passed over."""

    page: Page
    known: tuple[Known, ...] = ()
    findings: list[str] = field(default_factory=list)

    def look(self, where: str) -> None:
        """Inspect the page as it stands, at a desk and on a phone; `where` names it in the findings."""
        self.page.evaluate(FLATTEN, FLAT)
        self.page.evaluate(GLASS)
        for size, colours in SIZES:
            self.page.set_viewport_size(size)
            self.page.emulate_media(color_scheme=colours, reduced_motion="reduce")
            problems = [*self._violations(), *self._layout()]
            self.findings += [f"{where}, {size['width']} px: {problem}" for problem in problems]
        self.findings += [f"{where}: {problem}" for problem in self._keyboard()]
        self.page.evaluate(GLASS_AGAIN)

    def _violations(self) -> Iterator[str]:
        for violation in Axe().run(self.page, options=OPTIONS).response["violations"]:
            for node in violation["nodes"]:
                target, why = " ".join(map(str, node["target"])), node["failureSummary"]
                if not any(one.rule == violation["id"] and one.selector in target for one in self.known):
                    yield f"{violation['impact']} {violation['id']}: {target}: {node['html'][:160]} {why}"

    def _layout(self) -> Iterator[str]:
        if not fits(self.page):
            yield "has to be scrolled sideways"
        yield from (f"is cut off: {cut}" for cut in self.page.evaluate(CUT))
        yield from (f"moves: {animation}" for animation in self.page.evaluate(MOVING))

    def _keyboard(self) -> Iterator[str]:
        for _ in range(self.page.evaluate(CLICKABLE) + 3):
            self.page.keyboard.press("Tab")
            if unmarked := self.page.evaluate(PRESSED):
                yield f"shows no focus: {unmarked}"
        yield from (f"not reached by Tab: {left}" for left in self.page.evaluate(LEFT))
