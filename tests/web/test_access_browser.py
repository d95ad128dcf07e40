"""By keyboard and by ear: the skip link, a focus that is seen, landmarks, captions, headings in order."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.web.everywhere import every_page

pytestmark = pytest.mark.browser
SCAFFOLD = """() => {
    const all = (what) => [...document.querySelectorAll(what)], wrong = [];
    if (all("main").length !== 1) wrong.push("not one main");
    if (all("h1").length !== 1) wrong.push("not one h1");
    let level = 0;
    for (const one of all("h1,h2,h3,h4")) {
        const now = Number(one.tagName[1]);
        if (now > level + 1) wrong.push(`heading left out before: ${one.textContent}`);
        level = now;
    }
    for (const table of all("table")) {
        if (!table.querySelector("caption")) wrong.push(`table without caption: ${table.textContent.slice(0, 60)}`);
        for (const head of table.querySelectorAll("th"))
            if (!head.getAttribute("scope")) wrong.push(`th without scope: ${head.textContent}`);
    }
    for (const nav of all("nav")) if (!nav.getAttribute("aria-label")) wrong.push("nav without name");
    for (const svg of all("svg"))
        if (!svg.closest("[aria-hidden=true]") && !svg.getAttribute("aria-label") && !svg.closest("svg svg"))
            wrong.push("picture without name");
    return wrong;
}"""
MARK = """() => {
    const style = getComputedStyle(document.activeElement);
    return [document.activeElement.tagName, style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2];
}"""


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    opened = browser.new_page(base_url=address, viewport={"width": 390, "height": 844}, locale="de-DE")
    yield opened
    opened.close()


def test_every_page_has_landmarks_headings_in_order_and_tables_with_captions(pages: Flask, page: Page) -> None:
    wrong = {}
    for path in every_page(pages):
        page.goto(path)
        found = page.evaluate(SCAFFOLD)
        if found:
            wrong[path] = found
    assert wrong == {}


def test_the_test_sees_what_is_missing(page: Page) -> None:
    page.goto("/impressum")
    page.evaluate(
        "document.querySelector('main').innerHTML += '<h4>x</h4><table><tr><th>y</th></tr></table><nav></nav>'"
    )
    assert len(page.evaluate(SCAFFOLD)) == 4


def test_the_first_key_leads_past_the_menu(page: Page) -> None:
    page.goto("/archiv")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#inhalt"
    assert page.locator(".sprung").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


@pytest.mark.parametrize("path", ["/", "/melden", "/archiv", "/daten"])
def test_whoever_goes_by_keyboard_sees_where_they_are(page: Page, path: str) -> None:
    page.goto(path)
    seen = []
    for _n in range(25):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(MARK))
    assert [tag for tag, visible in seen if not visible and tag != "BODY"] == []
    assert len([tag for tag, _visible in seen if tag == "A"]) >= 8


def test_the_language_is_changed_by_keyboard(page: Page) -> None:
    page.goto("/archiv?provider=o2")
    page.locator("a.sprache").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**lang=en**")
    assert "provider=o2" in page.url
    assert page.evaluate("document.documentElement.lang") == "en"
    page.locator("nav a").first.click()
    page.wait_for_load_state()
    assert page.evaluate("document.documentElement.lang") == "en"
