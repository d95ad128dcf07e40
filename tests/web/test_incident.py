"""The page of an incident: which state it shows, what stands behind it, what speaks against it, what can be taken."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from aggregator.catalogue import load_catalogue
from aggregator.instance import Instance
from aggregator.model import ALL, Incident, Report, Statement, Transition
from aggregator.store import crowds, cube, incidents, names, reports, statements
from aggregator.store.crowds import Crowd
from aggregator.web import create_app
from aggregator.words import correct, take_back
from tests.making import at, incident, instance, report

ID = "20170513-o2-mobile-02000"
PAGE = f"/vorfall/{ID}"
DAY = 24 * 60.0
ALONE = (
    "Meldungen sind keine Ausfälle und nicht repräsentativ; wie viele Anschlüsse gestört sind und warum, "
    "folgt daraus nicht."
)


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """One incident in Hamburg, suspected at 09:50, strong at 10:00, looked at last at 13:40, which is now."""
    made = instance(tmp_path, load_catalogue(), now=at(240))
    first = incident(ID, standard=15.0, spread=2.0, recurrence_weeks=5.0)
    strong = replace(first, state="strong", standard=25.0, recurrence_weeks=40.0)
    save(made, first, replace(strong, updated_at=at(20)), replace(strong, updated_at=at(240), reports=40, expected=1.6))
    with made.store.write() as connection:
        changes = [Transition(ID, at(10), "suspected", 12, 0.5, 15.5), Transition(ID, at(20), "strong", 20, 0.5, 25.0)]
        incidents.save(connection, [], changes)
    yield made
    made.store.close()


@pytest.fixture
def site(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def save(netzlage: Instance, *versions: Incident) -> None:
    with netzlage.store.write() as connection:
        for version in versions:
            incidents.save(connection, [version], [])


def tell(netzlage: Instance, *given: Report) -> None:
    with netzlage.store.write() as connection:
        reports.add(connection, list(given))
        cube.listen(connection, "feed", at(-6 * 60), at(240))


def words(page: str) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())


def row(page: str, head: str) -> str:
    """Return what stands beside the head in the table of evidence."""
    found = re.search(rf'<th scope="row">{head}</th><td>(.*?)</td></tr>', page, re.DOTALL)
    assert found, head
    return words(found[1])


def test_a_ratio_has_the_interval_of_reports_that_clump(site: FlaskClient, netzlage: Instance) -> None:
    page = site.get(PAGE).text
    assert "üblich wären in dieser Zeit etwa zwei (25-mal so viele, 15 bis 39)" in page
    save(netzlage, incident("poisson", reports=40, expected=1.6, updated_at=at(240)))
    assert "(25-mal so viele, 18 bis 34)" in site.get("/vorfall/poisson").text
    assert "25-mal so viele (95-%-Bereich 15 bis 39;" in row(page, "Meldungen und üblich")


def test_below_one_usual_report_and_without_a_basis_there_is_no_ratio(site: FlaskClient, netzlage: Instance) -> None:
    save(netzlage, incident("few", reports=40, expected=0.99), incident("cold", reports=40, expected=3.0, cold=True))
    for name, why in (("few", "wo mindestens eine Meldung üblich wäre"), ("cold", "wenn es eine Vergleichsbasis gibt")):
        page = site.get(f"/vorfall/{name}").text
        assert "-mal so viele" not in page
        assert why in row(page, "Meldungen und üblich")


def test_the_page_says_which_state_it_shows_and_links_to_it_for_good(site: FlaskClient) -> None:
    page = site.get(PAGE).text
    assert f'href="{PAGE}?as_of=2017-05-13T11:40:00Z">fester Link auf diesen Stand' in page
    assert "früheren Stand" not in page
    assert "festgehaltenen Stand" in site.get(f"{PAGE}?as_of=2017-05-13T11:40:00Z").text
    then = site.get(f"{PAGE}?as_of=2017-05-13T10:05").text
    assert "Sie sehen einen früheren Stand: das, was am Samstag, 13. Mai 2017, 10:05 Uhr bekannt war." in words(then)
    assert "12 Meldungen" in then
    for link in ("csv", "json", "cap.xml"):
        assert f"{PAGE}.{link}?as_of=2017-05-13T08:05:00Z" in then
    assert f"{PAGE}/verlauf.png?format=quadrat&amp;as_of=2017-05-13T08:05:00Z" in then
    assert f"localhost{PAGE}?as_of=2017-05-13T08:00:00Z" in words(then).partition("Zitieren:")[2]


def test_each_change_leads_to_what_was_shown_then(site: FlaskClient, netzlage: Instance) -> None:
    correct(netzlage, ID, {"kind": "note", "text": "Nachgefragt."}, author="x")
    page = site.get(PAGE).text
    [chronicle] = re.findall(r'<ol class="chronik">.*?</ol>', page, re.DOTALL)
    told = words(chronicle)
    assert [told.index(word) for word in ("Beginn", "auffällig", "stark auffällig", "Nachgefragt")] == sorted(
        told.index(word) for word in ("Beginn", "auffällig", "stark auffällig", "Nachgefragt")
    )
    assert f'href="{PAGE}?as_of=2017-05-13T08:00:00Z">Stand damals' in chronicle
    assert f'href="{PAGE}?as_of=2017-05-13T07:50:00Z">Stand damals' in chronicle


def test_persons_postcodes_and_shares_of_the_sources_stand_there(site: FlaskClient, netzlage: Instance) -> None:
    some = [report(f"r{n}", n + 1, reporter=f"p{n}", plz="22767") for n in range(8)]
    tell(netzlage, *some, report("i", 20, reporter="i", source="forum", plz="20095", place_source="ip"))
    page = site.get(PAGE).text
    assert row(page, "Von wie vielen") == "9 verschiedene Meldende."
    assert row(page, "Postleitzahlen").startswith("22767 6 Personen")
    assert row(page, "Quellen") == "feed: 89 %, forum: 11 %"
    assert "Bei 11 % der Meldungen ist der Ort nur aus der IP-Adresse geschätzt." in words(page)
    assert row(page, "Gebiet") == "Hamburg"


def test_over_six_hours_the_words_are_reports_not_persons(site: FlaskClient, netzlage: Instance) -> None:
    tell(netzlage, report("r", 1, reporter="p"))
    save(netzlage, incident("long", onset=at(-200), updated_at=at(240)))
    assert row(site.get("/vorfall/long").text, "Von wie vielen").startswith(
        "Meldungen (je Person höchstens eine in 6 Stunden)"
    )
    assert "verschiedene Meldende" not in site.get("/vorfall/long").text


def test_what_speaks_against_it_is_said(site: FlaskClient, netzlage: Instance) -> None:
    page = row(site.get(PAGE).text, "Was dagegen spricht")
    assert "Seit 10:00 Uhr ist der Vorfall öffentlich" in page
    assert "nicht zu hören" in page  # nobody listened in this store
    tell(netzlage, report("r", 1))
    save(netzlage, incident("held", reports=5, held=True, updated_at=at(240), ended_at=at(240), state="over"))
    with netzlage.store.write() as connection:
        said = Statement("s", "o2", "mobile", at(30), "Nein.", "denied", "official", "feed", received_at=at(30))
        statements.add(connection, [said])
        incidents.save_hotspots(connection, at(240), [])
        crowds.save(connection, at(240), [Crowd(incident().stream, "text", "x", 900)])
    page = row(site.get("/vorfall/held").text, "Was dagegen spricht")
    for words_ in (
        "wenige Meldungen", "aus einer Quelle", "bestreitet eine Störung", "anderes dieses Anbieters öffentlich",
        "Nicht gewertete Massenmeldungen: 900 Meldungen",
    ):  # fmt: skip
        assert words_ in page, words_
    assert "nicht zu hören" not in page


def test_no_page_and_no_picture_lacks_what_must_not_be_read_into_it(site: FlaskClient) -> None:
    assert ALONE in site.get(PAGE).text
    english = ALONE not in site.get(f"{PAGE}?lang=en").text
    assert english
    for name in ("karte", "verlauf"):
        for form in ("16x9", "quadrat"):
            svg = site.get(f"{PAGE}/{name}.svg?format={form}").text
            assert ALONE.replace(" ", "") in words(svg).replace(" ", "")
            assert "Reports are not outages" in words(site.get(f"{PAGE}/{name}.svg?format={form}&lang=en").text)


@pytest.mark.parametrize(
    ("name", "form", "size"),
    [
        ("verlauf", "", (1200, 675)), ("verlauf", "?format=quadrat", (1200, 1200)), ("karte", "", (1200, 1200)),
        ("karte", "?format=16x9", (1200, 675)),
    ],
)  # fmt: skip
def test_pictures_come_in_both_formats(site: FlaskClient, name: str, form: str, size: tuple[int, int]) -> None:
    png = site.get(f"{PAGE}/{name}.png{form}").data
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == size
    assert site.get(f"{PAGE}/{name}.png?format=4x3").status_code == 400


def test_the_map_of_an_incident_claims_nothing_of_districts_outside_it(site: FlaskClient, netzlage: Instance) -> None:
    save(netzlage, incident("m", regions=("09162",), state="strong", standard=25.0, recurrence_weeks=40.0))
    svg = site.get(f"{PAGE}/karte.svg").text
    assert svg.count('class="kreis strong"') == 1
    assert svg.count('class="kreis few"') == 399
    assert "<title>München: nicht Teil dieses Vorfalls</title>" in svg
    assert "Zur selben Zeit auffällig:" in site.get(PAGE).text
    assert 'href="/vorfall/m"' in site.get(PAGE).text


def test_the_map_of_the_nation_says_that_it_is_the_whole(site: FlaskClient, netzlage: Instance) -> None:
    save(netzlage, incident("n", regions=(), scope="national", pattern="one_provider_national", updated_at=at(240)))
    tell(netzlage, report("a", 5, region=""), report("b", 6))
    page = site.get("/vorfall/n").text
    assert "das Land als Ganzes, nicht jeder Kreis" in page
    assert row(page, "Gebiet") == "Bundesweit: Meldungen aus 1 von 400 Kreisen, 1 ohne Ort"


@pytest.mark.parametrize(
    ("days", "unit"),
    [(0.5, "Viertelstunde"), (3, "Stunde"), (12, "drei Stunden"), (30, "sechs Stunden"), (90, "Tag")],
)
def test_a_long_incident_is_shown_whole_in_wider_bars(
    site: FlaskClient, netzlage: Instance, days: float, unit: str
) -> None:
    onset = at(240 - days * DAY)
    save(netzlage, incident("long", onset=onset, onset_earliest=onset, onset_latest=onset, updated_at=at(240)))
    page = site.get("/vorfall/long").text
    assert f"<b>Meldungen je {unit}</b>" in page
    assert 'class="on"' in page  # the onset is inside the picture
    assert f"Meldungen je {unit}, n = 0" in words(site.get("/vorfall/long/verlauf.svg").text)


def test_what_was_taken_back_is_struck_through_with_the_reason_and_counts_for_nothing(
    site: FlaskClient, netzlage: Instance
) -> None:
    with netzlage.store.write() as connection:
        said = Statement("s", "o2", "mobile", at(30), "Alles gut.", "denied", "official", "manual", received_at=at(30))
        statements.add(connection, [said])
    assert '<p class="kern">bestritten</p>' in site.get(PAGE).text
    take_back(netzlage, "s", "Das sagte <jemand> anders.", author="x")
    page = site.get(PAGE).text
    assert '<p class="kern">nichts bekannt</p>' in page
    assert re.search(
        "<del>[^\n]*„Alles gut.“[^\n]*</del> Zurückgenommen am [^\n]* 13:40 Uhr: <span[^>]*>Das sagte &lt;jemand&gt;",
        page,
    )
    assert 'class="w"' not in page
    assert "<del>" in site.get(f"{PAGE}/einbetten").text
    before = site.get(f"{PAGE}?as_of=2017-05-13T13:39").text
    assert "<del>" not in before
    assert '<p class="kern">bestritten</p>' in before


def test_reports_that_came_since_the_last_look_wait_for_the_next(site: FlaskClient, netzlage: Instance) -> None:
    netzlage.clock.set(at(244))  # type: ignore[attr-defined]
    tell(netzlage, report("1", 5), report("2", 30), report("3", 242, received_at=at(243)))
    page = site.get(PAGE).text
    assert "n = 2 im Bild" in page
    assert row(page, "Von wie vielen").startswith("Die Quellen sagen nicht, wer meldet")


def test_what_a_person_wrote_is_german_on_the_english_page(site: FlaskClient, netzlage: Instance) -> None:
    correct(netzlage, ID, {"kind": "note", "text": "Der Anbieter prüft."}, author="x")
    page = site.get(f"{PAGE}?lang=en").text
    assert ': <span lang="de">Der Anbieter prüft.</span>' in page
    assert '<b>Note</b> <span class="klein" lang="de">Der Anbieter prüft.</span>' in page


def test_what_was_never_strong_is_not_offered_for_embedding(site: FlaskClient, netzlage: Instance) -> None:
    assert 'id="einbetten"' in site.get(PAGE).text
    save(netzlage, incident("weak"))
    assert 'id="einbetten"' not in site.get("/vorfall/weak").text


def test_the_provider_of_an_open_feed_has_its_name_everywhere(site: FlaskClient, netzlage: Instance) -> None:
    with netzlage.store.write() as connection:
        names.add(connection, {"nordnetz": "Nordnetz & Söhne"})
    save(netzlage, incident("open", provider="nordnetz", providers=("nordnetz",)))
    assert "zum Mobilfunk von Nordnetz &amp; Söhne" in site.get("/vorfall/open").text
    assert "Nordnetz & Söhne" in words(site.get("/vorfall/open/verlauf.svg").text)
    assert "Nordnetz & Söhne" in words(site.get("/feed.atom?threshold=suspected").text)
    for page in ("/", "/archiv", "/archiv?q=Söhne", "/anbieter/nordnetz", "/bilanz"):
        assert "Mobilfunk von Nordnetz & Söhne" in words(site.get(page).text), page
    assert "Nordnetz & Söhne" in words(site.get("/anbieter/nordnetz/feed.atom?threshold=suspected").text)


def test_several_providers_are_each_named(site: FlaskClient, netzlage: Instance) -> None:
    several = {"provider": ALL, "service": ALL, "providers": ("o2", "telekom"), "pattern": "several_providers_regional"}
    save(netzlage, incident("s", updated_at=at(240), **several))
    assert row(site.get("/vorfall/s").text, "Anbieter") == "O2 , Telekom"


def test_a_long_stretch_that_nobody_heard_is_explained(site: FlaskClient, netzlage: Instance) -> None:
    assert "Heller Grund: niemand hörte zu." in site.get(PAGE).text
    with netzlage.store.write() as connection:
        cube.listen(connection, "feed", at(-7 * 60), at(240) + timedelta(minutes=15))
    assert "Heller Grund" not in site.get(PAGE).text


def test_the_reports_of_an_incident_are_one_file(site: FlaskClient, netzlage: Instance) -> None:
    its = [report("form-1", 5, source="form"), report("form-2", 30, source="form")]
    others = [
        report("form-3", 5, source="form", region="09162"), report("form-4", -20, source="form"),
        report("form-5", 5, source="form", service="tv"), report("closed", 5),
    ]  # fmt: skip
    tell(netzlage, *its, *others)
    assert f'href="{PAGE}/meldungen.csv"' in site.get(PAGE).text
    answer = site.get(f"{PAGE}/meldungen.csv")
    assert "SIMULATION.csv" in answer.headers["Content-Disposition"]
    assert [line.split(",")[0] for line in answer.text.splitlines()[1:]] == ["form-1", "form-2"]
    then = site.get(f"{PAGE}/meldungen.csv?as_of=2017-05-13T10:00").text
    assert [line.split(",")[0] for line in then.splitlines()[1:]] == ["form-1"]
    save(netzlage, incident("two", regions=("02000", "09162"), updated_at=at(240)))
    assert len(site.get("/vorfall/two/meldungen.csv").text.splitlines()) == 4
    assert site.get("/vorfall/none/meldungen.csv").status_code == 404
