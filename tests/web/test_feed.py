"""Atom feeds: well formed, of the right incidents, and marked where they are simulated."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import feedparser
import pytest
import xmlschema
from flask.testing import FlaskClient

from aggregator.instance import Instance
from aggregator.model import Transition
from aggregator.store import incidents
from aggregator.web import create_app
from aggregator.words import correct
from tests.gazetteer import FACTS
from tests.making import at, incident, instance
from tests.web.test_api import HAMBURG

SCHEMA = xmlschema.XMLSchema11(Path(__file__).parents[1] / "export" / "atom.xsd")
ID, WEAK = "20170513-o2-mobile-02000", "20170513-o2-portal-02000"
ATOM = {"a": "http://www.w3.org/2005/Atom"}


def entries(site: FlaskClient, path: str) -> list[ET.Element]:
    answer = site.get(path)
    assert answer.mimetype == "application/atom+xml"
    SCHEMA.validate(answer.text)
    assert not feedparser.parse(answer.data).bozo
    return ET.fromstring(answer.data).findall("a:entry", ATOM)


@pytest.mark.parametrize(
    "path", ["/feed.atom", "/anbieter/o2/feed.atom", "/region/02000/feed.atom", "/region/02/feed.atom"]
)
def test_hamburg_is_in_its_feeds_and_marked_as_a_simulation(site: FlaskClient, path: str) -> None:
    (entry,) = entries(site, path)
    title = entry.findtext("a:title", namespaces=ATOM) or ""
    assert title.startswith("SIMULATION: Hamburg: ")
    assert "Meldungen zu Internet (Festnetz) von O2 seit etwa" in title
    assert (entry.findtext("a:id", namespaces=ATOM) or "").endswith(f"/vorfall/{HAMBURG}")
    assert entry.findtext("a:updated", namespaces=ATOM) == "2017-05-13T10:30:00Z"


def test_others_have_nothing_in_theirs(site: FlaskClient) -> None:
    assert entries(site, "/anbieter/telekom/feed.atom") == entries(site, "/region/09162/feed.atom") == []


@pytest.mark.parametrize("path", ["/anbieter/nobody/feed.atom", "/region/99/feed.atom"])
def test_nobody_has_no_feed(site: FlaskClient, path: str) -> None:
    assert site.get(path).status_code == 404


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """One incident that was strong at 10:00 and is looked at until 11:20, one that never was; it is 12:00."""
    made = instance(tmp_path, FACTS, now=at(140))
    strong = incident(ID, updated_at=at(20), state="strong")
    with made.store.write() as connection:
        incidents.save(connection, [strong], [Transition(ID, at(20), "strong", 30, 0.5, 20.0)])
        incidents.save(connection, [replace(strong, updated_at=at(100), reports=90)], [])
        weak = incident(WEAK, service="portal")
        incidents.save(connection, [weak], [Transition(WEAK, at(10), "suspected", 9, 1, 15)])
    yield made
    made.store.close()


@pytest.fixture
def reader(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def ids(found: list[ET.Element]) -> list[str]:
    return [(one.findtext("a:id", namespaces=ATOM) or "").rpartition("/")[2] for one in found]


def updated(reader: FlaskClient) -> str | None:
    return entries(reader, "/feed.atom")[0].findtext("a:updated", namespaces=ATOM)


@pytest.mark.parametrize("path", ["/feed.atom", "/anbieter/o2/feed.atom", "/region/02/feed.atom"])
def test_a_feed_begins_with_strong_and_tells_all_to_who_asks(reader: FlaskClient, path: str) -> None:
    assert ids(entries(reader, path)) == [ID]
    assert sorted(ids(entries(reader, f"{path}?threshold=suspected"))) == [ID, WEAK]
    both = [ET.fromstring(reader.get(one).data) for one in (path, f"{path}?threshold=suspected&lang=en")]
    names = [one.findtext("a:id", namespaces=ATOM) for one in both]
    assert names == [f"http://localhost{path}", f"http://localhost{path}?threshold=suspected"]
    own = both[1].find("a:link[@rel='self']", ATOM)
    assert own is not None
    assert own.get("href") == f"http://localhost{path}?threshold=suspected&lang=en"


def test_an_entry_is_new_when_the_incident_changes_not_when_its_numbers_grow(
    netzlage: Instance, reader: FlaskClient
) -> None:
    assert updated(reader) == "2017-05-13T08:00:00Z"
    correct(netzlage, ID, {"kind": "note", "text": "Der Anbieter prüft."}, author="x")
    assert updated(reader) == "2017-05-13T10:00:00Z"
    assert ids(entries(reader, "/feed.atom")) == [ID]


def test_an_entry_leads_to_its_warning_and_names_its_state(reader: FlaskClient) -> None:
    found = entries(reader, "/feed.atom?threshold=suspected")
    links = [one.find("a:link[@type='application/cap+xml']", ATOM) for one in found]
    paths = [link.get("href", "").removeprefix("http://localhost") for link in links if link is not None]
    assert paths == [f"/vorfall/{ID}.cap.xml"]
    assert reader.get(paths[0]).status_code == 200
    states = {(c.get("term"), c.get("label")) for one in found for c in one.findall("a:category", ATOM)}
    assert states == {("strong", "stark auffällig"), ("suspected", "auffällig")}


def test_the_schema_of_these_tests_can_fail(reader: FlaskClient) -> None:
    good = reader.get("/feed.atom").text
    for wrong in (
        good.replace("<updated>", "<updated>x", 1), good.replace("<author><name>Netzlage</name></author>", ""),
        good.replace("<title>", "<title></title><title>", 1), good.replace('rel="self"', 'rel="via"'),
        good.replace('type="application/cap+xml" ', ""), good.replace("<id>http", "<id>not a uri http", 1),
    ):  # fmt: skip
        assert wrong != good
        with pytest.raises(xmlschema.XMLSchemaValidationError):
            SCHEMA.validate(wrong)
