"""/: one look answers what, where, whose, since when, how sure, growing or easing; filters and times are honoured."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.refresh import Detection
from aggregator.web import create_app, findings
from tests.making import instance
from tests.test_refresh import NOW, fill, hamburg, quiet
from tests.web.everywhere import HAMBURG

MOST = 60_000  # bytes for all of `/`


def headline(page: str) -> str:
    (found,) = re.findall(r"<h1>(.*?)</h1>", page, re.DOTALL)
    return str(found)


def coloured(page: str) -> dict[str, int]:
    """Return how many districts the map shows of each value."""
    values = re.findall(r'<path class="(strong|suspected|nothing|few|blind)"', page)
    return {value: values.count(value) for value in set(values)}


def test_a_finding_says_how_many_since_when_how_it_goes_and_how_sure(client: FlaskClient) -> None:
    page = client.get("/").text
    (finding,) = re.findall(r"<li><h2>.*?</li>", page.replace("\n", " "))
    for words in (
        f'href="/vorfall/{HAMBURG}"', "stark auffällig", "Meldungen seit etwa 09:", "üblich wäre",
        "In der letzten Stunde", "in der Stunde davor", "Durch Zufall", "bestritten", "<svg",
    ):  # fmt: skip
        assert words in finding, words


def test_findings_are_ranked_by_how_unlikely_they_are_and_the_page_says_so(client: FlaskClient) -> None:
    assert "nicht nach ihrer Größe" in client.get("/").text


@pytest.mark.parametrize(
    ("last", "before", "word"),
    [(30, 12, "mehr"), (12, 30, "weniger"), (20, 17, "gleich"), (0, 0, "gleich"), (1, 0, "gleich"), (4, 0, "mehr")],
)
def test_a_difference_is_told_only_beyond_the_scatter_of_counts(
    pages: Flask, last: int, before: int, word: str
) -> None:
    with pages.test_request_context("/"):
        assert word in findings._course(last, before)


def test_the_filter_is_honoured_by_headline_findings_map_and_curve(client: FlaskClient) -> None:
    everything, telekom = client.get("/").text, client.get("/?provider=telekom").text
    assert coloured(everything)["strong"] == 1
    assert "strong" not in coloured(telekom)
    assert headline(telekom) == "Keine auffällige Häufung von Meldungen zu Telekom"
    assert f"/vorfall/{HAMBURG}" not in telekom
    numbers = [re.search(r"n = ([\d.]+)\.", page) for page in (everything, telekom)]
    all_of_them, of_telekom = (int(number[1].replace(".", "")) for number in numbers if number)
    assert 0 < of_telekom < all_of_them
    assert f"/vorfall/{HAMBURG}" in client.get("/?provider=o2&service=fixed_internet&region=Hamburg").text


def test_a_land_shows_its_own_districts_only(client: FlaskClient) -> None:
    page = client.get("/?region=Bayern").text
    assert sum(coloured(page).values()) == 96
    assert headline(page) == "Keine auffällige Häufung von Meldungen aus Bayern"


def test_a_past_moment_shows_what_was_known_then(client: FlaskClient) -> None:
    page = client.get("/?as_of=2017-05-13T07:00Z").text
    assert headline(page) == "Keine auffällige Häufung von Meldungen"
    assert "09:00 Uhr" in page
    assert "früherer Stand" in page
    assert "strong" not in coloured(page)


def test_a_past_time_is_shown_with_what_is_known_now(client: FlaskClient) -> None:
    before, within = (client.get(f"/?until=2017-05-13T{hour}").text for hour in ("09:00", "11:30"))
    assert f"/vorfall/{HAMBURG}" not in before
    assert "Hamburg" in headline(within)
    assert "früherer Zeitraum" in within


def test_the_slider_is_links_that_keep_the_filter(client: FlaskClient) -> None:
    page = client.get("/?provider=o2&as_of=2017-05-13T08:00Z").text
    (row,) = re.findall(r'<nav class="zeiten".*?</nav>', page, re.DOTALL)
    links = re.findall(r'href="([^"]+)"', row)
    assert len(links) > 15
    assert all("provider=o2" in link for link in links)
    assert len(re.findall(r'aria-current="true">10<', row)) == 1  # 08:00 UTC is ten o'clock
    assert ">12</a>" in row
    assert ">13</a>" not in row  # has not come yet
    for link in links[:3]:
        assert client.get(link.replace("&amp;", "&")).status_code == 200


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("provider", "Fernmeldeamt"),
        ("service", "Zeppelin"),
        ("region", "Atlantis"),
        ("since", "gestern"),
        ("as_of", "nie"),
    ],
)
def test_a_mistake_stands_beside_its_field_with_what_was_typed(client: FlaskClient, field: str, typed: str) -> None:
    answer = client.get(f"/?{field}={typed}")
    assert answer.status_code == 400
    assert re.search(rf'<p class="fehler" id="fehler-{field}">.*?</p>\s*<(select|input) id="{field}"', answer.text)
    assert typed in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_the_map_is_a_list_too_and_says_the_same(client: FlaskClient) -> None:
    page = client.get("/").text
    (listed,) = re.findall(r'<details class="kreise">.*?</details>', page, re.DOTALL)
    heads = {words: int(n) for words, n in re.findall(r"<h2>(.*?): (\d+) Kreise?</h2>", listed)}
    shown = coloured(page)
    assert heads["stark auffällig"] == shown["strong"] == 1
    assert heads["zu wenig Meldungen für eine Aussage"] == shown["few"]
    assert len(re.findall("<a ", listed)) == sum(shown.values()) == 400


def test_nothing_conspicuous_is_claimed_only_where_it_would_have_been_noticed(client: FlaskClient) -> None:
    shown = coloured(client.get("/").text)
    assert shown["few"] > 390
    assert shown.get("nothing", 0) < 10


def test_without_anybody_listening_nothing_is_claimed(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue(), now=NOW)
    fill(made, quiet(), heard_until=NOW - timedelta(hours=2))
    Detection(made).refresh()
    page = create_app(made).test_client().get("/").text
    assert headline(page).startswith("Keine Aussage möglich")
    assert "Nirgends häufen sich" not in page
    assert coloured(page) == {"blind": 400}
    made.store.close()


def test_an_empty_store_has_heard_nobody_and_claims_nothing(sender: FlaskClient) -> None:
    page = sender.get("/").text
    assert headline(page).startswith("Keine Aussage möglich")
    assert "Dass hier keine Häufung steht, heißt deshalb nicht" in page
    assert "Nirgends häufen sich" not in page
    assert "Aus 0 von" not in page
    assert "Heller Grund: niemand hörte zu." in page


def test_a_look_that_is_long_ago_is_told(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue(), now=NOW)
    fill(made, quiet(), hamburg())
    Detection(made).refresh()
    client = create_app(made).test_client()
    assert "Zuletzt ausgewertet" not in client.get("/").text
    assert isinstance(made.clock, SimulatedClock)
    made.clock.set(NOW + timedelta(hours=1))
    assert "Zuletzt ausgewertet: 12:30 Uhr" in client.get("/").text
    made.store.close()


def test_everything_for_the_situation_is_light_and_needs_three_requests(netzlage: Instance) -> None:
    browser = Client(create_app(netzlage, cached=True).wsgi_app)
    took = {"Accept-Encoding": "br, gzip"}
    page = browser.get("/", headers=took)
    html = brotli.decompress(page.data).decode()
    named = re.findall(r'<(?:link|script|img|iframe)\b[^>]*?(?:href|src)="(/static[^"]+)"', html)
    needed = [page, *(browser.get(path, headers=took) for path in named)]
    assert len(needed) <= 3
    assert sum(len(answer.data) for answer in needed) <= MOST
    assert sum(len(browser.get(path, headers={"Accept-Encoding": "gzip"}).data) for path in ("/", *named)) <= MOST
    assert not any("Set-Cookie" in answer.headers for answer in needed)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert not re.findall(r"https?://(?!localhost|www\.w3\.org)", html)
