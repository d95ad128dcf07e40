"""One incident as JSON has it: what its address answers and webhooks carry. I/O."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aggregator.downloads import corrected_in_words, sources_of
from aggregator.export import TABLES
from aggregator.export.table import iso
from aggregator.model import Transition
from aggregator.store import Connection, corrections, incidents
from aggregator.web.desk import instance
from aggregator.web.lists import item


def document(connection: Connection, incident_id: str, as_of: datetime | None) -> dict[str, Any] | None:
    """Return the incident with its changes, as_of: as it was shown then; None: there is (or was) none of that id."""
    found = incidents.get(connection, incident_id, as_of)
    if found is None:
        return None
    given = corrections.find(connection, [incident_id], as_of).get(incident_id, ())
    row = {name: getattr(found, name) for name in found.__slots__}
    row |= {"sources": sources_of(connection, found, as_of), "corrections": corrected_in_words(given)}
    row["simulated"] = instance().clock.simulated
    changes = incidents.transitions(connection, incident_id, as_of)
    return {**item(row, TABLES["incidents"]), "transitions": [step(change) for change in changes]}


def step(change: Transition) -> dict[str, Any]:
    """Return one change of an incident."""
    figures = {"reports": change.observed, "expected": change.expected, "score": change.score}
    return {"at": iso(change.at), "state": change.state, **figures, "note": change.note}
