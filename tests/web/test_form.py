"""The form: what it asks, what it says, that twice counts once, and that a person leaves no trace."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import sync_playwright
from sqlalchemy import text
from werkzeug.serving import make_server

from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.store import reports
from tests.web.test_api import HAMBURG, in_store

FILLED = {"provider": "o2", "service": "fixed_internet", "place": "20095", "uid": "a1"}


def test_a_report_goes_through_the_door_and_leads_to_the_thanks(sender: FlaskClient, empty: Instance) -> None:
    answer = sender.post("/melden", data={**FILLED, "since": "60", "symptom": "slow"})
    assert answer.status_code == 303
    assert answer.location == "/melden/danke?provider=o2&service=fixed_internet&region=02000"
    (row,) = in_store(empty)
    assert (row["source"], row["plz"], row["symptom"]) == ("form", "20095", "slow")
    assert row["observed_at"] - row["began_at"] == timedelta(hours=1)
    thanks = sender.get(answer.location).text
    assert "Das heißt nicht, dass es an Ihnen liegt" in thanks
    assert "Diese Meldung geht nicht an Ihren Anbieter" in thanks
    assert "§ 58 TKG" in thanks


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


def test_the_thanks_say_what_others_report_and_lead_to_the_incident(site: FlaskClient, filled: Instance) -> None:
    page = site.get("/melden/danke?provider=o2&service=fixed_internet&region=02000").text
    with filled.store.read() as connection:
        since = re.search(r"seit (\d\d:\d\d) Uhr", page)
        assert since
        hamburg = Filter("o2", "", "02000", filled.clock.now() - timedelta(hours=2, minutes=43))
        number = reports.count(connection, hamburg) - 1
    found = re.search(r"(\d+) weitere Meldungen zu O2 aus Hamburg seit", page)
    assert found
    assert abs(int(found[1]) - number) <= 3
    assert f'href="/vorfall/{HAMBURG}"' in page


def test_thanks_for_nothing_lead_back_to_the_form(site: FlaskClient) -> None:
    for query in ("", "?provider=nix", "?provider=o2&region=99"):
        assert site.get(f"/melden/danke{query}").status_code == 303


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


@pytest.fixture
def address(app_to_send: Flask) -> Iterator[str]:
    """The site behind a real socket."""
    server = make_server("127.0.0.1", 0, app_to_send, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def app_to_send(sender: FlaskClient) -> Flask:
    return sender.application


@pytest.mark.browser
def test_a_person_without_javascript_reports_on_a_small_screen(chromium: Path, address: str, empty: Instance) -> None:
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(chromium), args=["--no-sandbox"])
        page = browser.new_context(java_script_enabled=False, viewport={"width": 320, "height": 640}).new_page()
        page.goto(f"{address}/melden")
        page.get_by_label("Anbieter").select_option(label="O2")
        page.get_by_label("Was ist gestört?").select_option("fixed_internet")
        page.get_by_label("Postleitzahl oder Ort").fill("Frankfurt")
        page.get_by_role("button", name="Meldung senden").click()
        page.get_by_role("radio").first.check()
        page.get_by_role("button", name="Meldung senden").click()
        assert page.get_by_role("heading", level=1).inner_text() == "Danke für Ihre Meldung"
        browser.close()
    assert [row["region"] for row in in_store(empty)] == ["06412"]
