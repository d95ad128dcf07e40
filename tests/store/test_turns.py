"""Writers beside each other: a report is stored once, a person counted once, nobody waits for ever."""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import text

from aggregator.model import Filter, Report
from aggregator.store import Store, cube, reports
from tests.making import report
from tests.stores import POSTGRESQL

WRITERS = 4


def take(store: Store, some: Sequence[Report]) -> reports.Added:
    with store.write(alone=False) as connection:
        return reports.add(connection, some)


def all_at_once(store: Store, batches: Sequence[Sequence[Report]]) -> list[reports.Added]:
    ready = Barrier(len(batches))

    def work(some: Sequence[Report]) -> reports.Added:
        ready.wait(30)
        return take(store, some)

    with ThreadPoolExecutor(len(batches)) as threads:
        return [done.result(120) for done in [threads.submit(work, some) for some in batches]]


def counted(store: Store) -> tuple[int, int]:
    """Return the counted reports and the sum of the cube."""
    with store.read() as connection:
        kept = sum(row["counted"] for row in reports.rows(connection, Filter()))
        return kept, int(cube.frame(connection, Filter())["count"].sum())


def test_a_report_sent_by_many_at_once_is_stored_once(store: Store) -> None:
    for n in range(10):
        added = all_at_once(store, [[report(f"r{n}")]] * WRITERS)
        assert sorted(len(one.kept) for one in added) == [0] * (WRITERS - 1) + [1]
    assert counted(store) == (10, 10)


@pytest.mark.parametrize("more", [0, 40], ids=["one report each", "many reports each"])
def test_a_person_who_reports_many_times_at_once_counts_once(store: Store, more: int) -> None:
    for n in range(10):
        others = [[report(f"{n}-{w}-{m}", 1, reporter=f"{n}-{w}-{m}") for m in range(more)] for w in range(WRITERS)]
        mine = [report(f"r{n}-{w}", w, reporter=f"p{n}") for w in range(WRITERS)]
        added = all_at_once(store, [[*others[w], mine[w]] for w in range(WRITERS)])
        assert sum(kept.counted for one in added for kept in one.kept if kept.reporter == f"p{n}") == 1
    assert counted(store) == (10 + 10 * WRITERS * more,) * 2


def test_writers_of_the_same_things_in_any_order_all_come_to_an_end(store: Store) -> None:
    chance = random.Random(7)
    given = [report(f"r{n}", n % 7 * 5, reporter=f"p{n % 50}", region=f"{n % 9:05}") for n in range(300)]
    batches = [chance.sample(given, chance.choice([1, 5, 100, 250])) for _ in range(12)]
    added = all_at_once(store, batches)
    assert sum(len(one.kept) for one in added) == len({r.report_id for some in batches for r in some})
    assert counted(store)[0] == counted(store)[1] == len({r.reporter for some in batches for r in some})


@pytest.mark.parametrize("database", [pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)], indirect=True)
def test_who_sends_for_others_is_not_kept_waiting(store: Store) -> None:
    take(store, [report("the first of its day")])
    with store.write(alone=False) as slow:
        reports.add(slow, [report("a", reporter="p")])
        with store.write(alone=False) as connection:
            connection.execute(text("set local lock_timeout = '2s'"))
            added = reports.add(connection, [report("b", 5, reporter="q", region="09162")])
    assert [kept.counted for kept in added.kept] == [True]
