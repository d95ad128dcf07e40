"""No finding of axe-core on any page, light and dark, in German and English; no page scrolls sideways on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.web.everywhere import every_page

pytestmark = pytest.mark.browser
AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RUN = """async () => (await axe.run(document, {
    resultTypes: ["violations"], rules: {"target-size": {enabled: true}}
})).violations.map(
    (one) => [one.id, one.help, one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200))])"""


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    opened = browser.new_page(base_url=address, viewport={"width": 390, "height": 844})
    yield opened
    opened.close()


def findings(page: Page, scheme: str) -> list[str]:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    return [json.dumps(found, ensure_ascii=False) for found in page.evaluate(RUN)]


@pytest.mark.parametrize("language", ["de", "en"])
def test_axe_finds_nothing_on_any_page_light_or_dark(pages: Flask, page: Page, language: str) -> None:
    found = []
    for path in every_page(pages):
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        page.evaluate(AXE)
        found += [f"{path} {scheme}: {said}" for scheme in ("light", "dark") for said in findings(page, scheme)]
    assert found == []


@pytest.mark.parametrize("language", ["de", "en"])
def test_axe_finds_nothing_after_a_report_nor_beside_its_mistakes(page: Page, language: str) -> None:
    found = []
    page.goto(f"/melden?lang={language}")
    page.evaluate("document.querySelectorAll('[required]').forEach((field) => field.removeAttribute('required'))")
    page.fill("#place", "Essen")
    page.click("form#form button[type=submit]")
    page.wait_for_selector(".fehlerliste")
    page.evaluate(AXE)
    found += [f"mistakes {scheme}: {said}" for scheme in ("light", "dark") for said in findings(page, scheme)]
    page.select_option("#provider", "o2")
    page.select_option("#service", "mobile")
    page.fill("#place", "20095")
    page.click("form#form button[type=submit]")
    page.wait_for_selector("#beleg", state="attached")
    found += [f"thanks {scheme}: {said}" for scheme in ("light", "dark") for said in findings(page, scheme)]
    page.click("a[href*=beleg]")
    page.wait_for_selector("table.beleg")
    page.evaluate(AXE)
    found += [f"receipt {scheme}: {said}" for scheme in ("light", "dark") for said in findings(page, scheme)]
    assert found == []


def test_axe_finds_what_is_wrong(page: Page) -> None:
    page.goto("/impressum")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"/static/netzlage.svg\">')"
    )
    page.evaluate(AXE)
    assert "image-alt" in "".join(findings(page, "light"))


@pytest.mark.parametrize("language", ["de", "en"])
def test_no_page_scrolls_sideways_at_320_pixels_in_any_language(pages: Flask, page: Page, language: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    wide = {}
    for path in every_page(pages):
        page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 320:
            wide[path] = width
    assert wide == {}
