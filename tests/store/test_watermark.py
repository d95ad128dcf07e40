"""The mark up to which all is to be seen stays behind what is in flight."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from aggregator.model import Filter
from aggregator.store import Store, meta, open_store, reports
from aggregator.store.watermark import settled
from tests import stores
from tests.making import report

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)


def mark(store: Store) -> datetime:
    with store.read() as connection:
        return settled(connection, NOW)


def test_it_is_now_where_nothing_is_in_flight(store: Store) -> None:
    assert mark(store) == NOW


def test_who_only_reads_holds_nothing_back(store: Store) -> None:
    with store.read() as reader:
        reports.count(reader, Filter())
        assert mark(store) == NOW


def test_a_report_received_before_the_mark_is_never_seen_after_it_for_the_first_time(store: Store) -> None:
    if store.is_sqlite:
        return  # one writer at a time: nothing later is seen while something is in flight
    received = NOW - timedelta(seconds=1)
    taken, may_end = threading.Event(), threading.Event()

    def slow() -> None:
        with store.write(alone=False) as connection:
            reports.add(connection, [report("late", observed_at=received, received_at=received)])
            taken.set()
            may_end.wait(60)

    with store.write() as connection:  # the partition is there, and something newer is to be seen
        reports.add(connection, [report("newer", observed_at=NOW, received_at=NOW)])
    thread = threading.Thread(target=slow)
    thread.start()
    assert taken.wait(60)
    before = mark(store)
    with store.read() as connection:
        seen = [row["report_id"] for row in reports.rows(connection, Filter())]
    may_end.set()
    thread.join(60)
    assert seen == ["newer"]
    assert before < received
    assert mark(store) == NOW


def test_what_another_database_of_the_server_does_is_of_no_matter(store: Store) -> None:
    if store.is_sqlite:
        return
    other = open_store(stores.server().fresh("beside_the_mark"))
    with other.write() as connection:
        meta.put(connection, "in", "flight")
        assert mark(store) == NOW
    other.close()
