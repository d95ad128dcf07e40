"""Beside the reports: who said what, who was asked, who measured, who is back, what was taken back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from aggregator.catalogue import load_catalogue
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, Signal, Statement, Transition
from aggregator.record import Enquiry
from aggregator.store import cube, enquiries, incidents, reports, runs, signals, statements
from aggregator.web import create_app, story
from aggregator.words import correct
from tests.making import at, incident, instance, report

ID = "20170513-o2-mobile-02000"
PAGE = f"/vorfall/{ID}"
SAID = Statement("s", "o2", "mobile", at(57), "Kein Hinweis.", "denied", "official", "auskunft", received_at=at(58))


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """A store with one running incident of which the first alarm came at 09:50, at 13:40."""
    made = instance(tmp_path, load_catalogue(), now=at(240))
    with made.store.write() as connection:
        first = incident(ID, state="strong", score=25.0, updated_at=at(10))
        change = Transition(ID, at(10), "strong", 12, 0.5, 25.0)
        incidents.save(connection, [first], [change])
        incidents.save(connection, [replace(first, updated_at=at(240), reports=40)], [])
    yield made
    made.store.close()


@pytest.fixture
def site(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def heard(netzlage: Instance, since: float, until: float) -> None:
    run = FeedRun("auskunft", at(until), at(until), "ok", "statements", at(since), at(until))
    with netzlage.store.write() as connection:
        runs.add(connection, run)


def say(netzlage: Instance, **values: Any) -> None:
    with netzlage.store.write() as connection:
        statements.add(connection, [replace(SAID, **values)])


def test_the_lead_is_told_while_the_source_was_listened_to(netzlage: Instance, site: FlaskClient) -> None:
    say(netzlage)
    told = "Unser erster Hinweis kam 47 Minuten vor der ersten uns bekannten Erklärung."
    assert told not in site.get(PAGE).text
    heard(netzlage, -60, 30)
    assert told not in site.get(PAGE).text
    heard(netzlage, 30, 60)
    assert told in site.get(PAGE).text


def test_of_a_time_in_which_nobody_listened_no_silence_is_claimed(netzlage: Instance, site: FlaskClient) -> None:
    with netzlage.store.write() as connection:
        old = incident("old", onset=at(-9_000), updated_at=at(-8_900), ended_at=at(-8_900), state="over")
        incidents.save(connection, [old], [])
    heard(netzlage, -60, 240)
    told = "Was O2 damals dazu erklärt hat, haben wir nicht abgehört."
    assert told in site.get("/vorfall/old").text
    assert told not in site.get(PAGE).text
    heard(netzlage, -9_000, -8_900)
    assert told not in site.get("/vorfall/old").text
    assert "Von O2 ist uns keine Erklärung bekannt" in site.get("/vorfall/old").text


def test_a_word_before_the_alarm_is_told_as_that(netzlage: Instance, site: FlaskClient) -> None:
    say(netzlage, said_at=at(-2), assumed_time=True)
    page = site.get(PAGE).text
    assert "Die erste uns bekannte Erklärung kam 12 Minuten vor unserem ersten Hinweis." in page
    assert "Die Uhrzeit der Erklärung ist angenommen." in page


def test_what_a_customer_heard_is_no_word_of_the_provider(netzlage: Instance, site: FlaskClient) -> None:
    heard(netzlage, -60, 240)
    say(netzlage, channel="hotline_secondhand")
    page = site.get(PAGE).text
    assert "ersten uns bekannten Erklärung" not in page
    assert "Nicht vom Anbieter selbst." in page


def test_a_statement_belongs_to_the_incident_that_it_names(netzlage: Instance, site: FlaskClient) -> None:
    with netzlage.store.write() as connection:
        incidents.save(connection, [incident("other")], [])
    say(netzlage, incident_id="other")
    assert "Kein Hinweis." not in site.get(PAGE).text
    assert "Kein Hinweis." in site.get("/vorfall/other").text


def test_what_is_said_long_after_the_end_belongs_to_something_else(netzlage: Instance, site: FlaskClient) -> None:
    with netzlage.store.write() as connection:
        incidents.save(connection, [incident("old", onset=at(-10_000), ended_at=at(-9_000), state="over")], [])
    say(netzlage)
    assert "Kein Hinweis." not in site.get("/vorfall/old").text


def test_an_enquiry_waits_until_its_answer_stands_there_verbatim(netzlage: Instance, site: FlaskClient) -> None:
    with netzlage.store.write() as connection:
        enquiries.add(connection, Enquiry("e", ID, "o2", at(22), at(25)))
    assert "O2: angefragt 10:02 Uhr, bisher keine Antwort." in site.get(PAGE).text
    assert "bisher keine Antwort" not in site.get(f"{PAGE}?as_of=2017-05-13T10:04").text
    assert "bisher keine Antwort" in site.get("/").text
    say(netzlage, enquiry_id="e", incident_id=ID, expected_end=at(500))
    page = site.get(PAGE).text
    assert "O2: angefragt 10:02 Uhr, Antwort 10:37 Uhr." in page
    assert "„Kein Hinweis.“" in page
    assert "Soll dauern bis 18:00 Uhr." in page
    assert "bisher keine Antwort" in site.get(f"{PAGE}?as_of=2017-05-13T10:37").text


def test_measurements_of_others_stand_beside_and_are_not_added(netzlage: Instance, site: FlaskClient) -> None:
    assert "Dazu liegen uns keine Messungen vor." in site.get(PAGE).text
    drop = Signal("a", "ioda", "02", at(5), None, "drop", received_at=at(20))
    given = [
        drop,
        replace(drop, signal_id="b", region="09"),
        replace(drop, signal_id="c", source="cloudflare", region="", what="outage", ended_at=at(65)),
        *(
            replace(
                drop, signal_id=f"d{n}", source="downdetector", region="", provider="o2", what="count",
                value=n, started_at=at(n), ended_at=at(n + 15),
            )
            for n in (15, 30)
        ),
        replace(drop, signal_id="e", region="", provider="telekom"),
        replace(drop, signal_id="f", started_at=at(-300), ended_at=at(-200)),
    ]  # fmt: skip
    with netzlage.store.write() as connection:
        signals.add(connection, given)
    page = site.get(PAGE).text
    assert "IODA sieht einen Rückgang in Hamburg ab 09:45 Uhr." in page
    assert page.count("sieht einen Rückgang") == 1
    assert "Cloudflare Radar verzeichnet eine Störung in Deutschland ab 09:45 Uhr, bis 10:45 Uhr." in page
    assert "Downdetector zählt zu O2 bis zu 30 eigene Meldungen (10:10 Uhr bis 10:25)." in page
    assert ">40 Meldungen<" in page
    assert "IODA" not in site.get(f"{PAGE}?as_of=2017-05-13T09:55").text


def test_those_who_are_back_are_counted_with_their_median(netzlage: Instance, site: FlaskClient) -> None:
    assert "geht wieder" not in site.get(PAGE).text
    with netzlage.store.write() as connection:
        reports.add(connection, [report(f"r{n}", n, ended_at=at(n * 20 + 60), received_at=at(180)) for n in (1, 2)])
    assert "2 davon melden: geht wieder." in site.get(PAGE).text
    with netzlage.store.write() as connection:
        reports.add(connection, [report("r3", 3, ended_at=at(200), received_at=at(205))])
    assert "3 davon melden: geht wieder, die Hälfte nach höchstens 1 Stunde 38 Minuten." in site.get(PAGE).text
    assert "2 davon melden" in site.get(f"{PAGE}?as_of=2017-05-13T12:50").text


def test_press_contact_and_fault_line_stand_there(netzlage: Instance) -> None:
    with netzlage.store.write() as connection:
        incidents.save(connection, [incident("t", provider="telekom", providers=("telekom",))], [])
    page = create_app(netzlage).test_client().get("/vorfall/t").text
    assert "medien@telekom.de" in page
    assert "0800 3301000" in page


def test_a_withdrawal_heads_page_pictures_feed_and_exports_and_as_of_keeps_the_old(
    netzlage: Instance, site: FlaskClient
) -> None:
    correct(netzlage, ID, {"kind": "note", "text": "Der Anbieter <prüft> noch."}, author="x")
    correct(netzlage, ID, {"kind": "withdraw", "text": "Eine Quelle zählte doppelt."}, author="x")
    page = site.get(PAGE).text
    gone = "Zurückgezogen am Samstag, 13. Mai 2017, 13:40 Uhr: Eine Quelle zählte doppelt."
    shown = gone.replace("Eine Quelle", '<span lang="de">Eine Quelle')  # in a page of either language
    assert page.index(shown) < page.index("<h1>Zurückgezogen. Hamburg") < page.index("</h1>")
    assert 'Nachtrag vom Samstag, 13. Mai 2017, 13:40 Uhr: <span lang="de">Der Anbieter &lt;prüft&gt; noch.' in page
    for kind in ("karte", "verlauf"):
        picture = site.get(f"{PAGE}/{kind}.svg").text
        assert "Eine Quelle zählte doppelt." in picture
        assert "Zurückgezogen. Hamburg" in picture
        assert site.get(f"{PAGE}/{kind}.png").data.startswith(b"\x89PNG")
    feed = site.get("/feed.atom").text
    assert "SIMULATION: Zurückgezogen. Hamburg" in feed
    assert gone in feed
    assert "Eine Quelle zählte doppelt." in site.get("/api/v1/incidents").text
    before = site.get(f"{PAGE}?as_of=2017-05-13T13:39").text
    assert "Zurückgezogen" not in before
    assert "stark auffällig" in before
    assert "Zurückgezogen" not in site.get(f"{PAGE}/verlauf.svg?as_of=2017-05-13T13:39").text
    assert "(zurückgezogen)" in site.get("/").text
    with netzlage.store.read() as connection:
        (row,) = incidents.find(connection, Filter())
    assert row.ended_at == at(240)


@pytest.mark.parametrize(
    ("minutes", "words"),
    [
        (0, "1 Minute"), (47, "47 Minuten"), (60, "1 Stunde"), (80, "1 Stunde 20 Minuten"), (1500, "25 Stunden"),
        (2880, "2 Tage"), (3001, "2 Tage 2 Stunden"),
    ],
)  # fmt: skip
def test_lengths_are_told_in_words(netzlage: Instance, minutes: int, words: str) -> None:
    with create_app(netzlage).test_request_context():
        assert story.length(timedelta(minutes=minutes)) == words


def test_of_an_earlier_state_nobody_has_listened_later(netzlage: Instance, site: FlaskClient) -> None:
    heard(netzlage, -60, 200)
    assert "(abgehört bis 13:00 Uhr)" in site.get(PAGE).text
    assert "(abgehört bis 10:04 Uhr)" in site.get(f"{PAGE}?as_of=2017-05-13T10:04").text


def test_an_old_incident_is_judged_by_those_who_told_of_the_provider_then(
    site: FlaskClient, netzlage: Instance
) -> None:
    then = -144_000.0
    over = at(then + 60)
    with netzlage.store.write() as connection:
        known = incident("old", onset=at(then), updated_at=over, ended_at=over, state="over")
        incidents.save(connection, [known], [])
        reports.add(connection, [report("o", then + 1, source="before"), report("n", 5)])
        cube.listen(connection, "before", at(then - 7 * 60), at(then + 5 * 60))
    page = site.get("/vorfall/old").text
    assert "nicht zu hören" not in page
    assert "niemand hörte zu" not in page
    assert "nicht abgehört" not in site.get("/vorfall/old/verlauf.svg").text


def test_reports_that_a_look_counted_though_they_came_late_are_in_the_picture_too(
    site: FlaskClient, netzlage: Instance
) -> None:
    netzlage.clock.set(at(244))  # type: ignore[attr-defined]
    with netzlage.store.write() as connection:
        reports.add(connection, [report("1", 5), report("2", 238, received_at=at(241))])
    assert "n = 2 im Bild" in site.get(PAGE).text
    assert "n = 1 im Bild" in site.get(f"{PAGE}?as_of=2017-05-13T13:40").text


def test_the_same_words_are_told_in_full_once_of_several_findings(netzlage: Instance, site: FlaskClient) -> None:
    say(netzlage)
    with netzlage.store.write() as connection:
        incidents.save(connection, [incident("m", state="strong", regions=("09162",), updated_at=at(240))], [])
    page = site.get("/").text
    assert page.count("Kein Hinweis.") == page.count("Wortlaut oben.") == 1
    assert page.count("bestritten") == 2
