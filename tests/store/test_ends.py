"""Works again: kept once, with the time when we knew, also of a report that was known before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from aggregator.model import Filter
from aggregator.record import End
from aggregator.store import Store, ends, reports
from tests.making import at, report
from tests.stores import ON_SQLITE

HAMBURG = Filter("o2", "mobile", since=at(0), until=at(60))


def test_a_report_that_is_known_may_come_again_with_its_end(store: Store) -> None:
    first = report("r", 0, began_at=at(-30))
    with store.write() as connection:
        reports.add(connection, [first])
        again = reports.add(connection, [replace(first, ended_at=at(30), received_at=at(40))])
    assert (again.kept, again.duplicate) == ([], 1)
    with store.read() as connection:
        assert ends.lengths(connection, HAMBURG) == [timedelta(minutes=60)]
        assert ends.of(connection, "r") == at(30)
        assert ends.of(connection, "other") is None


def test_as_of_knows_no_end_that_was_told_later(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report("r", 0)])
        ends.add(connection, [End("r", at(20), at(45))])
    with store.read() as connection:
        assert ends.lengths(connection, replace(HAMBURG, as_of=at(44))) == []
        assert ends.lengths(connection, replace(HAMBURG, as_of=at(45))) == [timedelta(minutes=20)]


def test_the_first_word_stays(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report("r", 0)])
        assert ends.add(connection, [End("r", at(20), at(20))]) == 1
        assert ends.add(connection, [End("r", at(50), at(50))]) == 0
        assert ends.add(connection, []) == 0
    with store.read() as connection:
        assert ends.of(connection, "r") == at(20)


def test_lengths_are_of_counted_reports_of_the_districts_asked_for(store: Store) -> None:
    with store.write() as connection:
        reports.add(
            connection,
            [
                report("hh", 0, ended_at=at(10), reporter="a"),
                report("hh again", 1, ended_at=at(11), reporter="a"),
                report("m", 2, ended_at=at(40), region="09162"),
                report("goes on", 3),
            ],
        )
    with store.read() as connection:
        assert ends.lengths(connection, HAMBURG) == [timedelta(minutes=10), timedelta(minutes=38)]
        assert ends.lengths(connection, HAMBURG, ["02000"]) == [timedelta(minutes=10)]


def test_only_what_came_by_the_form_is_found_by_its_id(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report("f", 0, source="form"), report("x", 0)])
    with store.read() as connection:
        found = reports.of_the_form(connection, "f")
        assert found is not None
        assert found["region"] == "02000"
        assert "reporter" not in found
        assert reports.of_the_form(connection, "x") is None


@ON_SQLITE
def test_what_came_by_the_form_is_found_without_reading_all(store: Store) -> None:
    with store.read() as connection:
        plan = connection.exec_driver_sql(
            "explain query plan select * from reports where report_id = 'f' and source = 'form'"
        ).all()
    assert "reports_of_the_form" in str(plan)


def test_rows_carry_the_end_that_was_known_then(store: Store) -> None:
    with store.write() as connection:
        reports.add(connection, [report("over", 0), report("goes on", 1)])
        ends.add(connection, [End("over", at(30), at(40))])
    with store.read() as connection:
        assert [row["ended_at"] for row in reports.rows(connection, Filter())] == [at(30), None]
        assert [row["ended_at"] for row in reports.rows(connection, Filter(as_of=at(39)))] == [None, None]
