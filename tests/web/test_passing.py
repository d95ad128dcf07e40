"""What others take in: CAP, the embedded page, oEmbed; from strong on, and taken back with the incident."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from werkzeug.test import TestResponse

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.export.cap import NAMESPACE
from aggregator.instance import Instance
from aggregator.model import Statement, Transition
from aggregator.store import incidents, statements
from aggregator.web import create_app
from aggregator.words import correct
from tests.export.test_cap import SCHEMA
from tests.making import at, incident, instance

ID, WEAK = "20170513-o2-mobile-02000", "20170513-o2-portal-02000"
CAP = f"/vorfall/{ID}.cap.xml"


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """One incident that became strong at 10:00 and eases since 11:00, one that never did; it is 12:00."""
    made = instance(tmp_path, load_catalogue(), now=at(140))
    first = incident(ID)
    versions = [
        first,
        replace(first, updated_at=at(20), state="strong", reports=30),
        replace(first, updated_at=at(80), state="easing", reports=60),
    ]
    with made.store.write() as connection:
        for one in versions:
            change = Transition(ID, one.updated_at, one.state, one.reports, 0.5, 20.0)
            incidents.save(connection, [one], [change])
        incidents.save(
            connection, [incident(WEAK, service="portal")], [Transition(WEAK, at(10), "suspected", 9, 1, 15)]
        )
    yield made
    made.store.close()


@pytest.fixture
def site(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def told(answer: TestResponse) -> dict[str, str]:
    """Return the texts of a valid CAP message by their names; the first of each, which is the German."""
    assert answer.status_code == 200
    assert answer.mimetype == "application/cap+xml"
    SCHEMA.validate(answer.text)
    found: dict[str, str] = {}
    for one in ET.fromstring(answer.data).iter():
        found.setdefault(one.tag.removeprefix(f"{{{NAMESPACE}}}"), one.text or "")
    return found


def test_cap_begins_with_strong_and_follows_each_change(site: FlaskClient) -> None:
    assert site.get(f"{CAP}?as_of=2017-05-13T09:55").status_code == 404
    first = told(site.get(f"{CAP}?as_of=2017-05-13T10:59"))
    assert (first["msgType"], first["status"], first["identifier"]) == ("Alert", "Exercise", f"{ID}-m1")
    assert first["sent"] == "2017-05-13T10:00:00+02:00"
    assert "30 Meldungen" in first["description"]
    assert first["headline"].startswith("SIMULATION: Hamburg")
    second = told(site.get(CAP))
    assert (second["msgType"], second["identifier"]) == ("Update", f"{ID}-m2")
    assert second["references"] == f"{second['sender']},{ID}-m1,2017-05-13T10:00:00+02:00"
    assert "60 Meldungen" in second["description"]


def test_the_same_message_is_the_same_document_in_every_language(site: FlaskClient) -> None:
    german = site.get(CAP).data
    assert site.get(f"{CAP}?lang=en", headers={"Accept-Language": "en"}).data == german


def test_a_note_is_an_update_and_a_withdrawal_cancels(netzlage: Instance, site: FlaskClient) -> None:
    correct(netzlage, ID, {"kind": "note", "text": "Der Anbieter prüft."}, author="x")
    note = told(site.get(CAP))
    assert (note["msgType"], note["identifier"]) == ("Update", f"{ID}-m3")
    assert "Der Anbieter prüft." in note["description"]
    assert isinstance(netzlage.clock, SimulatedClock)
    netzlage.clock.set(at(150))
    correct(netzlage, ID, {"kind": "withdraw", "text": "Doppelt gezählt."}, author="x")
    gone = told(site.get(CAP))
    assert (gone["msgType"], gone["certainty"], gone["identifier"]) == ("Cancel", "Possible", f"{ID}-m4")
    assert "Doppelt gezählt." in gone["description"]
    assert "Der Anbieter prüft." not in gone["description"]
    assert gone["references"].count(",") == 6
    assert told(site.get(f"{CAP}?as_of=2017-05-13T12:05")) == note


def test_what_was_never_strong_is_not_passed_on(netzlage: Instance, site: FlaskClient) -> None:
    correct(netzlage, WEAK, {"kind": "withdraw", "text": "Nichts."}, author="x")
    assert site.get(f"/vorfall/{WEAK}.cap.xml").status_code == 404
    assert site.get("/vorfall/none.cap.xml").status_code == 404
    assert site.get(f"/oembed?url=http://localhost/vorfall/{WEAK}").status_code == 404
    page = site.get(f"/vorfall/{WEAK}").text
    assert "cap.xml" not in page
    assert "oembed" not in page


def test_a_page_leads_to_its_oembed_and_that_to_the_embedded_page(site: FlaskClient) -> None:
    page = site.get(f"/vorfall/{ID}").text
    link = re.search(r'application/json\+oembed"[^>]*href="http://localhost([^"]+)"', page)
    assert link
    offer = site.get(unescape(link[1])).get_json()
    assert (offer["version"], offer["type"]) == ("1.0", "rich")
    assert offer["title"] == "SIMULATION: Hamburg: Mobilfunk von O2"
    source = re.search(r'<iframe src="http://localhost([^"]+)" width="640"', offer["html"])
    assert source
    assert source[1] == f"/vorfall/{ID}/einbetten"
    assert site.get(source[1]).status_code == 200
    assert site.get(offer["thumbnail_url"].removeprefix("http://localhost")).mimetype == "image/png"


def test_oembed_keeps_to_the_size_and_the_moment_that_are_asked_for(site: FlaskClient) -> None:
    asked = {"url": f"http://localhost/vorfall/{ID}?as_of=2017-05-13T08:30:00Z", "maxwidth": "400", "maxheight": "x"}
    offer = site.get("/oembed", query_string=asked).get_json()
    assert (offer["width"], offer["height"]) == (400, 720)
    assert "einbetten?as_of=2017-05-13T08:30:00Z" in offer["html"]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 404), ("?url=http://localhost/", 404), (f"?url=http://evil.example/vorfall/{ID}", 404),
        (f"?url=http://localhost/vorfall/{ID}&format=xml", 501), ("?url=http://localhost/vorfall/none", 404),
        (f"?url=http://localhost/vorfall/{ID}?as_of=gestern", 400),
    ],
)  # fmt: skip
def test_what_is_not_ours_is_not_offered(site: FlaskClient, query: str, status: int) -> None:
    assert site.get(f"/oembed{query}").status_code == status


def test_only_the_embedded_page_may_stand_in_pages_of_others(netzlage: Instance, site: FlaskClient) -> None:
    correct(netzlage, ID, {"kind": "withdraw", "text": "Doppelt gezählt."}, author="x")
    answer = site.get(f"/vorfall/{ID}/einbetten")
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers
    assert answer.text.index("Doppelt gezählt.") < answer.text.index("<h1>")
    assert "Zurückgezogen. Hamburg" in answer.text
    assert "SIMULATION" in answer.text
    assert site.get(f"/vorfall/{ID}").headers["X-Frame-Options"] == "DENY"
    assert "Doppelt gezählt." not in site.get(f"/vorfall/{ID}/einbetten?as_of=2017-05-13T11:59").text


@pytest.mark.browser
def test_it_fits_the_frame_that_is_offered(browser: Browser, netzlage: Instance, site: FlaskClient) -> None:
    said = Statement("s", "o2", "mobile", at(60), "Wir sehen keine Störung.", "denied", "official", "feed")
    with netzlage.store.write() as connection:
        statements.add(connection, [said])
    correct(netzlage, ID, {"kind": "note", "text": "Der Anbieter prüft noch; wir fragen wieder nach."}, author="x")
    page_text = site.get(f"/vorfall/{ID}/einbetten").text
    assert "Wir sehen keine Störung." in page_text
    page = browser.new_page(viewport={"width": 640, "height": 720})
    page.set_content(page_text)
    assert page.evaluate("document.documentElement.scrollHeight") <= 720
    page.set_viewport_size({"width": 320, "height": 720})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.close()
