"""Who stands behind an incident: persons and postcodes, never fewer than three, kept when the reports have no PLZ."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from aggregator.model import ALL, Incident, Report
from aggregator.store import Connection, Store, incidents
from aggregator.store.behind import behind, keep
from aggregator.store.reports import add
from aggregator.store.schema import reports
from tests.making import at, incident, report

HOURS_LATER = 3 * 60.0
GONE = at(40 * 24 * 60)


def some(plz: str, persons: int, *, start: float = 1, each: int = 1, **values: Any) -> list[Report]:
    """Return one report each of so many persons from a PLZ, two minutes apart; each: how often the same one comes."""
    return [
        report(f"{plz}-{start}-{n}-{k}", start + 2 * n, plz=plz, reporter=f"{plz}-{n}", **values)
        for n in range(persons)
        for k in range(each)
    ]


def known(store: Store, *given: list[Report], **values: Any) -> Incident:
    one = incident(updated_at=at(HOURS_LATER), **values)
    with store.write() as connection:
        incidents.save(connection, [one], [])
        for some_reports in given:
            add(connection, some_reports)
    return one


def drop_plz(connection: Connection) -> None:
    connection.execute(update(reports).values(plz=""))


def test_a_plz_is_named_from_three_persons_on_and_in_steps_of_three(store: Store) -> None:
    one = known(store, some("20095", 2), some("22767", 3), some("21073", 8), some("22041", 9))
    with store.read() as connection:
        found = behind(connection, one)
    assert list(found.postcodes.items()) == [("22041", 9), ("21073", 6), ("22767", 3)]
    assert (found.reports, found.persons, found.unknown) == (22, 22, 0)


def test_who_cannot_be_told_apart_counts_as_a_person_each_and_that_is_said(store: Store) -> None:
    one = known(store, some("20095", 2), [report(f"x{n}", n + 20) for n in range(4)])
    with store.read() as connection:
        found = behind(connection, one)
    assert (found.persons, found.unknown) == (6, 4)


def test_over_more_than_six_hours_nobody_is_told_apart(store: Store) -> None:
    one = known(store, some("20095", 2), ended_at=at(361))
    with store.read() as connection:
        assert behind(connection, one).persons is None


def test_one_person_on_three_days_is_not_three(store: Store) -> None:
    days = [
        report(f"d{day}{n}", day * 24 * 60 + n, plz="20095", reporter=f"key of day {day}, person {n}")
        for day in range(3)
        for n in range(2)
    ]
    one = known(store, days, ended_at=at(4 * 24 * 60))
    with store.read() as connection:
        assert behind(connection, one).postcodes == {}


def test_only_what_the_incident_counts_stands_behind_it(store: Store) -> None:
    given = [
        report("before", -1), report("elsewhere", 5, region="09162"), report("other", 5, provider="telekom"),
        report("portal", 5, service="portal"), report("here", 5, source="forum", place_source="ip"),
        report("late", 5, received_at=at(HOURS_LATER)),
    ]  # fmt: skip
    one = known(store, given)
    with store.read() as connection:
        found, then = behind(connection, one), behind(connection, one, at(60))
    assert (found.sources, found.by_ip, found.regions) == ({"feed": 1, "forum": 1}, 1, {"02000": 2})
    assert then.sources == {"forum": 1}


def test_of_an_incident_of_several_providers_those_that_take_part_count(store: Store) -> None:
    given = [report("a", 5), report("b", 6, provider="telekom"), report("c", 7, provider="vodafone")]
    one = known(store, given, provider=ALL, service=ALL, providers=("o2", "telekom"), regions=())
    with store.read() as connection:
        assert behind(connection, one).reports == 2


def test_the_totals_outlive_the_postcodes_of_the_reports(store: Store) -> None:
    one = known(store, some("22767", 4), ended_at=at(60), state="over")
    with store.write() as connection:
        assert keep(connection, GONE) == 1
        drop_plz(connection)
        assert keep(connection, GONE) == 0
    with store.read() as connection:
        assert behind(connection, one).postcodes == {"22767": 3}
        assert behind(connection, one, at(60)).postcodes == {"22767": 3}
        assert behind(connection, one, at(30)).postcodes == {}  # then nobody knew of the later ones


def test_what_goes_on_for_longer_than_postcodes_are_kept_loses_nothing(store: Store) -> None:
    one = known(store, some("22767", 4))
    with store.write() as connection:
        assert keep(connection, at(30)) == 1
        drop_plz(connection)
    with store.write() as connection:
        add(connection, some("22767", 7, start=400))
        add(connection, some("20095", 3, start=400))
        assert keep(connection, GONE) == 1
        drop_plz(connection)
        assert keep(connection, GONE) == 1
    with store.read() as connection:
        assert behind(connection, one).postcodes == {"22767": 6, "20095": 3}


@pytest.mark.parametrize("age", [timedelta(0), timedelta(minutes=1)])
def test_what_began_later_is_not_touched(store: Store, age: timedelta) -> None:
    known(store, some("22767", 4))
    with store.write() as connection:
        assert keep(connection, at(0) - age) == 0
