"""The connectors that ask more than one question, against local servers that speak their protocols."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import Filter, Signal
from aggregator.outbound.client import Outbound
from aggregator.store import reports, signals, statements
from ingest.feed import Feed, parse_feeds
from ingest.runner import run_feed
from tests.making import instance
from tests.servers import send, serving

NOON = datetime(2026, 5, 3, 12, 0, tzinfo=UTC)
Query = dict[str, str]


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, load_catalogue(), now=NOON)
    yield made
    made.store.close()


def feed_at(stanza: str, secret: str = "") -> Feed:
    [feed] = parse_feeds(f'[[feed]]\nname = "it"\nallow_private = true\nlookback = "1d"\n{stanza}', {"T": secret})
    return feed


def query_of(handler: BaseHTTPRequestHandler) -> tuple[str, Query]:
    parts = urlsplit(handler.path)
    return parts.path, {name: values[0] for name, values in parse_qs(parts.query).items()}


def measured(netzlage: Instance) -> list[Signal]:
    with netzlage.store.read() as connection:
        assert reports.count(connection, Filter()) == 0  # never added to what people report
        return signals.find(connection, Filter())


def json_server(answer: Callable[[str, Query], Any]) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: send(handler, json.dumps(answer(*query_of(handler))).encode())


def test_ioda_pages_of_regions_and_networks_become_drops_with_our_ids(netzlage: Instance) -> None:
    asked: list[Query] = []
    start = int((NOON - timedelta(hours=3)).timestamp())

    def answer(path: str, query: Query) -> Any:
        if path == "/v2/entities/query":
            return {"data": [{"code": "7", "name": "Hamburg"}, {"code": "8", "name": "Bavaria"}]}
        asked.append(query)
        if query["entityType"] == "asn":
            return {
                "error": None,
                "data": [{"location": "asn/6805", "start": start, "duration": 60, "datasource": "bgp"}],
            }
        first = {"location": "region/7", "start": start, "duration": 10_700, "datasource": "bgp", "score": 12.5}
        second = {"location": "region/8", "start": start, "duration": 600, "datasource": "bgp"}
        return {"error": None, "data": [first] * 500 if query["page"] == "0" else [second]}

    with serving(json_server(answer)) as url:
        feed = feed_at(f'format = "ioda"\nkind = "signals"\nurl = "{url}/v2/outages/events"\n')
        run = run_feed(netzlage, feed, Outbound())
    assert (run.outcome, run.rejected) == ("ok", {})
    assert [(query["entityType"], query["page"]) for query in asked] == [("region", "0"), ("region", "1"), ("asn", "0")]
    assert {query["relatedTo"] for query in asked} == {"country/DE"}
    found = {(one.region, one.provider): one for one in measured(netzlage)}
    assert set(found) == {("02", ""), ("09", ""), ("", "o2")}
    assert found["02", ""].ended_at is None  # it reaches up to now: it goes on
    assert found["09", ""].ended_at == NOON - timedelta(hours=3) + timedelta(minutes=10)


def test_a_drop_that_goes_on_and_ends_is_one_signal_of_two_versions(netzlage: Instance) -> None:
    start, lasts = int((NOON - timedelta(hours=1)).timestamp()), [3600]

    def answer(path: str, query: Query) -> Any:
        if path == "/v2/entities/query" or query["entityType"] == "asn":
            return {"data": []}
        event = {
            "location": "region/7",
            "location_name": "Hamburg",
            "start": start,
            "duration": lasts[0],
            "datasource": "bgp",
        }
        return {"error": None, "data": [event]}

    with serving(json_server(answer)) as url:
        feed, outbound = feed_at(f'format = "ioda"\nkind = "signals"\nurl = "{url}/v2/outages/events"\n'), Outbound()
        kept = []
        for minutes, duration in ((0, 3600), (10, 4200), (60, 4500)):
            assert isinstance(netzlage.clock, SimulatedClock)
            netzlage.clock.set(NOON + timedelta(minutes=minutes))
            lasts[0] = duration
            kept.append(run_feed(netzlage, feed, outbound).kept)
    assert kept == [1, 0, 1]
    [one] = measured(netzlage)
    assert one.ended_at == NOON + timedelta(minutes=15)
    with netzlage.store.read() as connection:
        [then] = signals.find(connection, Filter(as_of=NOON + timedelta(minutes=30)))
    assert then.ended_at is None


def test_an_error_of_ioda_with_status_200_is_not_silence(netzlage: Instance) -> None:
    refused = {"error": "from is missing", "data": None}
    with serving(json_server(lambda path, _: {"data": []} if "entities" in path else refused)) as url:
        feed = feed_at(f'format = "ioda"\nkind = "signals"\nurl = "{url}/v2/outages/events"\n')
        run = run_feed(netzlage, feed, Outbound())
    assert (run.outcome, run.listened_until) == ("changed", None)
    assert "from is missing" in run.error


def test_radar_is_asked_with_a_token_page_by_page_and_gives_a_signal_for_each_network(netzlage: Instance) -> None:
    asked: list[tuple[str | None, Query]] = []
    begun: dict[str, Any] = {
        "eventType": "OUTAGE",
        "scope": "Hamburg",
        "startDate": "2026-05-03T09:45:00Z",
        "locations": ["DE"],
    }
    annotation = begun | {"asns": [6805, 64500]}

    def answer(handler: BaseHTTPRequestHandler) -> None:
        _, query = query_of(handler)
        asked.append((handler.headers["Authorization"], query))
        page = [annotation] * 500 if query["offset"] == "0" else [annotation]
        send(handler, json.dumps({"success": True, "result": {"annotations": page}}).encode())

    with serving(answer) as url:
        feed = feed_at(f'format = "cloudflare_outages"\nkind = "signals"\nurl = "{url}/x"\ntoken = "T"\n', "geheim")
        run = run_feed(netzlage, feed, Outbound())
    assert run.outcome == "ok"
    told = [(header, query["offset"], query["location"]) for header, query in asked]
    assert told == [("Bearer geheim", "0", "DE"), ("Bearer geheim", "500", "DE")]
    assert {(one.provider, one.region) for one in measured(netzlage)} == {("o2", "02"), ("as64500", "02")}


def test_radars_word_that_the_token_may_not_is_blocked(netzlage: Instance) -> None:
    said = {"success": False, "errors": [{"code": 10000, "message": "Authentication error"}], "result": None}
    with serving(json_server(lambda _path, _query: said)) as url:
        feed = feed_at(f'format = "cloudflare_outages"\nkind = "signals"\nurl = "{url}/x"\ntoken = "T"\n', "geheim")
        run = run_feed(netzlage, feed, Outbound())
    assert (run.outcome, "Authentication error" in run.error) == ("blocked", True)


def test_open311_is_asked_in_spans_that_come_whole(netzlage: Instance) -> None:
    """Of a time with a thousand requests or more its halves are asked for."""

    def answer(_path: str, query: Query) -> Any:
        since, until = (datetime.fromisoformat(query[name]) for name in ("start_date", "end_date"))
        times = [NOON - timedelta(seconds=40 * n + 30) for n in range(2000)]
        inside = [(n, at) for n, at in enumerate(times) if since <= at < until]
        return [{"service_request_id": str(n), "requested_datetime": at.isoformat()} for n, at in inside][:1000]

    with serving(json_server(answer)) as url:
        stanza = f'format = "open311"\nurl = "{url}/requests.json"\nprovider = "o2"\ntimeout = "60s"\n'
        run = run_feed(netzlage, feed_at(stanza), Outbound())
    assert (run.outcome, run.kept, run.rejected) == ("ok", 2000, {})


def test_counts_of_downdetector_are_signals_with_a_token_that_lives_for_an_hour(netzlage: Instance) -> None:
    tokens: list[str] = []

    def answer(path: str, query: Query) -> Any:
        if path == "/v2/tokens":
            tokens.append(query["grant_type"])
            return {"access_token": f"t{len(tokens)}", "expires_in": 3600}
        assert query["interval"] == "15m"
        times = [NOON - timedelta(minutes=15 * n) for n in range(1, 4)]
        return [{"point_in_time": at.isoformat(), "indicators": 2, "other": 1, "total": 3} for at in [NOON, *times]]

    with serving(json_server(answer)) as url:
        stanza = f'format = "downdetector_v2"\nkind = "signals"\nurl = "{url}/v2"\nslugs = ["o2"]\ntoken = "T"\n'
        now = [0.0]
        feed, outbound = feed_at(stanza, "id:secret"), Outbound(monotonic=lambda: now[0])
        runs = [run_feed(netzlage, feed, outbound) for _ in range(2)]
        assert len(tokens) == 1
        now[0] += 3500
        run_feed(netzlage, feed, outbound)
    assert tokens == ["client_credentials"] * 2
    assert [(run.outcome, run.kept, run.duplicate) for run in runs] == [("ok", 3, 0), ("ok", 0, 3)]
    assert {(one.provider, one.what, one.value) for one in measured(netzlage)} == {("o2", "count", 3.0)}


def test_a_name_and_password_are_shown_as_basic_and_never_told(netzlage: Instance) -> None:
    seen: list[str | None] = []

    def answer(handler: BaseHTTPRequestHandler) -> None:
        seen.append(handler.headers["Authorization"])
        send(handler, b"[]" if len(seen) > 1 else b"", 200 if len(seen) > 1 else 401)

    with serving(answer) as url:
        feed = feed_at(f'format = "stoerungsauskunft"\nurl = "{url}/x"\ntoken = "T"\nauth = "basic"\n', "ich:geheim")
        runs = [run_feed(netzlage, feed, Outbound()) for _ in range(2)]
    assert seen == ["Basic aWNoOmdlaGVpbQ=="] * 2
    assert [run.outcome for run in runs] == ["blocked", "ok"]
    assert "geheim" not in runs[0].error
    assert "geheim" not in repr(feed)


def test_each_update_of_a_status_page_is_a_statement_and_an_edited_one_another(netzlage: Instance) -> None:
    update = {"status": "identified", "body": "Ein Kabel.", "display_at": "2026-05-03T10:00:00Z"}

    def document() -> bytes:
        incident = {"name": "Mobilfunk", "impact": "major", "status": update["status"], "incident_updates": [update]}
        return json.dumps({"incidents": [incident]}).encode()

    with serving(lambda handler: send(handler, document())) as url:
        feed = feed_at(
            f'format = "statuspage"\nkind = "statements"\nurl = "{url}/x"\nprovider = "o2"\nservice = "mobile"\n'
        )
        kept = [run_feed(netzlage, feed, Outbound()).kept for _ in range(2)]
        update["body"] = "Zwei Kabel."
        kept.append(run_feed(netzlage, feed, Outbound()).kept)
    assert kept == [1, 0, 1]
    with netzlage.store.read() as connection:
        found = statements.find(connection, Filter(provider="o2"))
    assert {(one.quote, one.stance, one.channel) for one in found} == {
        ("Mobilfunk: Ein Kabel.", "acknowledged", "official"), ("Mobilfunk: Zwei Kabel.", "acknowledged", "official")
    }  # fmt: skip
