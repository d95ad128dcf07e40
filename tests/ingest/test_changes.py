"""What a feed says of its items later: edited, deleted, renumbered, late. Counted right; as_of keeps the past."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.instance import Instance
from aggregator.model import FeedRun, Filter
from aggregator.outbound.client import Outbound
from aggregator.store import cube, reports
from ingest.feed import parse_feeds
from ingest.runner import run_feed
from tests.making import instance

NOON = datetime(2017, 5, 13, 12, 0, tzinfo=UTC)
STEP = timedelta(minutes=5)
STANZA = """
[[feed]]
name = "forum"
format = "json_records"
url = "{path}"
provider = "o2"
[feed.fields]
report_id = "id"
observed_at = "at"
ended_at = "over"
service = "what"
plz = "plz"
reporter = "who"
comment = "text"
deleted = "gone"
"""


def item(key: str = "1", **said: Any) -> dict[str, Any]:
    return {"id": key, "at": "2017-05-13T11:50:00Z", "what": "mobile", "plz": "20095", **said}


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    made = instance(tmp_path, load_catalogue(), now=NOON)
    yield made
    made.store.close()


@pytest.fixture
def poll(netzlage: Instance, tmp_path: Path) -> Callable[..., FeedRun]:
    """Poll a feed that has just these items now; five minutes pass after each poll."""
    path = tmp_path / "forum.json"
    [feed] = parse_feeds(STANZA.format(path=path), {})

    def one(*items: dict[str, Any]) -> FeedRun:
        path.write_text(json.dumps(items), "utf-8")
        run = run_feed(netzlage, feed, Outbound())
        assert isinstance(netzlage.clock, SimulatedClock)
        netzlage.clock.set(netzlage.clock.now() + STEP)
        return run

    return one


def stored(netzlage: Instance, as_of: datetime | None = None) -> list[tuple[str, str]]:
    """Return (service, region) of what is stored; the cube must say the same."""
    with netzlage.store.read() as connection:
        found = reports.frame(connection, Filter(as_of=as_of))
        counted = int(cube.frame(connection, Filter(as_of=as_of))["count"].sum())
        assert reports.count(connection, Filter(as_of=as_of)) == len(found)
    assert counted == int(found["counted"].sum())
    return sorted(zip(found["service"], found["region"], strict=True))


def test_an_edited_item_is_counted_as_what_it_says_now_and_as_of_then_as_what_it_said(
    netzlage: Instance, poll: Callable[..., FeedRun]
) -> None:
    poll(item(who="a"), item("2"))
    run = poll(item(who="a", plz="80331", what="DSL"), item("2"))
    assert (run.kept, run.duplicate) == (1, 1)
    assert stored(netzlage) == [("fixed_internet", "09162"), ("mobile", "02000")]
    assert stored(netzlage, as_of=NOON) == [("mobile", "02000"), ("mobile", "02000")]
    poll(item(who="a"), item("2"))  # and back again
    poll(item(who="a"), item("2"))
    assert stored(netzlage) == [("mobile", "02000"), ("mobile", "02000")]
    assert stored(netzlage, as_of=NOON + STEP) == [("fixed_internet", "09162"), ("mobile", "02000")]


def test_a_comment_or_an_end_that_is_added_makes_no_new_report(
    netzlage: Instance, poll: Callable[..., FeedRun]
) -> None:
    poll(item())
    run = poll(item(text="Jetzt geht es wieder.", over="2017-05-13T12:00:00Z"))
    assert (run.kept, run.duplicate) == (0, 1)
    assert stored(netzlage) == [("mobile", "02000")]


def test_an_edited_report_still_counts_for_its_reporter_once(netzlage: Instance, poll: Callable[..., FeedRun]) -> None:
    poll(item(who="a"), item("2", who="a", at="2017-05-13T11:51:00Z"))
    poll(item(who="a", plz="80331"), item("2", who="a", at="2017-05-13T11:51:00Z"))
    with netzlage.store.read() as connection:
        found = reports.frame(connection, Filter())
    assert dict(zip(found["region"], found["counted"], strict=True)) == {"02000": False, "09162": True}
    stored(netzlage)


def test_a_deleted_item_is_taken_back_and_was_there(netzlage: Instance, poll: Callable[..., FeedRun]) -> None:
    poll(item(who="a"), item("2"))
    run = poll(item(who="a", gone=True), item("2"), item("unknown", gone="true"))
    assert run.rejected == {"deleted": 2}
    assert stored(netzlage) == [("mobile", "02000")]
    assert stored(netzlage, as_of=NOON) == [("mobile", "02000")] * 2


def test_numbers_that_change_at_each_poll_store_nothing_twice(netzlage: Instance, poll: Callable[..., FeedRun]) -> None:
    for number in range(4):
        poll(*(item(f"{number}-{one}", plz=plz) for one, plz in enumerate(("20095", "20095", "80331"))))
    assert stored(netzlage) == [("mobile", "02000"), ("mobile", "02000"), ("mobile", "09162")]
    with netzlage.store.read() as connection:
        assert reports.count(connection, Filter(as_of=NOON)) == 3


def test_two_people_who_say_the_same_in_the_same_second_are_two(
    netzlage: Instance, poll: Callable[..., FeedRun]
) -> None:
    poll(item("1"))
    poll(item("1"), item("2"))
    assert len(stored(netzlage)) == 2
    poll(item("2"), item("3"))  # 1 has vanished, 3 is it under another number
    assert len(stored(netzlage)) == 2


def test_an_item_that_comes_late_has_its_own_time_and_that_of_its_receipt(
    netzlage: Instance, poll: Callable[..., FeedRun]
) -> None:
    poll()
    poll(item())
    with netzlage.store.read() as connection:
        [row] = reports.rows(connection, Filter())
    assert (row["observed_at"], row["received_at"]) == (NOON - 2 * STEP, NOON + STEP)
    assert stored(netzlage, as_of=NOON) == []
