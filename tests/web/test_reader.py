"""A reader who was told nothing finds from `/`, in at most two clicks each, what the site is for."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Download, Locator, Page

from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.store import sources
from tests.web.everywhere import HAMBURG

pytestmark = pytest.mark.browser
MOST_CLICKS = 2


@pytest.fixture(scope="module", autouse=True)
def _rows_may_be_given_on(netzlage: Instance) -> None:
    with netzlage.store.write() as connection:
        sources.keep(connection, [Source("feed", republish="rows")])


class Reader:
    """Somebody at `/` who follows what he can see, and counts his clicks."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks = page, 0
        page.goto("/")

    def follow(self, words: str) -> None:
        """Click the first visible link that has these words in its name."""
        self._seen(words).click()
        self.clicks += 1

    def load(self, words: str) -> Download:
        """Click it for a file."""
        with self.page.expect_download() as download:
            self.follow(words)
        return download.value

    def reads(self, pattern: str) -> bool:
        """Say whether that stands on the page where he can see it."""
        return re.search(pattern, self.page.locator("main").inner_text()) is not None

    def _seen(self, words: str) -> Locator:
        links = self.page.locator("main").get_by_role("link", name=words)
        return next(link for link in links.all() if link.is_visible())


@pytest.fixture(params=[(1280, 900), (320, 640)], ids=["wide", "narrow"])
def reader(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    width, height = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, java_script_enabled=False, base_url=address, locale="de-DE"
    )
    yield Reader(context.new_page())
    context.close()


def test_the_hamburg_incident(reader: Reader) -> None:
    reader.follow("Hamburg")
    assert reader.page.url.endswith(f"/vorfall/{HAMBURG}")
    assert reader.clicks <= MOST_CLICKS


def test_when_it_began(reader: Reader) -> None:
    assert reader.reads(r"Meldungen seit etwa (09:[345]\d) Uhr")
    reader.follow("Hamburg")
    assert reader.reads(r"seit etwa 09:[345]\d Uhr \(13\. Mai 2017\)|seit etwa 09:[345]\d Uhr \(13\. Mai\)")
    assert reader.clicks <= MOST_CLICKS


def test_what_o2_said(reader: Reader) -> None:
    assert reader.reads(r"Einzelne <Probleme>.*bestritten")
    reader.follow("Hamburg")
    assert reader.reads(r"(?s)Vom Anbieter.*Einzelne <Probleme>")
    assert reader.clicks <= MOST_CLICKS


def test_the_csv_of_its_reports(reader: Reader) -> None:
    reader.follow("Hamburg")
    number = re.search(r"(\d+) Meldungen", reader.page.locator("h1").inner_text())
    file = reader.load("CSV")
    rows = list(csv.DictReader(io.StringIO(file.path().read_text("utf-8-sig"))))
    assert number
    assert len(rows) >= int(number[1])
    assert {row["region"] for row in rows} == {"02000"}
    assert reader.clicks <= MOST_CLICKS
