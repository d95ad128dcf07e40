"""The form: what it asks, what it says, that twice counts once, and that a person leaves no trace."""

from __future__ import annotations

import re
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser
from sqlalchemy import text

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import ends, incidents, reports
from tests.making import incident, report
from tests.servers import waiting
from tests.web.test_api import HAMBURG, in_store

FILLED = {"provider": "o2", "service": "fixed_internet", "place": "20095", "uid": "a1"}


def test_a_report_goes_through_the_door_and_leads_to_the_thanks(sender: FlaskClient, empty: Instance) -> None:
    answer = sender.post("/melden", data={**FILLED, "since": "60", "symptom": "slow"})
    assert answer.status_code == 303
    assert answer.location == "/melden/danke?code=a1"
    (row,) = in_store(empty)
    assert (row["source"], row["plz"], row["symptom"]) == ("form", "20095", "slow")
    assert row["observed_at"] - row["began_at"] == timedelta(hours=1)
    thanks = sender.get(answer.location).text
    assert "Das heißt nicht, dass es an Ihnen liegt" in thanks
    assert "Diese Meldung geht nicht an Ihren Anbieter" in thanks
    assert "§\N{NO-BREAK SPACE}58 TKG" in thanks
    assert 'href="/anbieter/o2/feed.atom"' in thanks
    assert 'href="/region/02000/feed.atom"' in thanks
    assert "private" in sender.get(answer.location).headers["Cache-Control"]


def test_the_same_form_sent_twice_counts_once(sender: FlaskClient, empty: Instance) -> None:
    sender.post("/melden", data=FILLED)
    again = sender.post("/melden", data=FILLED)
    assert "again=1" in again.location
    assert len(in_store(empty)) == 1
    assert "zählt einmal" in sender.get(again.location).text


def test_each_form_has_a_uid_of_its_own_that_no_proxy_keeps(site: FlaskClient) -> None:
    first, second = site.get("/melden"), site.get("/melden")
    uids = [re.findall(r'name="uid" value="([^"]+)"', page.text) for page in (first, second)]
    assert uids[0] != uids[1]
    assert "private" in first.headers["Cache-Control"]


def test_what_is_missing_is_told_beside_its_field_and_the_rest_is_kept(sender: FlaskClient, empty: Instance) -> None:
    answer = sender.post("/melden", data={**FILLED, "service": "", "comment": "seit heute früh"})
    assert answer.status_code == 422
    assert 'id="fehler-service"' in answer.text
    assert 'aria-describedby="fehler-service"' in answer.text
    assert 'value="o2" selected' in answer.text
    assert 'value="20095"' in answer.text
    assert "seit heute früh" in answer.text
    assert 'value="a1"' in answer.text
    assert in_store(empty) == []


def test_an_ambiguous_town_offers_the_ones_that_may_be_meant(sender: FlaskClient, empty: Instance) -> None:
    answer = sender.post("/melden", data={**FILLED, "place": "Essen"})
    assert answer.status_code == 422
    choices = re.findall(r'name="choice" value="([^"]+)"', answer.text)
    assert "Essen (Nordrhein-Westfalen)" in choices
    chosen = {**FILLED, "place": "Essen", "asked": "Essen", "choice": "Essen (Nordrhein-Westfalen)"}
    assert sender.post("/melden", data=chosen).status_code == 303
    assert in_store(empty)[0]["region"] == "05113"


def test_a_choice_for_a_town_that_was_changed_since_does_not_count(sender: FlaskClient, empty: Instance) -> None:
    chosen = {**FILLED, "place": "Hamburg", "asked": "Essen", "choice": "Essen (Nordrhein-Westfalen)"}
    assert sender.post("/melden", data=chosen).status_code == 303
    assert in_store(empty)[0]["region"] == "02000"


@pytest.mark.parametrize("changes", [{"provider": "nix"}, {"place": "Nirgendwo am Meer"}, {"service": "nix"}])
def test_what_nobody_knows_is_refused_in_german(sender: FlaskClient, changes: dict[str, str]) -> None:
    answer = sender.post("/melden", data={**FILLED, **changes})
    assert answer.status_code == 422
    (field,) = changes
    assert f'id="fehler-{field}"' in answer.text
    assert "Bitte" in answer.text
    assert "write" not in answer.text


def test_markup_in_a_field_is_shown_as_text(sender: FlaskClient) -> None:
    answer = sender.post("/melden", data={**FILLED, "place": '"><script>x</script>'})
    assert "<script>x" not in answer.text


def test_nothing_of_a_person_is_kept(sender: FlaskClient, empty: Instance) -> None:
    person = {"environ_base": {"REMOTE_ADDR": "198.51.100.77"}, "headers": {"User-Agent": "Browser-von-Erika"}}
    said = "Ruf 0171 2345678 oder erika@example.org, IBAN DE89 3704 0044 0532 0130 00, seit 13.05.2017 09:40 in 20095"
    sender.post("/melden", data={**FILLED, "comment": said}, **person)
    with empty.store.read() as connection:
        (comment,) = connection.execute(text("select comment from comments")).scalars()
        (reporter,) = connection.execute(text("select reporter from reports")).scalars()
    assert comment == "Ruf [Telefon] oder [E-Mail], IBAN [Kontonummer], seit 13.05.2017 09:40 in 20095"
    assert reporter
    empty.store.close()
    files = [path.read_bytes() for path in Path(empty.settings.home).iterdir() if path.is_file()]
    assert not any(word in data for data in files for word in (b"198.51.100", b"Erika", b"2345678", b"erika@"))


def test_one_person_counts_once_in_six_hours(sender: FlaskClient, empty: Instance) -> None:
    for uid in ("a", "b"):
        assert sender.post("/melden", data={**FILLED, "uid": uid}).status_code == 303
    assert sorted(row["counted"] for row in in_store(empty)) == [False, True]


def test_the_thanks_say_what_others_report_and_lead_to_the_incident(sender: FlaskClient, empty: Instance) -> None:
    since = empty.clock.now() - timedelta(hours=2)
    mine = incident(HAMBURG, service="fixed_internet", onset=since)
    with empty.store.write() as connection:
        incidents.save(connection, [mine], [])
        times = [since + n * timedelta(minutes=5) for n in range(7)]
        given = [report(str(t), service="fixed_internet", observed_at=t, received_at=t) for t in times]
        reports.add(connection, given)
    page = sender.get(sender.post("/melden", data=FILLED).location).text
    assert "7 weitere Meldungen zu O2 aus Hamburg seit 10:30 Uhr" in page
    assert f'href="/vorfall/{HAMBURG}"' in page


@pytest.mark.parametrize("code", ["", "?code=", "?code=nix", "?code=AAAA-AAAA-AAAA-AAAA"])
def test_a_code_that_nobody_has_leads_back_to_the_form(sender: FlaskClient, code: str) -> None:
    for page in ("danke", "beleg"):
        assert sender.get(f"/melden/{page}{code}").location == "/melden"


def test_the_form_says_what_it_is_not_and_whom_to_call(site: FlaskClient) -> None:
    page = site.get("/melden?provider=telekom").text
    assert "Diese Meldung geht nicht an Ihren Anbieter." in page
    assert "0800 3301000" in page
    assert "§\N{NO-BREAK SPACE}58 TKG" in page


@pytest.mark.parametrize(
    ("place", "stored"),
    [
        ("53.5511, 9.9937", (53.55, 9.99)),
        ("53,5511; 9,9937", (53.55, 9.99)),
        ("53,5511 9,9937", (53.55, 9.99)),
    ],
)
def test_a_position_is_kept_to_about_a_kilometre(
    sender: FlaskClient, empty: Instance, place: str, stored: tuple[float, float]
) -> None:
    assert sender.post("/melden", data={**FILLED, "place": place}).status_code == 303
    (row,) = in_store(empty)
    assert (row["lat"], row["lon"], row["region"], row["place_source"]) == (*stored, "02000", "coords")


def test_a_position_abroad_is_told_beside_the_place(sender: FlaskClient) -> None:
    answer = sender.post("/melden", data={**FILLED, "place": "48.85, 2.35"})
    assert answer.status_code == 422
    assert 'id="fehler-place"' in answer.text


def test_what_is_wrong_has_the_focus_also_without_javascript(sender: FlaskClient) -> None:
    answer = sender.post("/melden", data={**FILLED, "place": ""})
    assert re.search(r'class="fehlerliste"[^>]*tabindex="-1" autofocus', answer.text)


def test_who_reported_says_that_it_works_again_once(sender: FlaskClient, empty: Instance) -> None:
    sender.post("/melden", data={**FILLED, "since": "60"})
    answer = sender.post("/melden/wieder", data={"code": "a1"})
    assert answer.location == "/melden/danke?code=a1"
    clock = empty.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(clock.now() + timedelta(minutes=30))
    sender.post("/melden/wieder", data={"code": "a1"})
    page = sender.get(answer.location).text
    assert "Geht wieder seit 12:30 Uhr, nach 1 Stunde." in page
    assert "Geht wieder</button>" not in page
    with empty.store.read() as connection:
        assert ends.lengths(connection, Filter()) == [timedelta(hours=1)]
    assert len(in_store(empty)) == 1


def test_a_code_from_paper_is_understood_as_it_is_typed(sender: FlaskClient, empty: Instance) -> None:
    code = re.findall(r'name="uid" value="([^"]+)"', sender.get("/melden").text)[0]
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code)
    sender.post("/melden", data={**FILLED, "uid": code})
    typed = code.replace("-", " ").lower().replace("0", "o").replace("1", "l")
    assert sender.post("/melden/wieder", data={"code": typed}).status_code == 303
    with empty.store.read() as connection:
        assert len(ends.lengths(connection, Filter())) == 1


def test_a_wrong_code_is_told_beside_its_field(sender: FlaskClient) -> None:
    answer = sender.post("/melden/wieder", data={"code": "<falsch>"})
    assert answer.status_code == 422
    assert 'id="fehler-code"' in answer.text
    assert 'value="&lt;falsch&gt;"' in answer.text


def test_the_id_that_is_published_ends_no_report(sender: FlaskClient, empty: Instance) -> None:
    sender.post("/melden", data=FILLED)
    (row,) = in_store(empty)
    assert sender.post("/melden/wieder", data={"code": row["report_id"]}).status_code == 422


def test_the_receipt_has_all_that_a_provider_asks_for(sender: FlaskClient, empty: Instance) -> None:
    with empty.store.write() as connection:
        incidents.save(connection, [incident(HAMBURG, service="fixed_internet")], [])
    sender.post("/melden", data={**FILLED, "provider": "telekom", "since": "60", "symptom": "slow"})
    sender.post("/melden", data={**FILLED, "since": "60", "symptom": "slow", "uid": "b2"})
    page = sender.get("/melden/beleg?code=b2").text
    for part in (
        "Samstag, 13. Mai 2017, 12:30 Uhr", "Samstag, 13. Mai 2017, 11:30 Uhr", "20095 Hamburg", "O2", "b2",
        "Internet (Festnetz)", f"/vorfall/{HAMBURG}", "§\N{NO-BREAK SPACE}58 Absatz 3 TKG", "SIMULATION",
        "Kundennummer:",
    ):  # fmt: skip
        assert part in page, part
    assert "0800 3301000" in sender.get("/melden/beleg?code=a1").text


@pytest.mark.sqlite
def test_a_locked_store_keeps_what_was_typed(
    sender: FlaskClient, empty: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.store.engine.PRAGMAS", ("journal_mode = WAL", "busy_timeout = 50"))
    empty.store.close()
    with sqlite3.connect(empty.settings.database.removeprefix("sqlite:///")) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = sender.post("/melden", data=FILLED)
        other.rollback()
    other.close()
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers
    assert 'value="20095"' in answer.text
    assert 'value="a1"' in answer.text


@pytest.mark.browser
def test_a_person_without_javascript_reports_on_a_small_screen(
    browser: Browser, sender: FlaskClient, empty: Instance
) -> None:
    phone = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}, locale="de")
    page = phone.new_page()
    with waiting(sender.application) as address:
        page.goto(f"{address}/melden")
        page.get_by_label("Anbieter").select_option(label="O2")
        page.get_by_label("Was ist gestört?").select_option("fixed_internet")
        page.get_by_label("Postleitzahl oder Ort").fill("Frankfurt")
        page.get_by_role("button", name="Meldung senden").click()
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Meldung senden").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Danke für Ihre Meldung"
        phone.close()
    assert [row["region"] for row in in_store(empty)] == ["06412"]
