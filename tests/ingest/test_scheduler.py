"""The worker: every feed at its pace, divided by the clock's speed, and detection each minute."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aggregator.clock import SimulatedClock
from aggregator.errors import StoreError
from aggregator.instance import Instance, open_instance
from aggregator.settings import load_settings
from aggregator.store import runs
from ingest.feed import parse_feeds
from ingest.scheduler import Worker

STANZAS = """
[[feed]]
name = "here"
format = "json_records"
url = "{url}"
every = "{every}"
service = "mobile"
[[feed]]
name = "off"
format = "json_records"
url = "{url}"
enabled = false
"""


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[Instance]:
    settings = load_settings(None, {}, overrides={"home": str(tmp_path)})
    opened = open_instance(settings, SimulatedClock(datetime(2017, 5, 13, tzinfo=UTC)))
    yield opened
    opened.store.close()


def test_jobs_keep_the_pace_of_the_clock_and_a_feed_that_is_off_has_none(instance: Instance) -> None:
    feeds = parse_feeds(STANZAS.format(url="/none.json", every="2m"), {})
    assert Worker(instance, feeds, lambda: None).jobs == {
        "feed here": timedelta(minutes=2),
        "refresh": timedelta(minutes=1),
        "retention": timedelta(hours=1),
        "day files": timedelta(hours=1),
    }
    assert Worker(instance, feeds, lambda: None, speed=60).jobs["feed here"] == timedelta(seconds=2)
    assert Worker(instance, feeds, lambda: None, speed=3600).jobs["feed here"] == timedelta(seconds=0.5)


def test_feeds_and_refresh_run_and_an_error_of_the_store_stops_neither(instance: Instance, tmp_path: Path) -> None:
    (tmp_path / "feed.json").write_text("[]")
    feeds = parse_feeds(STANZAS.format(url=tmp_path / "feed.json", every="1s"), {})
    twice, looks = threading.Event(), []

    def refresh() -> None:
        looks.append(1)
        if len(looks) == 2:
            twice.set()
        raise StoreError("The database is locked.")

    worker = Worker(instance, feeds, refresh, speed=120)
    worker.start()
    try:
        assert twice.wait(20)
    finally:
        worker.stop()
    worker.stop()
    with instance.store.read() as connection:
        latest = runs.latest(connection)
    assert set(latest) == {"here"}
    assert latest["here"].outcome in {"ok", "not_modified"}
