"""The pages in a real browser: narrow, dark, without JavaScript, by keyboard alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.web.everywhere import HAMBURG, PAGES

pytestmark = pytest.mark.browser
PICTURES = Path(__file__).parents[1] / "pictures"


@pytest.fixture
def phone(browser: Browser, address: str) -> Iterator[Page]:
    """A phone of 320 pixels without JavaScript."""
    context = browser.new_context(
        viewport={"width": 320, "height": 640}, java_script_enabled=False, base_url=address, locale="de-DE"
    )
    yield context.new_page()
    context.close()


def test_no_page_scrolls_sideways_at_320_pixels(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 640}, base_url=address, locale="de-DE")
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, path
    page.close()


def test_no_page_asks_another_host_breaks_the_policy_or_sets_a_cookie(browser: Browser, address: str) -> None:
    context = browser.new_context(base_url=address, locale="de-DE")
    page = context.new_page()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    for path in PAGES:
        if "as_of=" not in path:
            page.goto(path)
    assert [url for url in asked if not url.startswith(address)] == []
    assert said == []
    assert context.cookies() == []
    context.close()


def test_the_situation_needs_at_most_three_requests(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address, locale="de-DE")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto("/")
    assert len(asked) <= 3
    page.close()


def test_dark_is_dark(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address, color_scheme="dark", locale="de-DE")
    page.goto("/")
    ground = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert ground == "rgb(21, 21, 19)"
    page.close()


def test_a_report_by_keyboard_without_javascript(phone: Page) -> None:
    phone.goto("/melden")
    phone.locator("#provider").focus()
    phone.keyboard.type("O2")
    phone.keyboard.press("Tab")
    phone.keyboard.type("Internet")
    phone.keyboard.press("Tab")
    phone.keyboard.type("20095")
    phone.keyboard.press("Enter")
    phone.wait_for_url("**/melden/danke?*")
    assert "Diese Meldung geht nicht an Ihren Anbieter" in phone.content()
    assert "weitere Meldungen zu O2 aus Hamburg" in phone.content()


def test_what_is_wrong_stands_beside_its_field_and_the_rest_is_kept(phone: Page) -> None:
    phone.goto("/melden")
    phone.select_option("#provider", "o2")
    phone.select_option("#service", "fixed_internet")
    phone.fill("#place", "Essen")
    phone.fill("#comment", "Seit heute früh nichts")
    phone.click("button[type=submit]")
    assert "mehrmals" in phone.locator("#fehler-place").inner_text()
    assert phone.locator("#provider").input_value() == "o2"
    assert phone.locator("#comment").input_value() == "Seit heute früh nichts"
    phone.locator("input[name=choice]").first.check()
    phone.click("button[type=submit]")
    phone.wait_for_url("**/melden/danke?*")


def test_from_the_situation_to_the_evidence_and_its_csv_in_two_clicks(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address, locale="de-DE")
    page.goto("/")
    page.get_by_role("link", name="Hamburg: Internet (Festnetz) von O2").click()
    assert page.url.endswith(f"/vorfall/{HAMBURG}")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert download.value.suggested_filename.endswith(".csv")
    page.close()


def test_the_situation_is_worth_a_picture(browser: Browser, address: str, tmp_path: Path) -> None:
    """With PICTURES_OF=http://127.0.0.1:8000 (a running demo) this makes the README's picture anew."""
    running = os.environ.get("PICTURES_OF", "")
    picture = (PICTURES if running else tmp_path) / "situation.png"
    page = browser.new_page(viewport={"width": 1280, "height": 1000}, color_scheme="light", locale="de-DE")
    page.goto(running or address)
    page.screenshot(path=picture)
    assert picture.stat().st_size > 50_000
    page.close()
