"""Taken back: final, dated, and what was shown before stays known."""

from __future__ import annotations

from dataclasses import replace

from aggregator.model import Transition
from aggregator.record import Correction
from aggregator.store import Store, corrections, incidents
from tests.making import at, incident

ONE = incident()
GONE = Correction(ONE.incident_id, at(30), "withdraw", "Die Quelle zählte doppelt.", "command")


def withdrawn(store: Store) -> None:
    with store.write() as connection:
        incidents.save(connection, [ONE], [Transition(ONE.incident_id, at(10), "suspected", 12, 0.5, 15.5)])
        corrections.withdraw(connection, ONE, GONE)


def test_a_withdrawn_incident_is_over_and_as_of_knows_the_state_before(store: Store) -> None:
    withdrawn(store)
    with store.read() as connection:
        now = incidents.get(connection, ONE.incident_id)
        assert now == replace(ONE, state="withdrawn", updated_at=at(30), ended_at=at(30))
        assert incidents.get(connection, ONE.incident_id, at(29)) == ONE
        last = incidents.transitions(connection, ONE.incident_id)[-1]
        assert (last.state, last.at, last.note) == ("withdrawn", at(30), "Die Quelle zählte doppelt.")
        assert corrections.find(connection, [ONE.incident_id]) == {ONE.incident_id: [GONE]}
        assert corrections.find(connection, [ONE.incident_id], at(29)) == {}


def test_no_detection_pass_brings_a_withdrawn_incident_back(store: Store) -> None:
    withdrawn(store)
    later = replace(ONE, updated_at=at(35), state="strong", reports=90)
    other = incident("other")
    with store.write() as connection:
        incidents.save(
            connection,
            [later, other],
            [Transition(name, at(35), "strong", 90, 0.5, 50) for name in (ONE.incident_id, "other")],
        )
    with store.read() as connection:
        found = incidents.get(connection, ONE.incident_id)
        assert found is not None
        assert found.state == "withdrawn"
        assert [t.state for t in incidents.transitions(connection, ONE.incident_id)] == ["suspected", "withdrawn"]
        assert incidents.get(connection, ONE.incident_id, at(40)) == found
        assert incidents.get(connection, "other") == other
        assert len(incidents.transitions(connection, "other")) == 1


def test_notes_come_newest_first_and_change_no_state(store: Store) -> None:
    with store.write() as connection:
        incidents.save(connection, [ONE], [])
        for minute in (20, 40):
            corrections.note(connection, Correction(ONE.incident_id, at(minute), "note", str(minute), "Redaktion"))
    with store.read() as connection:
        assert incidents.get(connection, ONE.incident_id) == ONE
        assert [c.text for c in corrections.find(connection, [ONE.incident_id])[ONE.incident_id]] == ["40", "20"]
