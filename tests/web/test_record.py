"""/bilanz and its files, and the package to do the sum from, as a reader meets them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from aggregator.balance import put_judgement
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.package import read_package
from aggregator.detect.redo import differing, redo
from aggregator.detect.zones import make_zones
from aggregator.instance import Instance
from aggregator.model import Statement
from aggregator.store import incidents, statements
from aggregator.web.promise import chance, weeks
from tests.making import at, incident

ID = "20170513-o2-fixed_internet-02000"
ALARM = "20170513-o2-mobile-02000"


@pytest.fixture
def told(sender: FlaskClient, empty: Instance) -> FlaskClient:
    """A reader of a site with one acknowledged alarm, one judged, one missed outage and two weeks of looks."""
    said = Statement("s1", "o2", "mobile", at(30), "Wir <arbeiten> daran.", "acknowledged", "official", "feed")
    other = replace(said, statement_id="s2", provider="telekom", quote="Festnetz gestört.", link="https://a.example/1")
    with empty.store.write() as connection:
        for hour in range(2 * 168):
            incidents.save_hotspots(connection, at(hour * 60), [])
        incidents.save(connection, [incident(ALARM), incident("b", service="tv")], [])
        statements.add(connection, [said, other])
    put_judgement(empty, "b", "not_an_outage", "Wartung beim Melder.", author="command")
    return sender


def test_the_record_tells_outcome_evidence_and_what_was_missed(told: FlaskClient) -> None:
    page = told.get("/bilanz").text
    for words in (
        "vom Anbieter bestätigt",
        "Wir &lt;arbeiten&gt; daran.",
        "keine Störung",
        "Wartung beim Melder.",
        "Festnetz gestört.",
        'href="https://a.example/1"',
        "1 von 2 Alarmen",
        "0,5 je Woche (mit 95 % Sicherheit 0,01 bis 2,79)",
    ):
        assert words in page


def test_an_empty_record_says_so_without_a_rate(sender: FlaskClient) -> None:
    page = sender.get("/bilanz").text
    assert "Bisher gab es keinen Alarm." in page
    assert "Es wurde noch nicht nach Häufungen gesucht" in page
    assert sender.get("/bilanz.json").get_json()["false_a_week"] is None


def test_after_a_few_hours_no_rate_is_told(sender: FlaskClient, empty: Instance) -> None:
    with empty.store.write() as connection:
        incidents.save_hotspots(connection, at(0), [])
    page = sender.get("/bilanz").text
    assert "Hingesehen wurde noch keine Woche" in page
    assert "Sicherheit" not in page


def test_the_record_comes_as_json_and_csv_with_the_same_rows(told: FlaskClient) -> None:
    items = told.get("/api/v1/record").get_json()["items"]
    table = list(csv.DictReader(io.StringIO(told.get("/api/v1/record.csv").text)))
    assert [(r["kind"], r["outcome"], r["evidence"]) for r in table] == [
        (r["kind"], r["outcome"], r["evidence"]) for r in items
    ]
    assert {(r["kind"], r["outcome"], r["ground"]) for r in items} == {
        ("alarm", "acknowledged", "statement"),
        ("alarm", "not_an_outage", "person"),
        ("missed", "acknowledged", "statement"),
    }
    sums = told.get("/bilanz.json").get_json()
    assert (sums["alarms"], sums["missed"], sums["outcomes"]["not_an_outage"]) == (2, 1, 1)
    assert sums["false_a_week"]["low"] < sums["false_a_week"]["rate"] < sums["false_a_week"]["high"]


def test_the_package_of_an_incident_gives_its_figures_again(site: FlaskClient) -> None:
    answer = site.get(f"/vorfall/{ID}/nachrechnen.zip")
    assert (answer.status_code, answer.mimetype) == (200, "application/zip")
    assert f"nachrechnen-{ID}-SIMULATION.zip" in answer.headers["Content-Disposition"]
    proof = read_package(answer.data)
    shown = site.get(f"/vorfall/{ID}.json").get_json()
    again = redo(proof)
    assert differing(proof.published, again) == []
    assert again.score == pytest.approx(shown["score"], abs=0.01)
    assert again.recurrence_weeks == shown["recurrence_weeks"]
    assert f'href="/vorfall/{ID}/nachrechnen.zip"' in site.get(f"/vorfall/{ID}").text


@pytest.mark.parametrize(
    "address", ["/vorfall/nichts/nachrechnen.zip", f"/vorfall/{ID}/nachrechnen.zip?as_of=2017-05-01T00:00Z"]
)
def test_there_is_no_package_of_what_was_not_known(site: FlaskClient, address: str) -> None:
    assert site.get(address).status_code == 404


@pytest.mark.parametrize(
    ("told_weeks", "words"),
    [
        (None, "noch nicht geeicht"),
        (1.0, "etwa einmal in einer Woche vor, irgendwo in Deutschland"),
        (4.26, "etwa einmal in 4,3 Wochen vor"),
        (13.4, "etwa einmal in 13 Wochen vor"),
        (float(SHIPPED.weeks), f"seltener als einmal in {SHIPPED.weeks} Wochen vor"),
    ],
)
def test_chance_in_words(sender: FlaskClient, told_weeks: float | None, words: str) -> None:
    with sender.application.test_request_context("/"):
        assert words in chance(incident(recurrence_weeks=told_weeks), SHIPPED)
        assert weeks(0.5) == "0,5 Wochen"


def test_the_method_page_counts_on_the_method_in_force(site: FlaskClient) -> None:
    page = site.get("/methodik").text
    for words in (
        "wirksame Meldungen",
        "9,18061699783",
        "nachrechnen.zip",
        "Was wir nicht behaupten",
        "Massenmeldungen",
        "/bilanz",
    ):
        assert words in page


def test_the_method_page_tells_how_many_zones_there_are(site: FlaskClient, filled: Instance) -> None:
    number = len(make_zones(list(filled.catalogue.regions.values())).level)
    assert f"rund {round(number, -2):,} Gebiete".replace(",", ".") in site.get("/methodik").text
