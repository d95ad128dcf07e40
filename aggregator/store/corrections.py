"""What a person took back or added: dated, append-only; a withdrawal is final for its incident. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from aggregator.model import Incident, Transition
from aggregator.record import Correction
from aggregator.store import incidents, outbox
from aggregator.store.record_tables import corrections
from aggregator.store.select import any_of

NAMES: Final = tuple(field.name for field in fields(Correction))


def withdraw(connection: Connection, incident: Incident, correction: Correction) -> None:
    """Take `incident` back: from correction.at on it is withdrawn and over. What was shown before stays in `as_of`."""
    at = correction.at
    gone = replace(incident, state="withdrawn", updated_at=at, ended_at=incident.ended_at or at)
    change = Transition(incident.incident_id, at, "withdrawn", gone.reports, gone.expected, gone.score, correction.text)
    incidents.save(connection, [gone], [change])
    note(connection, correction)


def note(connection: Connection, correction: Correction) -> None:
    """Add a correction, which is told too; the incident stays as it is."""
    if correction.kind == "note":
        outbox.note(connection, correction.incident_id, correction.at, "note")
    connection.execute(insert(corrections), {name: getattr(correction, name) for name in NAMES})


def find(connection: Connection, ids: Sequence[str], as_of: datetime | None = None) -> dict[str, list[Correction]]:
    """Return the corrections of each incident of `ids` that has any, newest first; as_of: those known then."""
    query = select(*(corrections.c[name] for name in NAMES)).where(any_of(connection, corrections.c.incident_id, ids))
    if as_of is not None:
        query = query.where(corrections.c.at <= as_of)
    found: dict[str, list[Correction]] = {}
    for row in connection.execute(query.order_by(corrections.c.at.desc(), corrections.c.id.desc())):
        found.setdefault(row.incident_id, []).append(Correction(**row._mapping))
    return found
