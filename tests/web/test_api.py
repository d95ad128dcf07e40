"""The API: what it lists, how it pages, what it takes, and that nothing asked of it breaks it."""

from __future__ import annotations

import csv
import io
import re
import sqlite3
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator.feedmodel import Source
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter, RawReport
from aggregator.pipeline import accept
from aggregator.store import incidents, reports, sources
from aggregator.web import create_app
from aggregator.web.lists import LISTS
from aggregator.web.schemas import row_name
from tests.test_refresh import NOW

HAMBURG = "20170513-o2-fixed_internet-02000"
REPORT: dict[str, Any] = {
    "provider": "O2", "service": "mobile", "observed_at": "2017-05-13T12:20", "plz": "20095", "uid": "one",
}  # fmt: skip


def in_store(instance: Instance) -> list[dict[Any, Any]]:
    with instance.store.read() as connection:
        return [dict(row) for row in reports.rows(connection, Filter())]


def test_the_incident_of_hamburg_has_the_names_of_the_contract(site: FlaskClient) -> None:
    answer = site.get("/api/v1/incidents?provider=o2").get_json()
    assert answer["next"] is None
    assert answer["simulated"] is True
    (incident,) = answer["items"]
    names = """incident_id provider service pattern scope regions onset onset_earliest onset_latest first_alarm_at
        ended_at state reports expected relative_risk score recurrence_weeks simulated"""
    assert set(names.split()) <= incident.keys()
    assert (incident["incident_id"], incident["regions"]) == (HAMBURG, ["02000"])
    assert incident["first_alarm_at"] == "2017-05-13T10:30:00Z"
    assert incident["ended_at"] is None


@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_the_same_as_json_and_as_csv(site: FlaskClient, name: str) -> None:
    items = site.get(f"/api/v1/{name}?limit=5").get_json()["items"]
    for answer in (
        site.get(f"/api/v1/{name}.csv?limit=5"),
        site.get(f"/api/v1/{name}?limit=5", headers={"Accept": "text/csv"}),
    ):
        assert answer.mimetype == "text/csv"
        rows = list(csv.DictReader(io.StringIO(answer.text)))
        assert len(rows) == len(items)
        assert all(row["simulated"] == "true" for row in rows)
        assert [list(row) for row in rows] == [list(item) for item in items]


@pytest.mark.parametrize(("name", "limit"), [("reports", 400), ("cube", 300), ("regions", 100), ("providers", 7)])
def test_pages_in_a_row_are_the_whole_list(site: FlaskClient, name: str, limit: int) -> None:
    whole = list(csv.DictReader(io.StringIO(site.get(f"/api/v1/{name}.csv").text)))
    found: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        asked = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = site.get(f"/api/v1/{name}", query_string=asked).get_json()
        assert len(answer["items"]) <= limit
        found += answer["items"]
        cursor = answer["next"]
    key = [name for name in ("report_id", "id", "region", "bucket", "provider", "service") if name in whole[0]]
    listed = [[row[k] or "" for k in key] for row in found]
    assert sorted(listed) == sorted([row[k] for k in key] for row in whole)


def test_incidents_page_on_from_the_last_one(sender: FlaskClient, empty: Instance, filled: Instance) -> None:
    with filled.store.read() as connection:
        (incident,) = incidents.find(connection, Filter())
    with empty.store.write() as connection:
        incidents.save(connection, [replace(incident, incident_id=name) for name in "abc"], [])
    first = sender.get("/api/v1/incidents?limit=2").get_json()
    assert [item["incident_id"] for item in first["items"]] == ["a", "b"]
    rest = sender.get(f"/api/v1/incidents?limit=2&cursor={first['next']}").get_json()
    assert ([item["incident_id"] for item in rest["items"]], rest["next"]) == (["c"], None)


def test_filters_narrow_the_reports(site: FlaskClient) -> None:
    query = "provider=Telef%C3%B3nica&service=DSL&region=Hamburg&since=2017-05-13T09:40%2B02:00&until=2017-05-13T12:30"
    items = site.get(f"/api/v1/reports?limit=1000&{query}").get_json()["items"]
    assert items
    assert {(i["provider"], i["service"], i["region"]) for i in items} == {("o2", "fixed_internet", "02000")}
    assert min(i["observed_at"] for i in items) >= "2017-05-13T07:40"


def test_a_plus_that_the_address_lost_is_understood(site: FlaskClient) -> None:
    lost, kept = (site.get(f"/api/v1/reports?since=2017-05-13T09:40{c}02:00&limit=3").get_json() for c in ("+", "%2B"))
    assert lost == kept


def test_a_reader_knows_nothing_of_persons(site: FlaskClient) -> None:
    (item,) = site.get("/api/v1/reports?limit=1").get_json()["items"]
    assert not {"reporter", "block", "comment", "plz", "lat"} & item.keys()


def test_neither_a_report_nor_the_cursor_tells_more_than_five_minutes(site: FlaskClient, filled: Instance) -> None:
    answer = site.get("/api/v1/reports?limit=1").get_json()
    with filled.store.read() as connection:
        exact = next(reports.rows(connection, Filter()))["observed_at"]
    assert re.fullmatch(r"2017-05-01T\d\d:\d[05]:00Z", answer["items"][0]["observed_at"])
    assert str(int(exact.timestamp())) not in answer["next"]


def test_each_bad_parameter_has_its_own_sentence(site: FlaskClient) -> None:
    answer = site.get("/api/v1/reports?provider=nobody&service=x&region=99&since=soon&limit=0")
    assert answer.status_code == 422
    errors = answer.get_json()["errors"]
    assert set(errors) == {"provider", "service", "region", "since", "limit"}
    assert '"nobody"' in errors["provider"]


@pytest.mark.parametrize("name", ["reports", "cube", "incidents", "providers"])
def test_a_strange_cursor_is_told(site: FlaskClient, name: str) -> None:
    answer = site.get(f"/api/v1/{name}?cursor=bla")
    assert answer.status_code == 422
    assert "cursor" in answer.get_json()["errors"]


def test_an_incident_alone_as_json_and_csv(site: FlaskClient) -> None:
    found = site.get(f"/vorfall/{HAMBURG}.json").get_json()
    assert found["incident_id"] == HAMBURG
    assert [change["state"] for change in found["transitions"]] == ["strong"]
    assert len(list(csv.DictReader(io.StringIO(site.get(f"/vorfall/{HAMBURG}.csv").text)))) == 1
    assert site.get("/vorfall/nothing.json").status_code == 404
    assert site.get(f"/vorfall/{HAMBURG}.json?as_of=2017-05-12T00:00").status_code == 404


def test_a_report_is_kept_once(sender: FlaskClient, empty: Instance) -> None:
    first = sender.post("/api/v1/reports", json=REPORT)
    second = sender.post("/api/v1/reports", data=REPORT)  # the same as a form
    assert (first.status_code, second.status_code) == (201, 200)
    assert (first.get_json()["duplicate"], second.get_json()["duplicate"]) == (False, True)
    (row,) = in_store(empty)
    assert row["report_id"] == first.get_json()["report_id"]
    assert (row["source"], row["provider"], row["region"]) == ("api", "o2", "02000")


def test_every_wrong_field_is_told_at_once_and_nothing_is_kept(sender: FlaskClient, empty: Instance) -> None:
    wrong = {"provider": "x", "service": "", "observed_at": "gestern", "plz": "00000"}
    answer = sender.post("/api/v1/reports", json=wrong)
    assert answer.status_code == 422
    assert set(answer.get_json()["errors"]) == {"provider", "service", "observed_at", "plz"}
    assert in_store(empty) == []


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"provider"', "application/json"), (b"[1]", "application/json"), (b"\xff", "application/json"),
        (b"x", "text/plain"), (b"", "application/json"), (b"[" * 50_000, "application/json"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_report_gets_one_sentence(sender: FlaskClient, body: bytes, kind: str) -> None:
    answer = sender.post("/api/v1/reports", data=body, content_type=kind)
    assert answer.status_code == 422
    assert list(answer.get_json()["errors"]) == ["body"]


def test_a_body_that_is_too_large_is_refused(sender: FlaskClient) -> None:
    answer = sender.post("/api/v1/reports", json={**REPORT, "comment": "x" * 100_000})
    assert answer.status_code == 413
    assert "errors" in answer.get_json()


@pytest.mark.sqlite
def test_a_locked_store_is_503_and_says_when_to_come_again(
    sender: FlaskClient, empty: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aggregator.store.engine.PRAGMAS", ("journal_mode = WAL", "busy_timeout = 50"))
    empty.store.close()  # the next connection waits for 50 ms only
    with sqlite3.connect(empty.settings.database.removeprefix("sqlite:///")) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = sender.post("/api/v1/reports", json=REPORT)
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "sqlite" not in answer.text
        other.rollback()
    other.close()
    assert sender.post("/api/v1/reports", json=REPORT).status_code == 201


def test_who_sent_a_report_may_end_it_with_its_uid(sender: FlaskClient, empty: Instance) -> None:
    report = {**REPORT, "uid": "mine"}
    assert sender.post("/api/v1/reports", json=report).status_code == 201
    ended = sender.post("/api/v1/reports", json={**report, "ended_at": empty.clock.now().isoformat()})
    assert (ended.status_code, ended.get_json()["duplicate"]) == (200, True)
    (item,) = sender.get("/api/v1/reports").get_json()["items"]
    assert item["ended_at"] == "2017-05-13T10:30:00Z"


def test_rows_of_a_feed_that_forbids_it_stay_here(empty: Instance, site: FlaskClient) -> None:
    raw = RawReport("feed", "o2", "mobile", key="1", observed_at=NOW - timedelta(minutes=20), region="02000")
    since = NOW - timedelta(hours=1)
    accept(empty, [raw], run=FeedRun("feed", NOW, NOW, "ok", listened_from=since, listened_until=NOW))
    app = create_app(empty).test_client()
    for stanzas, counted in (([], False), ([Source("feed")], False), ([Source("feed", republish="counts")], True)):
        with empty.store.write() as connection:
            sources.keep(connection, stanzas)
        assert app.get("/api/v1/reports").get_json()["items"] == []
        assert app.get("/daten/reports.csv").text.count("\n") == 1
        assert any(item["count"] for item in app.get("/api/v1/cube").get_json()["items"]) == counted
    assert site.get("/api/v1/reports").get_json()["items"]


def test_health_tells_of_an_instance_that_never_looked(site: FlaskClient, sender: FlaskClient) -> None:
    assert site.get("/api/v1/health").get_json()["status"] == "ok"
    health = sender.get("/api/v1/health")
    assert health.status_code == 200
    assert health.get_json()["status"] == "degraded"


def test_the_document_describes_what_there_is(app: Flask, site: FlaskClient) -> None:
    document = site.get("/api/v1/openapi.json").get_json()
    rules = {str(rule) for rule in app.url_map.iter_rules()}
    rules = {rule for rule in rules if rule.startswith("/api/v1/") and "<" not in rule}
    assert rules <= document["paths"].keys()
    for path, methods in document["paths"].items():
        if "get" not in methods:
            assert set(methods) <= {"post", "parameters"}
            continue
        answer = site.get(path, headers={"Accept": "application/json"})
        assert str(answer.status_code) in methods["get"]["responses"]
        schema = document["components"]["schemas"].get(row_name(path.rpartition("/")[2]))
        if answer.is_json and schema and answer.get_json().get("items"):
            assert list(answer.get_json()["items"][0]) == schema["required"]


texts = st.one_of(st.text(max_size=30), st.sampled_from(["o2", "all", "02", "02000", "1", "2017-05-13T09:40", "0-0"]))
names = st.sampled_from(["provider", "service", "region", "since", "until", "as_of", "limit", "cursor", "lang"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from([*LISTS, *(f"{name}.csv" for name in LISTS), "health"]),
    query=st.dictionaries(names, texts, max_size=4),
)
def test_nothing_asked_breaks_the_server(site: FlaskClient, path: str, query: dict[str, str]) -> None:
    answer = site.get(f"/api/v1/{path}", query_string=query)
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert set(answer.get_json()["errors"]) <= query.keys()


values = st.one_of(texts, st.none(), st.integers(), st.floats(), st.lists(st.integers(), max_size=2), st.booleans())
fields = st.sampled_from([*REPORT, "lat", "lon", "place", "region", "comment", "symptom", "reporter", "began_at"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.dictionaries(fields, values, max_size=4))
def test_nothing_sent_breaks_the_server(empty: Instance, changes: dict[str, Any]) -> None:
    quiet = replace(empty, settings=replace(empty.settings, rate_limits=False))
    answer = create_app(quiet).test_client().post("/api/v1/reports", json={**REPORT, **changes})
    assert answer.status_code in {200, 201, 422}
    assert answer.is_json
