"""The days of PostgreSQL's reports: made ahead, made when they lack, dropped when their time is over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select

from aggregator.model import Filter
from aggregator.record import End
from aggregator.retention import forget, make_room
from aggregator.store import Store, cube, ends, partitions, reports
from aggregator.store.record_tables import ends as ends_table
from aggregator.store.schema import comments
from aggregator.store.schema import reports as table
from tests.making import report
from tests.stores import POSTGRESQL

NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ON_POSTGRESQL = pytest.mark.parametrize(
    "database", [pytest.param(POSTGRESQL, marks=pytest.mark.postgresql)], indirect=True
)


def keep(store: Store, *days: int) -> None:
    """Store a report, with a comment and an end, of so many days ago each."""
    moments = {f"r{n}": NOON - n * DAY for n in days}
    given = [report(name, observed_at=at, received_at=at, comment=f"c {name}") for name, at in moments.items()]
    with store.write() as connection:
        reports.add(connection, given)
        ends.add(connection, [End(name, at, at) for name, at in moments.items()])


def days(store: Store) -> list[int]:
    """Return of how many days ago there are partitions."""
    with store.read() as connection:
        return [(NOON.date() - day).days for day in partitions.known(connection)]


@ON_POSTGRESQL
def test_the_days_to_come_are_made_ahead_once(store: Store) -> None:
    assert (make_room(store, NOON), make_room(store, NOON), make_room(store, NOON + DAY)) == (4, 0, 1)
    assert days(store) == [0, -1, -2, -3, -4]


@ON_POSTGRESQL
def test_a_report_of_a_day_without_a_partition_is_kept(store: Store) -> None:
    keep(store, 0, 700)
    assert days(store) == [700, 0]
    with store.read() as connection:
        assert reports.count(connection, Filter()) == 2


@ON_POSTGRESQL
def test_a_day_made_by_who_gave_up_is_made_again(store: Store) -> None:
    def give_up() -> None:
        with store.write() as connection:
            reports.add(connection, [report("a", observed_at=NOON, received_at=NOON)])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        give_up()
    keep(store, 0)
    assert days(store) == [0]


def test_reports_go_after_the_days_that_are_set_and_their_counts_stay(store: Store) -> None:
    keep(store, 0, 9, 10, 11, 50)
    assert forget(store, NOON, keep_reports=10).reports == 2
    assert forget(store, NOON, keep_reports=10).reports == 0
    with store.read() as connection:
        assert [row["report_id"] for row in reports.rows(connection, Filter())] == ["r10", "r9", "r0"]
        assert cube.frame(connection, Filter())["count"].sum() == 5
        said = [connection.execute(select(func.count()).select_from(t)).scalar() for t in (comments, ends_table)]
    assert said == [3, 3]
    if not store.is_sqlite:
        assert days(store) == [10, 9, 0]


def test_what_has_gone_does_not_come_back(store: Store) -> None:
    keep(store, 50)
    forget(store, NOON, keep_reports=10)
    keep(store, 50)
    with store.read() as connection:
        assert reports.count(connection, Filter()) == 0


def test_without_a_word_reports_are_kept_for_good(store: Store) -> None:
    keep(store, 5000)
    assert forget(store, NOON).reports == 0


@ON_POSTGRESQL
def test_days_that_cannot_matter_are_not_looked_at(store: Store) -> None:
    keep(store, *range(60))
    with store.read() as connection:
        query = select(func.count()).select_from(table).where(
            *reports._conditions(Filter(since=NOON - 2 * DAY))
        )  # fmt: skip
        text = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"EXPLAIN {text}"))
    assert plan.count(" on reports_") <= 5, plan
