"""Incidents, hotspots, statements, runs, baselines: what is kept comes back, and as it was shown at any time."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from aggregator.model import FeedRun, Filter, Hotspot, Incident, Statement, Stream, Transition
from aggregator.store import Store, baselines, incidents, names, runs, statements
from tests.making import at, incident


def save(store: Store, *given: Incident) -> None:
    with store.write() as connection:
        incidents.save(connection, given, [])


def found(store: Store, f: Filter | None = None, **values: Any) -> list[str]:
    with store.read() as connection:
        return [one.incident_id for one in incidents.find(connection, f or Filter(), **values)]


def test_an_incident_comes_back_as_it_was_saved(store: Store) -> None:
    one = incident(regions=("02000", "01056"), providers=("o2", "telekom"), relative_risk=3.5, ended_at=at(90))
    save(store, one)
    with store.read() as connection:
        assert incidents.get(connection, one.incident_id) == one
        assert incidents.get(connection, "20170513-other") is None


def test_every_version_that_was_shown_is_kept(store: Store) -> None:
    first = incident()
    save(store, first)
    later = replace(first, updated_at=at(20), reports=40, state="strong")
    save(store, later)
    with store.read() as connection:
        assert incidents.get(connection, first.incident_id) == later
        assert incidents.get(connection, first.incident_id, at(15)) == first
        assert incidents.get(connection, first.incident_id, at(9)) is None
        assert incidents.find(connection, Filter(as_of=at(19))) == [first]
        assert incidents.find(connection, Filter(as_of=at(5))) == []


def test_incidents_are_found_by_stream_region_time_and_state(store: Store) -> None:
    save(
        store,
        incident("hh", onset=at(0), ended_at=at(60), state="over"),
        incident("by", onset=at(100), regions=("09162", "09564"), service="fixed_internet"),
        incident("de", onset=at(50), regions=(), provider="all", providers=("o2", "telekom"), service="all"),
    )
    assert found(store) == ["by", "de", "hh"]
    assert found(store, Filter(provider="telekom")) == ["de"]
    assert found(store, Filter(service="fixed_internet")) == ["by"]
    assert found(store, Filter(region="09")) == found(store, Filter(region="09564")) == ["by"]
    assert found(store, Filter(region="9564")) == []
    assert found(store, Filter(until=at(100))) == ["de", "hh"]
    assert found(store, Filter(since=at(61))) == ["by", "de"]
    assert found(store, open_only=True) == ["by", "de"]
    assert found(store, limit=1) == ["by"]


def test_transitions_are_only_added(store: Store) -> None:
    one = incident()
    first = Transition(one.incident_id, at(10), "suspected", 12, 0.5, 15.5)
    note = Transition(one.incident_id, at(10), "suspected", 12, 0.5, 15.5, note="Nachgeprüft")
    with store.write() as connection:
        incidents.save(connection, [one], [first])
        incidents.save(connection, [], [note, replace(first, at=at(5))])
    with store.read() as connection:
        assert incidents.transitions(connection, one.incident_id) == [replace(first, at=at(5)), first, note]
        assert incidents.transitions(connection, one.incident_id, at(7)) == [replace(first, at=at(5))]


def test_the_hotspots_of_the_last_look_are_shown_also_when_there_are_none(store: Store) -> None:
    spot = Hotspot(Stream("o2", "mobile"), "02000", ("02000",), at(0), at(30), 20, 1.5, 30.0)
    with store.write() as connection:
        assert incidents.hotspots(connection) == (None, [])
        incidents.save_hotspots(connection, at(30), [spot, replace(spot, zone="de", regions=())])
        incidents.save_hotspots(connection, at(31), [spot])
        incidents.save_hotspots(connection, at(31), [])
    with store.read() as connection:
        assert incidents.hotspots(connection) == (at(31), [])
        assert incidents.hotspots(connection, at(30)) == (at(30), [spot, replace(spot, zone="de", regions=())])


def test_statements_are_kept_once_and_found_by_stream_and_time(store: Store) -> None:
    said = Statement("s1", "o2", "all", at(0), "Kein Hinweis", "denied", "official", "feed", received_at=at(5))
    other = replace(said, statement_id="s2", provider="telekom", service="mobile", said_at=at(10), own_words=True)
    with store.write() as connection:
        assert statements.add(connection, [said, other]) == 2
        assert statements.add(connection, [said]) == 0
    with store.read() as connection:
        assert statements.find(connection, Filter()) == [said, other]
        assert statements.find(connection, Filter(provider="o2", service="portal")) == [said]
        assert statements.find(connection, Filter(since=at(1))) == [other]
        assert statements.find(connection, Filter(as_of=at(4))) == []


def test_runs_by_source_newest_first(store: Store) -> None:
    heard = FeedRun(
        "a", at(0), at(1), "ok", listened_from=at(-5), listened_until=at(0), kept=3, rejected={"bad_time": 2}
    )
    dead = FeedRun("a", at(5), at(6), "unreachable", error="No answer within 30 s.")
    with store.write() as connection:
        runs.add(connection, heard)
        runs.add(connection, dead)
        runs.add(connection, replace(dead, source="b"))
    with store.read() as connection:
        assert runs.latest(connection) == {"a": dead, "b": replace(dead, source="b")}
        assert runs.last_ok(connection) == {"a": at(1)}
        assert runs.recent(connection, "a", 5) == [dead, heard]


def test_the_newest_baseline_of_a_day_not_after_the_moment(store: Store) -> None:
    with store.write() as connection:
        baselines.save(connection, date(2017, 5, 12), b"old")
        baselines.save(connection, date(2017, 5, 13), b"draft")
        baselines.save(connection, date(2017, 5, 13), b"new")
    with store.read() as connection:
        assert baselines.load(connection, at(0)) == (date(2017, 5, 13), b"new")
        assert baselines.load(connection, at(-24 * 60)) == (date(2017, 5, 12), b"old")
        assert baselines.load(connection, at(-48 * 60)) is None


def test_the_first_name_of_a_provider_stays(store: Store) -> None:
    with store.write() as connection:
        names.add(connection, {"b": "B", "a": "A"})
        names.add(connection, {"a": "Other"})
        assert names.all(connection) == {"a": "A", "b": "B"}
