"""The public record: outcomes by as_of, a person's judgement by command, false alarms promised and kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator.balance import balance, put_judgement, rows
from aggregator.catalogue import load_catalogue
from aggregator.clock import SimulatedClock
from aggregator.errors import NetzlageError
from aggregator.instance import Instance
from aggregator.model import Filter, Statement
from aggregator.store import incidents, looks, statements
from tests.commands import Run, assert_one_line
from tests.making import at, incident, instance

ID = "20170513-o2-mobile-02000"
OTHER = "20170514-o2-tv-09162"
WEEK = 7 * 24 * 60


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    """Give two weeks of looks with two alarms, the first acknowledged, and one outage nobody saw."""
    made = instance(tmp_path, load_catalogue(), now=at(2 * WEEK))
    said = Statement("s1", "o2", "mobile", at(30), "Wir arbeiten daran.", "acknowledged", "official", "feed")
    with made.store.write() as connection:
        for hour in range(2 * 168):
            incidents.save_hotspots(connection, at(hour * 60), [])
            incidents.save_hotspots(connection, at(hour * 60 + 5), [])
        incidents.save(connection, [incident(ID), incident(OTHER, service="tv", regions=("09162",))], [])
        late = Statement("s2", "telekom", "tv", at(900), "Störung behoben.", "acknowledged", "official", "feed")
        statements.add(connection, [said, late])
    yield made
    made.store.close()


def test_the_record_holds_every_alarm_and_what_was_missed(netzlage: Instance) -> None:
    found = rows(netzlage, Filter())
    assert {(r["kind"], r["incident_id"], r["outcome"], r["evidence"]) for r in found} == {
        ("alarm", ID, "acknowledged", "Wir arbeiten daran."),
        ("alarm", OTHER, "unresolved", ""),
        ("missed", "", "acknowledged", "Störung behoben."),
    }


def test_an_alarm_stands_for_its_outage_also_where_a_filter_leaves_it_out(netzlage: Instance) -> None:
    found = rows(netzlage, Filter(since=at(WEEK)))
    assert "Wir arbeiten daran." not in {r["evidence"] for r in found if r["kind"] == "missed"}


def test_false_alarms_are_told_with_their_interval_and_at_most_all_unresolved(netzlage: Instance) -> None:
    with netzlage.store.read() as connection:
        assert looks.weeks(connection) == pytest.approx(2.0, abs=0.01)
    put_judgement(netzlage, OTHER, "not_an_outage", "Wartung beim Melder.", author="command")
    kept = balance(netzlage, Filter()).kept
    assert (kept.alarms, kept.false, kept.unresolved, kept.promised) == (2, 1, 0, 1.0)
    assert kept.rate == pytest.approx((0.5, 0.0127, 2.786), rel=0.01)


def test_the_last_judgement_holds_and_as_of_shows_the_one_before(netzlage: Instance) -> None:
    clock = netzlage.clock
    assert isinstance(clock, SimulatedClock)
    put_judgement(netzlage, OTHER, "not_an_outage", "Erst so.", author="command")
    first = clock.now()
    clock.set(first + timedelta(hours=1))
    put_judgement(netzlage, OTHER, "manipulation", "Doch so.", author="command")
    outcome = {as_of: balance(netzlage, Filter(as_of=as_of)).entries for as_of in (None, first, at(20))}
    told = {when: {e.incident.incident_id: e.verdict.outcome for e in found} for when, found in outcome.items()}
    assert told[None][OTHER] == "manipulation"
    assert told[first][OTHER] == "not_an_outage"
    assert told[at(20)][OTHER] == "unresolved"


@pytest.mark.parametrize(
    ("incident_id", "outcome", "text"), [("no", "manipulation", "x"), (ID, "perhaps", "x"), (ID, "manipulation", " ")]
)
def test_a_judgement_needs_an_alarm_an_outcome_and_evidence(
    netzlage: Instance, incident_id: str, outcome: str, text: str
) -> None:
    with pytest.raises(NetzlageError):
        put_judgement(netzlage, incident_id, outcome, text, author="command")


def test_the_command_judges(netzlage: Instance, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETZLAGE_DATABASE", netzlage.store.url)
    answer = run("incident", "judge", OTHER, "not_an_outage", "Wartung beim Melder.")
    assert (answer.status, answer.err) == (0, "")
    assert balance(netzlage, Filter()).outcomes["not_an_outage"] == 1
    assert_one_line(run("incident", "judge", "nothing", "not_an_outage", "Wartung."), 1)
    assert_one_line(run("incident", "judge", OTHER, "perhaps", "Wartung."), 2)


def test_before_the_first_look_no_rate_is_told(tmp_path: Path) -> None:
    made = instance(tmp_path, load_catalogue())
    kept = balance(made, Filter()).kept
    made.store.close()
    assert (kept.rate, kept.at_most, kept.alarms) == (None, None, 0)
