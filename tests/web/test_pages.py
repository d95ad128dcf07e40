"""Every page over a real store: a quiet fortnight, Hamburg's fault, the portal's, what O2 said."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from flask.testing import FlaskClient

from aggregator.catalogue import load_catalogue
from aggregator.detect.calibrate import SHIPPED
from aggregator.web import create_app
from tests.making import instance
from tests.test_refresh import NOW
from tests.web.everywhere import HAMBURG, PAGES


@pytest.mark.parametrize("address", PAGES)
def test_every_page_answers_says_simulation_and_names_no_format(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200
    assert "SIMULATION" in answer.text
    assert '<meta name="robots" content="noindex">' in answer.text
    assert "%(" not in answer.text
    assert "None" not in answer.text
    assert answer.text.count("<h1") == 1


@pytest.mark.parametrize("address", PAGES)
def test_no_page_has_a_style_or_a_script_that_the_policy_forbids(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    assert " style=" not in page
    assert page.count("<script") == ('<script src="/static/melden.js" defer></script>' in page)
    assert "http://" not in page.replace("http://localhost", "").replace("http://www.w3.org", "")


def test_the_situation_leads_with_the_answer_and_links_to_the_evidence(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "<h1>Auffällig viele Meldungen zum Internet (Festnetz) von O2 aus Hamburg</h1>" in page
    assert f'href="/vorfall/{HAMBURG}"' in page
    assert "Einzelne &lt;Probleme&gt;" in page
    assert page.count("<path class=") >= 400


def test_the_map_says_in_words_what_it_shows_in_colour(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "<title>Hamburg: stark auffällig</title>" in page
    assert "<title>Kiel: zu wenig Meldungen für eine Aussage</title>" in page


def test_before_it_began_nothing_was_conspicuous(client: FlaskClient) -> None:
    page = client.get("/?as_of=2017-05-13T07:00Z").text
    assert "<h1>Keine auffällige Häufung von Meldungen</h1>" in page


def test_an_incident_shows_what_is_reported_said_and_measured(client: FlaskClient) -> None:
    page = client.get(f"/vorfall/{HAMBURG}").text
    for words in (
        "Gemeldet",
        "Vom Anbieter",
        "Gemessen von anderen",
        "bestritten",
        "keine Ausfälle",
        "ein Anbieter, eine",
    ):
        assert words in page
    assert "andere Anbieter in diesem Gebiet" in page


def test_the_method_and_the_evidence_name_the_thresholds_in_force_in_weeks(client: FlaskClient) -> None:
    method, evidence = client.get("/methodik").text, client.get(f"/vorfall/{HAMBURG}").text
    for weeks, word in (("einer Woche", "auffällig"), ("13 Wochen", "stark auffällig")):
        assert f"<td>{weeks}</td><td>{word}</td>" in method
        assert f"seltener als einmal in {weeks}" in evidence


def test_chance_is_told_in_the_words_of_the_method_and_never_longer_than_was_looked_at(client: FlaskClient) -> None:
    evidence = client.get(f"/vorfall/{HAMBURG}").text
    assert (
        f"Durch bloßen Zufall käme so etwas seltener als einmal in {SHIPPED.weeks} Wochen vor, "
        "irgendwo in Deutschland, bei irgendeinem Anbieter. Das ist nicht die Wahrscheinlichkeit einer Störung."
        in evidence
    )


def test_what_is_not_calibrated_is_said_to_be_so(client: FlaskClient) -> None:
    for address in ("/methodik", f"/vorfall/{HAMBURG}"):
        assert "Noch nicht geeicht" in client.get(address).text


def test_the_method_and_the_situation_say_what_size_is_found(client: FlaskClient) -> None:
    for address in ("/methodik", "/", "/?as_of=2017-05-13T07:00Z"):
        page = client.get(address).text
        assert "in 95 von 100 Fällen ab" in page or "sobald es eine Vergleichsbasis gibt" in page
    assert "<!-- eichung -->" not in client.get("/methodik").text


@pytest.mark.parametrize("name", ["karte", "verlauf"])
def test_a_picture_can_stand_alone(client: FlaskClient, name: str) -> None:
    svg = client.get(f"/vorfall/{HAMBURG}/{name}.svg")
    text = "".join(ET.fromstring(svg.text).itertext())
    for words in ("SIMULATION", "Netzlage, Stand", "keine Ausfälle"):
        assert words in text
    assert "QuellenderMeldungen:feed." in text.replace(" ", "")
    png = client.get(f"/vorfall/{HAMBURG}/{name}.png")
    assert png.mimetype == "image/png"
    assert png.data.startswith(b"\x89PNG")


def test_a_dead_feed_is_told_with_its_sentence(client: FlaskClient) -> None:
    page = client.get("/quellen").text
    assert "nicht erreichbar" in page
    assert "No answer within 10 seconds." in page
    assert "GeoBasis-DE" in page


@pytest.mark.parametrize("address", ["/vorfall/nichts", "/anbieter/nichts", "/region/99999", "/nichts"])
def test_what_is_not_there_is_a_german_page(client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 404
    assert "Zur Lage" in answer.text


def test_an_impossible_time_is_no_crash(client: FlaskClient) -> None:
    assert client.get("/?as_of=gestern").status_code == 400
    assert "fehler-since" in client.get("/archiv?since=gestern").text


def test_a_fresh_instance_says_that_it_knows_nothing(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue(), now=NOW)
    client = create_app(made).test_client()
    for address in ("/", "/archiv", "/quellen", "/anbieter/o2", "/region/02000", "/daten"):
        assert client.get(address).status_code == 200
    assert "nicht abgehört" in client.get("/").text
    made.store.close()


def test_the_situation_is_light(client: FlaskClient) -> None:
    packed = {"Accept-Encoding": "gzip"}
    with client.get("/", headers=packed) as page, client.get("/static/netzlage.css", headers=packed) as style:
        assert len(page.data) + len(style.data) < 60_000
