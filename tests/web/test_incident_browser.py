"""The incident page in a real browser: on paper, on a phone with names that are too long, found in two clicks."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser

from aggregator.instance import Instance
from aggregator.model import Statement
from aggregator.store import incidents, names, statements
from aggregator.words import correct
from tests.making import incident
from tests.test_refresh import NOW
from tests.web.everywhere import HAMBURG

pytestmark = pytest.mark.browser
LONG = "Donaudampfschifffahrtsgesellschaftstelekommunikationsinfrastrukturbetreiber"
MANY = tuple(f"091{number}" for number in range(71, 91))


@pytest.fixture(scope="module")
def address(address: str, netzlage: Instance) -> str:
    """The site with, beside Hamburg's, an incident of which everything is too long."""
    odd = incident(
        "odd", provider="long", providers=("long",), regions=MANY, scope="regional", updated_at=NOW,
        onset=NOW - timedelta(days=9), reports=12345, expected=200.0, state="strong",
    )  # fmt: skip
    said = [
        Statement(f"o{n}", "long", "mobile", NOW - timedelta(hours=n), LONG * 2, "denied", "official", "feed")
        for n in range(7)
    ]
    with netzlage.store.write() as connection:
        names.add(connection, {"long": LONG})
        incidents.save(connection, [odd], [])
        statements.add(connection, said)
    correct(netzlage, "odd", {"kind": "note", "text": LONG * 3}, author="x")
    return address


@pytest.mark.parametrize("language", ["de", "en"])
def test_on_paper_it_is_two_sheets_of_a4_at_most(browser: Browser, address: str, language: str) -> None:
    page = browser.new_page(base_url=address)
    page.goto(f"/vorfall/{HAMBURG}?lang={language}")
    sheets = len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(prefer_css_page_size=True)))
    assert 1 <= sheets <= 2
    page.emulate_media(media="print")
    assert page.locator(".zitat").is_visible()
    assert page.locator("figure.kurve-gross svg.bild").is_visible()
    for useless in ("header nav", "dl.mit", "footer"):
        assert not page.locator(useless).first.is_visible(), useless
    page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_window_however_long_its_names(browser: Browser, address: str, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, base_url=address)
    for path in (f"/vorfall/{HAMBURG}", "/vorfall/odd", "/vorfall/odd?lang=en", "/vorfall/odd/einbetten"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    page.close()


def test_from_the_situation_a_reader_finds_start_word_and_reports_in_two_clicks(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address, locale="de-DE")
    page.goto("/")
    page.get_by_role("link", name="Hamburg: Internet (Festnetz) von O2").first.click()
    assert page.url.endswith(f"/vorfall/{HAMBURG}")
    assert re.search(r"\d\d:\d\d bis \d\d:\d\d Uhr, am ehesten \d\d:\d\d Uhr", page.content())
    assert page.locator(".drei .p .kern").inner_text() == "bestritten"
    assert "Einzelne <Probleme>" in page.locator(".drei .p").inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Meldungen (CSV)").click()
    assert download.value.suggested_filename == f"netzlage-{HAMBURG}-meldungen-SIMULATION.csv"
    page.close()


def test_the_numbers_in_the_curve_are_those_of_the_list(browser: Browser, address: str) -> None:
    page = browser.new_page(base_url=address, locale="de-DE")
    page.goto("/vorfall/odd")
    listed = page.locator("ol.worte > li").count()
    assert listed == 7
    told = "".join(page.locator("svg.bild text.wt").all_text_contents())
    assert max(map(int, re.findall(r"\d+", told))) == listed
    page.close()
