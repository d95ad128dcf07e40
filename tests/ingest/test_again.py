"""What could not be taken is kept, redacted and for its time, and taken again after a mend."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.errors import FeedChanged, FeedError
from aggregator.feedmodel import PAYLOAD_CAP
from aggregator.health import Health, health
from aggregator.instance import Instance
from aggregator.model import Filter
from aggregator.outbound.client import Outbound
from aggregator.retention import tidy
from aggregator.store import cube, feeds, quarantine, reports, statements
from ingest.again import take_payload, take_quarantined
from ingest.feed import Feed, parse_feeds
from ingest.runner import run_feed
from tests.making import instance

NOON = datetime(2017, 5, 13, 12, 0, tzinfo=UTC)
STANZA = """
[[feed]]
name = "forum"
format = "json_records"
url = "{path}"
records = "items"
[feed.fields]
report_id = "id"
observed_at = "at"
provider = "who"
service = "what"
plz = "zip"
reporter = "user"
comment = "text"
"""
ITEM = {
    "id": 1, "at": "2017-05-13T11:50:00Z", "who": "O2", "what": "DSL", "zip": "20095", "user": "frieda",
    "text": "Bitte an frieda@example.org oder 0171 1234567 melden.",
}  # fmt: skip


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, load_catalogue(), now=NOON)
    yield made
    made.store.close()


def sends(tmp_path: Path, *items: Any, key: str = "items", **changes: Any) -> Feed:
    path = tmp_path / "forum.json"
    path.write_text(json.dumps({key: items}, ensure_ascii=False), "utf-8")
    [feed] = parse_feeds(STANZA.format(path=path), {})
    return replace(feed, **changes)


def hear(netzlage: Instance, feed: Feed) -> str:
    return run_feed(netzlage, feed, Outbound()).outcome


def at(netzlage: Instance, moment: datetime) -> None:
    assert isinstance(netzlage.clock, SimulatedClock)
    netzlage.clock.set(moment)


def of_forum(netzlage: Instance) -> Health:
    with netzlage.store.read() as connection:
        [one] = health(connection, netzlage.clock.now())
    return one


def count(netzlage: Instance) -> int:
    with netzlage.store.read() as connection:
        return reports.count(connection, Filter())


def test_a_form_that_changed_is_red_names_the_field_and_is_taken_after_the_mend(
    netzlage: Instance, tmp_path: Path
) -> None:
    renamed = {("when" if name == "at" else name): value for name, value in ITEM.items()}
    feed = sends(tmp_path, renamed)
    assert hear(netzlage, feed) == "changed"
    one = of_forum(netzlage)
    assert (one.light, one.payload_at) == ("red", NOON)
    assert one.error
    assert '"at" (our observed_at)' in one.error[1]
    with netzlage.store.read() as connection:
        kept = feeds.last_payload(connection, "forum")
    assert kept
    said = kept.documents[0][0]
    assert "[E-Mail]" in said
    assert not [word for word in ("frieda", "1234567") if word in said]
    with pytest.raises(FeedChanged):
        take_payload(netzlage, feed)
    at(netzlage, NOON + timedelta(minutes=30))
    mended = replace(feed, fields={**feed.fields, "observed_at": "when"})
    run = take_payload(netzlage, mended)
    assert (run.outcome, run.kept, run.listened_until) == ("ok", 1, NOON)
    with netzlage.store.read() as connection:
        heard = cube.listening(connection, NOON - timedelta(minutes=30), NOON + timedelta(minutes=30))
        assert list(heard["share"]) == [1.0] * 6  # up to when it came, not up to now
        assert feeds.last_payload(connection, "forum") is None
    with pytest.raises(FeedError, match="no payload is kept"):
        take_payload(netzlage, mended)


def test_a_payload_that_is_too_large_is_cut_and_not_taken(netzlage: Instance, tmp_path: Path) -> None:
    feed = sends(tmp_path, *({"id": n, "pad": "x" * 100} for n in range(20_000)), key="other")
    assert hear(netzlage, feed) == "changed"
    with netzlage.store.read() as connection:
        kept = feeds.last_payload(connection, "forum")
    assert kept
    assert (len(kept.documents[0][0]), kept.whole) == (PAYLOAD_CAP, False)
    with pytest.raises(FeedError, match="was cut"):
        take_payload(netzlage, feed)


def test_the_same_unread_payload_is_kept_once_and_of_one_source_the_last_ones(
    netzlage: Instance, tmp_path: Path
) -> None:
    for number in (1, 1, *range(2, 30)):
        hear(netzlage, sends(tmp_path, {"id": number}))
    with netzlage.store.read() as connection:
        kept = connection.exec_driver_sql("SELECT count(*) FROM payloads").scalar_one()
    assert kept == feeds.MOST


def test_rejected_items_are_kept_redacted_and_taken_after_a_mend(netzlage: Instance, tmp_path: Path) -> None:
    unknown = {**ITEM, "id": 2, "who": "Netz Neuland"}
    undated = {**ITEM, "id": 3, "at": "13.05.2017 13:50"}
    feed = sends(tmp_path, ITEM, {**ITEM, "id": 4}, unknown, undated)
    for _ in range(2):
        run_feed(netzlage, feed, Outbound())
        with netzlage.store.write() as connection:
            feeds.forget_validators(connection, "forum")
    with netzlage.store.read() as connection:
        kept = {item.reason: item for item in quarantine.find(connection, "forum")}
    assert set(kept) == {"unknown_provider", "bad_time"}
    assert kept["unknown_provider"].item["provider"] == "Netz Neuland"
    assert not [word for word in ("frieda", "1234567") if word in json.dumps([item.item for item in kept.values()])]
    again = take_quarantined(netzlage, feed)
    assert (again.kept, again.duplicate, len(again.still)) == (0, 0, 2)
    mended = replace(feed, open_providers=True, date_format="%d.%m.%Y %H:%M")
    again = take_quarantined(netzlage, mended)
    assert (again.kept, again.still) == (2, ())
    with netzlage.store.read() as connection:
        assert quarantine.counts(connection) == {}
    assert count(netzlage) == 4


def test_a_statement_of_an_unknown_provider_is_taken_once_it_is_known(netzlage: Instance, tmp_path: Path) -> None:
    fields = {"statement_id": "id", "said_at": "at", "provider": "who", "quote": "text"}
    feed = sends(tmp_path, {**ITEM, "who": "Stadtnetz Neuland"}, kind="statements", fields=fields, channel="official")
    run_feed(netzlage, feed, Outbound())
    again = take_quarantined(netzlage, replace(feed, open_providers=True))
    assert (again.kept, again.still) == (1, ())
    with netzlage.store.read() as connection:
        [said] = statements.find(connection, Filter())
        assert quarantine.find(connection) == []
    assert said.provider == "stadtnetz-neuland"


def test_what_is_kept_ends_after_seven_and_after_thirty_days(netzlage: Instance, tmp_path: Path) -> None:
    hear(netzlage, sends(tmp_path, {"id": 1}))
    hear(netzlage, sends(tmp_path, ITEM, {**ITEM, "id": 2}, {**ITEM, "id": 3, "who": "?"}))
    days = timedelta(days=1)
    assert tidy(netzlage.store, NOON + 7 * days) == (0, 0)
    assert tidy(netzlage.store, NOON + 7 * days + timedelta(seconds=1)) == (1, 0)
    assert tidy(netzlage.store, NOON + 30 * days) == (0, 0)
    assert tidy(netzlage.store, NOON + 30 * days + timedelta(seconds=1)) == (0, 1)


def test_validators_survive_a_restart_and_end_with_another_way_of_reading(netzlage: Instance, tmp_path: Path) -> None:
    feed = sends(tmp_path, ITEM)
    assert [hear(netzlage, feed) for _ in range(2)] == ["ok", "not_modified"]  # each with an Outbound of its own
    assert hear(netzlage, replace(feed, service="mobile")) == "ok"


def test_a_window_full_of_new_items_leaves_a_gap(netzlage: Instance, tmp_path: Path) -> None:
    hear(netzlage, sends(tmp_path, ITEM, window=2))
    at(netzlage, NOON + timedelta(minutes=20))
    new = [{**ITEM, "id": 10 + n, "at": f"2017-05-13T12:1{n}:00Z"} for n in range(2)]
    run = run_feed(netzlage, sends(tmp_path, *new, window=2), Outbound())
    lost = (NOON, NOON + timedelta(minutes=10))
    assert (run.gap_from, run.listened_from) == lost
    assert of_forum(netzlage).gaps == [lost]
    at(netzlage, NOON + timedelta(hours=3))
    run_feed(netzlage, sends(tmp_path, new[1], window=2), Outbound())
    assert of_forum(netzlage).gaps[1] == (NOON + timedelta(minutes=20), NOON + timedelta(hours=2))  # its lookback


def test_failures_are_told_with_the_circuit_and_the_next_run(netzlage: Instance, tmp_path: Path) -> None:
    feed = sends(tmp_path, ITEM)
    for _ in range(5):
        hear(netzlage, replace(feed, url=str(tmp_path / "none.json")))
    one = of_forum(netzlage)
    assert (one.light, one.circuit, one.state.failures) == ("red", "open", 5)
    assert hear(netzlage, feed) == "ok"
    one = of_forum(netzlage)
    assert (one.light, one.circuit, one.state.failures) == ("green", "closed", 0)
    assert one.error
    assert "none.json cannot be read" in one.error[1]
