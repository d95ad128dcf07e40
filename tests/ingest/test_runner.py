"""Hearing a feed over real HTTP: what is stored, what a fault of the feed leaves behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import FeedRun, Filter
from aggregator.outbound.client import Outbound
from aggregator.settings import load_settings
from aggregator.store import cube, reports, runs, statements
from ingest.feed import Feed, parse_feeds
from ingest.runner import run_feed
from tests.servers import send, serving

NOON = datetime(2017, 5, 13, 12, 0, tzinfo=UTC)
STANZA = """
[[feed]]
name = "forum"
format = "json_records"
url = "{url}"
records = "items"
allow_private = true
lookback = "30m"
timeout = "2s"
[feed.fields]
report_id = "id"
observed_at = "at"
provider = "who"
service = "what"
plz = "zip"
"""
ITEM = {"id": 1, "at": "2017-05-13T11:50:00Z", "who": "O2", "what": "DSL", "zip": "20095"}


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Instance]:
    """An instance with an empty store whose clock stands at NOON."""
    settings = load_settings(None, {}, overrides={"home": str(tmp_path)})
    opened = open_instance(settings, SimulatedClock(NOON))
    yield opened
    opened.store.close()


def feed_at(url: str, **changes: object) -> Feed:
    [feed] = parse_feeds(STANZA.format(url=url), {})
    return replace(feed, **changes)  # type: ignore[arg-type]


def at(instance: Instance, moment: datetime) -> None:
    assert isinstance(instance.clock, SimulatedClock)
    instance.clock.set(moment)


@contextmanager
def answering(*bodies: bytes) -> Iterator[str]:
    """Serve the bodies one after the other, the last again and again."""
    left = list(bodies)
    with serving(lambda h: send(h, left.pop(0) if len(left) > 1 else left[0])) as url:
        yield url


def items(*found: object) -> bytes:
    return json.dumps({"items": found}).encode()


def heard(instance: Instance) -> dict[str, float]:
    """Return the listening share of the buckets from 11:00 to 12:30, by time."""
    with instance.store.read() as connection:
        frame = cube.listening(connection, NOON - timedelta(hours=1), NOON + timedelta(minutes=30))
    return dict(zip(frame["bucket"].dt.strftime("%H:%M"), map(float, frame["share"]), strict=True))


def test_a_good_run_keeps_reports_and_rejects_and_listens_back_to_its_lookback(fresh: Instance) -> None:
    bad = {**ITEM, "id": 2, "who": "Niemand"}
    with answering(items(ITEM, ITEM, bad, 7)) as url:
        run = run_feed(fresh, feed_at(url), Outbound())
    assert (run.outcome, run.fetched, run.kept, run.duplicate) == ("ok", 4, 1, 1)
    assert run.rejected == {"unknown_provider": 1, "missing_field": 1}
    assert heard(fresh) == dict.fromkeys(("11:30", "11:35", "11:40", "11:45", "11:50", "11:55"), 1.0)
    with fresh.store.read() as connection:
        assert runs.latest(connection) == {"forum": run}
        [row] = reports.rows(connection, Filter())
    assert (row["source"], row["provider"], row["service"], row["region"]) == ("forum", "o2", "fixed_internet", "02000")


def test_an_empty_list_is_heard_as_silence(fresh: Instance) -> None:
    with answering(items()) as url:
        run = run_feed(fresh, feed_at(url), Outbound())
    assert (run.outcome, run.fetched) == ("ok", 0)
    assert heard(fresh)["11:55"] == 1.0


HTML = b"<!DOCTYPE html><title>Wartung</title>"
FAULTS: dict[str, tuple[bytes, str]] = {
    "a web page": (HTML, "changed"),
    "truncated JSON": (items(ITEM)[:-9], "changed"),
    "nothing": (b"", "changed"),
    "another form": (b'{"data": []}', "changed"),
    "a field that is gone": (
        items({**ITEM, "at": None} | {"zeit": 1}, {"id": 3, "who": "O2", "what": "DSL"}),
        "changed",
    ),
    "the time gone from all": (items({"id": 3, "who": "O2", "what": "DSL"}), "changed"),
    "a challenge": (b"429 Rate Limited", "blocked"),
    "nested without end": (b"[" * 200_000, "changed"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_no_list_of_reports_is_told_by_its_kind(name: str, fresh: Instance) -> None:
    body, outcome = FAULTS[name]
    with answering(body) as url:
        run = run_feed(fresh, feed_at(url), Outbound())
    assert run.outcome == outcome
    assert bool(run.error) == (outcome != "ok")
    assert run.error.count("\n") == 0


def test_a_dead_feed_makes_blind_buckets_and_is_heard_again_as_far_back_as_it_sees(fresh: Instance) -> None:
    with answering(items(ITEM), HTML, items(ITEM)) as url:
        feed, outbound = feed_at(url, lookback=timedelta(minutes=10)), Outbound()
        run_feed(fresh, feed, outbound)
        at(fresh, NOON + timedelta(minutes=10))
        dead = run_feed(fresh, feed, outbound)
        assert (dead.outcome, dead.listened_from, dead.listened_until) == ("changed", None, None)
        assert "12:00" not in heard(fresh)
        at(fresh, NOON + timedelta(minutes=25))
        run_feed(fresh, feed, outbound)
    found = heard(fresh)
    assert "12:00" not in found
    assert "12:10" not in found
    assert found["12:15"] == found["12:20"] == found["11:55"] == 1.0


def test_nobody_there_is_unreachable(fresh: Instance) -> None:
    run = run_feed(fresh, feed_at("http://127.0.0.1:1/"), Outbound())
    assert (run.outcome, run.listened_until) == ("unreachable", None)
    assert heard(fresh) == {}


def test_a_parser_that_fails_stops_nothing_else(fresh: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr("ingest.runner.parse", fail)
    with answering(items(ITEM)) as url:
        run = run_feed(fresh, feed_at(url), Outbound())
    assert run.outcome == "changed"
    assert "ZeroDivisionError" in run.error


def test_a_document_that_has_not_changed_was_heard_but_not_after_a_run_that_failed(fresh: Instance) -> None:
    broken = True

    def tagged(handler: BaseHTTPRequestHandler) -> None:
        if handler.headers["If-None-Match"] == '"a"':
            handler.send_response(304)
            handler.end_headers()
        else:
            send(handler, HTML if broken else items(ITEM), ETag='"a"')

    with serving(tagged) as url:
        outbound = Outbound()
        outcomes = [run_feed(fresh, feed_at(url), outbound).outcome]
        broken = False
        outcomes += [run_feed(fresh, feed_at(url), outbound).outcome for _ in range(2)]
    assert outcomes == ["changed", "ok", "not_modified"]


def test_statements_are_kept_once_and_never_counted(fresh: Instance) -> None:
    fields = {"statement_id": "id", "said_at": "at", "provider": "who", "quote": "text", "stance": "stance"}
    said = {"id": 1, "at": "2017-05-13T11:00:00Z", "who": "Telefónica", "text": "Alles gut.", "stance": "denied"}
    unknown = {**said, "id": 2, "who": "Niemand"}
    with answering(items(said, unknown)) as url:
        feed = feed_at(url, kind="statements", fields=fields, channel="official")
        first, second = run_feed(fresh, feed, Outbound()), run_feed(fresh, feed, Outbound())
    assert (first.kept, first.rejected, second.kept, second.duplicate) == (1, {"unknown_provider": 1}, 0, 1)
    with fresh.store.read() as connection:
        [kept] = statements.find(connection, Filter(provider="o2"))
        assert reports.count(connection, Filter()) == 0
    assert (kept.stance, kept.channel, kept.received_at) == ("denied", "official", NOON)


class FakeApi:
    """A small downdetector_v2: two pages of one company; its tokens last for `uses` requests."""

    def __init__(self, uses: int = 100) -> None:
        self.uses, self.left, self.tokens = uses, 0, 0
        self.asked: list[str] = []

    def __call__(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path)
        self.asked.append(path.path)
        if path.path == "/v2/tokens":
            good = handler.headers["Authorization"] == "Basic aWQ6c2VjcmV0" and handler.command == "POST"
            self.left, self.tokens = self.uses, self.tokens + 1
            send(handler, json.dumps({"access_token": f"t{self.tokens}"}).encode(), 200 if good else 401)
            return
        if self.left <= 0 or handler.headers["Authorization"] != f"Bearer t{self.tokens}":
            send(handler, b'{"error":true,"message":"Unauthorized","statusCode":401}', 401)
            return
        self.left -= 1
        if path.path.startswith("/v2/indicators/"):
            send(handler, b'{"id": 42, "slug": "internet-access"}')
        else:
            self.page(handler, parse_qs(path.query))

    def page(self, handler: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> None:
        second = query.get("page") == ["p2"]
        where = {"latitude": 53.55, "longitude": 9.99, "source": "ip"}
        item = {"created_at": "2017-05-13T11:59:59+00:00", "indicator_id": 42, "location": where}
        if second:
            send(handler, json.dumps([item]).encode())
        else:
            send(handler, json.dumps([item, item]).encode(), X_Page_Next="p2")


def downdetector(url: str, secret: str = "id:secret") -> Feed:
    return feed_at(url + "/v2", format="downdetector_v2", slugs={"o2": "o2"}, fields={}, token="T", secret=secret)


def test_downdetector_pages_token_and_indicator_become_reports(fresh: Instance) -> None:
    api = FakeApi()
    with serving(api) as url:
        feed, outbound = downdetector(url), Outbound()
        run = run_feed(fresh, feed, outbound)
        assert (run.outcome, run.kept, run.rejected) == ("ok", 3, {})
        again = run_feed(fresh, feed, outbound)
    assert (again.kept, again.duplicate) == (0, 3)  # three equal people in one second are three, however often asked
    assert api.asked.count("/v2/indicators/42") == 1
    with fresh.store.read() as connection:
        rows = list(reports.rows(connection, Filter()))
    assert {(row["service"], row["region"], row["place_source"]) for row in rows} == {("fixed_internet", "02000", "ip")}


def test_a_token_that_runs_out_between_two_pages_is_renewed_once(fresh: Instance) -> None:
    api = FakeApi(uses=2)
    with serving(api) as url:
        run = run_feed(fresh, downdetector(url), Outbound())
    assert (run.outcome, run.kept, api.tokens) == ("ok", 3, 2)


def test_a_token_that_is_never_good_is_blocked_and_not_asked_for_for_ever(fresh: Instance) -> None:
    api = FakeApi(uses=0)
    with serving(api) as url:
        run = run_feed(fresh, downdetector(url), Outbound())
    assert (run.outcome, run.listened_until, api.tokens) == ("blocked", None, 1)


@pytest.mark.parametrize("secret", ["", "id:wrong"])
def test_missing_or_wrong_credentials_are_blocked(secret: str, fresh: Instance) -> None:
    with serving(FakeApi()) as url:
        run: FeedRun = run_feed(fresh, downdetector(url, secret), Outbound())
    assert run.outcome == "blocked"
    assert "secret" not in run.error


def test_pages_that_go_in_circles_are_a_changed_form(fresh: Instance) -> None:
    api = FakeApi()
    api.page = lambda handler, query: send(handler, b"[]", X_Page_Next="p1")  # type: ignore[method-assign]
    with serving(api) as url:
        run = run_feed(fresh, downdetector(url), Outbound())
    assert (run.outcome, run.error) == ("changed", "The pages of o2 come round again without an end.")


def test_the_window_goes_into_the_url(fresh: Instance) -> None:
    asked: list[str] = []

    def look(handler: BaseHTTPRequestHandler) -> None:
        asked.append(handler.path)
        send(handler, items())

    with serving(look) as url:
        run_feed(fresh, feed_at(url + "/x?since={since}&until={until}"), Outbound())
    assert asked == ["/x?since=2017-05-13T11%3A28%3A00Z&until=2017-05-13T12%3A00%3A00Z"]
