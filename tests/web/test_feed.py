"""Atom feeds: well formed, of the right incidents, and marked where they are simulated."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from flask.testing import FlaskClient

from tests.web.test_api import HAMBURG

ATOM = {"a": "http://www.w3.org/2005/Atom"}


def entries(site: FlaskClient, path: str) -> list[ET.Element]:
    answer = site.get(path)
    assert answer.mimetype == "application/atom+xml"
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
