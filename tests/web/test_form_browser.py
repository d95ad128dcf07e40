"""The form in a real browser: the line cut, slow, gone after sending; the place; what this browser remembers."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route

from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import ends, reports
from aggregator.web import create_app
from aggregator.web.seal import seal
from tests.servers import waiting

pytestmark = pytest.mark.browser
KILOBYTE = 1024


@pytest.fixture
def address(empty: Instance) -> Iterator[str]:
    """An empty site behind the default server."""
    with waiting(create_app(empty)) as url:
        yield url


@pytest.fixture
def context(browser: Browser, address: str) -> Iterator[BrowserContext]:
    """A small phone."""
    opened = browser.new_context(base_url=address, viewport={"width": 320, "height": 640}, locale="de-DE")
    yield opened
    opened.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def in_store(instance: Instance) -> list[Any]:
    with instance.store.read() as connection:
        return list(reports.rows(connection, Filter()))


def fill(page: Page, place: str = "20095") -> None:
    page.goto("/melden")
    page.select_option("#provider", "o2")
    page.select_option("#service", "fixed_internet")
    page.fill("#place", place)


def send(page: Page) -> None:
    page.get_by_role("button", name="Meldung senden").click()


def thanked(page: Page) -> None:
    page.wait_for_url("**/melden/danke?code=*")
    assert page.get_by_role("heading", level=1).inner_text() == "Danke für Ihre Meldung"


def test_a_report_waits_for_the_line_and_is_sent_when_it_is_back(
    context: BrowserContext, page: Page, empty: Instance
) -> None:
    fill(page)
    context.set_offline(True)
    send(page)
    page.get_by_text("Ihre Meldung bleibt hier stehen").wait_for()
    assert in_store(empty) == []
    context.set_offline(False)
    thanked(page)
    assert len(in_store(empty)) == 1


def test_an_answer_that_was_lost_makes_no_second_report(page: Page, empty: Instance) -> None:
    lost: list[str] = []

    def lose_the_first(route: Route) -> None:
        if route.request.method == "POST" and not lost:
            lost.append(route.fetch().url)
            route.abort()
        else:
            route.continue_()

    page.route("**/melden", lose_the_first)
    fill(page)
    send(page)
    thanked(page)
    assert "zählt einmal" in page.content()
    assert len(in_store(empty)) == 1
    assert lost


def test_what_was_typed_comes_back_until_it_is_sent(context: BrowserContext, page: Page) -> None:
    fill(page, "Kiel")
    page.fill("#comment", "seit dem Frühstück")
    page.close()
    again = context.new_page()
    again.goto("/melden")
    assert again.input_value("#place") == "Kiel"
    assert again.input_value("#provider") == "o2"
    assert again.input_value("#comment") == "seit dem Frühstück"
    send(again)
    thanked(again)
    again.goto("/melden")
    assert again.input_value("#place") == ""


def test_a_report_that_waits_goes_when_the_page_is_opened_again(
    context: BrowserContext, page: Page, empty: Instance
) -> None:
    fill(page)
    context.set_offline(True)
    send(page)
    page.get_by_text("Ihre Meldung bleibt hier stehen").wait_for()
    page.close()
    context.set_offline(False)
    again = context.new_page()
    again.goto("/melden")
    thanked(again)
    assert len(in_store(empty)) == 1


def test_the_position_is_rounded_before_it_is_sent(context: BrowserContext, page: Page, empty: Instance) -> None:
    context.grant_permissions(["geolocation"])
    context.set_geolocation({"latitude": 53.551086, "longitude": 9.993682})
    sent: list[str] = []

    def note(request: Request) -> None:
        sent.append(request.post_data or "")

    page.on("request", note)
    fill(page, "")
    page.get_by_role("button", name="Meinen Standort verwenden").click()
    page.get_by_text("auf etwa einen Kilometer gerundet").wait_for()
    assert page.input_value("#place") == "53.55, 9.99"
    send(page)
    thanked(page)
    assert not any("53.551" in data for data in sent)
    assert [row["region"] for row in in_store(empty)] == ["02000"]


def test_a_position_that_is_refused_asks_for_the_town(page: Page) -> None:
    fill(page, "")
    page.get_by_role("button", name="Meinen Standort verwenden").click()
    page.get_by_text("Der Standort ließ sich nicht bestimmen.").wait_for()
    assert page.evaluate("document.activeElement.id") == "place"


@pytest.mark.parametrize("script", [True, False])
def test_what_is_wrong_gets_the_focus_and_the_rest_is_kept(browser: Browser, address: str, script: bool) -> None:
    context = browser.new_context(base_url=address, java_script_enabled=script, locale="de-DE")
    page = context.new_page()
    fill(page, "Essen")
    send(page)
    page.locator(".fehlerliste").wait_for()
    assert page.locator(".fehlerliste:focus").count() == 1
    assert page.input_value("#place") == "Essen"
    assert page.input_value("#service") == "fixed_internet"
    page.get_by_role("radio", name="Essen (Nordrhein-Westfalen)").check()
    send(page)
    thanked(page)
    context.close()


def test_the_browser_keeps_the_way_back_and_the_report_is_ended_by_it(page: Page, empty: Instance) -> None:
    fill(page)
    send(page)
    thanked(page)
    page.goto("/melden")
    page.get_by_role("link", name="O2, Internet (Festnetz), Samstag, 13. Mai 2017, 12:30 Uhr").click()
    page.get_by_role("button", name="Geht wieder").click()
    page.get_by_role("heading", name="Gut, dass es wieder geht").wait_for()
    with empty.store.read() as connection:
        assert len(ends.lengths(connection, Filter())) == 1
    page.goto("/melden")
    assert page.locator("#belege").is_hidden()
    assert page.context.cookies() == []


def test_the_list_can_be_deleted(page: Page) -> None:
    fill(page)
    send(page)
    thanked(page)
    page.goto("/melden")
    page.get_by_role("button", name="Liste löschen").click()
    page.goto("/melden")
    assert page.locator("#belege").is_hidden()


def filled(instance: Instance) -> dict[str, str | float | bool]:
    """Return a form that is filled in, with its seal."""
    good = {"provider": "o2", "service": "fixed_internet", "place": "20095", "uid": "a1"}
    return {**good, "seal": seal(instance.key, "a1", instance.clock.now())}


@pytest.mark.parametrize("path", ["/melden", "/melden/danke?code=a1", "/melden/beleg?code=a1"])
def test_each_page_of_the_form_is_small_and_needs_two_requests(
    context: BrowserContext, page: Page, empty: Instance, path: str
) -> None:
    context.request.post("/melden", form=filled(empty))
    requests: list[Request] = []
    said: list[str] = []
    page.on("requestfinished", lambda request: requests.append(request))  # noqa: PLW0108 - a bound method will not do
    page.on("console", lambda message: said.append(message.text))
    page.goto(path, wait_until="networkidle")
    sizes = [request.sizes() for request in requests]
    assert len(requests) <= 2
    assert sum(size["responseBodySize"] for size in sizes) <= 15 * KILOBYTE
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("script", [True, False])
def test_on_a_bad_line_it_takes_less_than_fifteen_seconds(browser: Browser, address: str, script: bool) -> None:
    """50 kbit/s, 2 s latency, from opening the form to the thanks."""
    context = browser.new_context(base_url=address, java_script_enabled=script, locale="de-DE")
    page = context.new_page()
    network = context.new_cdp_session(page)
    line: dict[str, Any] = {"offline": False, "latency": 2000, "downloadThroughput": 6250, "uploadThroughput": 6250}
    network.send("Network.emulateNetworkConditions", line)
    began = time.monotonic()
    page.goto("/melden", wait_until="commit")
    page.select_option("#provider", "o2")
    page.select_option("#service", "fixed_internet")
    page.fill("#place", "20095")
    send(page)
    page.get_by_role("heading", name="Danke für Ihre Meldung").wait_for()
    assert 6 < time.monotonic() - began < 15
    context.close()


def test_by_keyboard_alone_with_javascript(page: Page) -> None:
    page.goto("/melden")
    page.locator("#provider").focus()
    for word in ("O2", "Internet", "20095"):
        page.keyboard.type(word)
        page.keyboard.press("Tab")
    page.locator("#place").press("Enter")
    thanked(page)
    assert page.evaluate("document.activeElement.id") == "inhalt"


def test_the_receipt_prints_black_on_white_also_in_the_dark(browser: Browser, address: str, empty: Instance) -> None:
    context = browser.new_context(base_url=address, color_scheme="dark", locale="de-DE")
    context.request.post("/melden", form=filled(empty))
    page = context.new_page()
    page.goto("/melden/beleg?code=a1")
    page.emulate_media(media="print")
    colours = page.evaluate(
        "(({backgroundColor, color}) => [backgroundColor, color])(getComputedStyle(document.documentElement))"
    )
    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert page.locator("nav").is_hidden()
    assert page.locator("button").first.is_hidden()
    assert page.get_by_text("SIMULATION").first.is_visible()
    context.close()


def test_impatience_sends_once(page: Page, empty: Instance) -> None:
    posts: list[str] = []
    page.on("request", lambda request: posts.append(request.url) if request.method == "POST" else None)
    fill(page)
    page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('form').requestSubmit()")
    thanked(page)
    assert len(posts) == 1
    assert len(in_store(empty)) == 1
