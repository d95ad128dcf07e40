"""What each score stood on when it was given: packages, frozen, the newest of a time by as_of. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from aggregator.store.schema import evidence
from aggregator.store.select import upsert


@dataclass(frozen=True, slots=True)
class Frozen:
    """The package of an incident's score at the moment it was given."""

    incident_id: str
    at: datetime
    content: bytes


def save(connection: Connection, given: Sequence[Frozen]) -> None:
    """Keep packages of incidents that are kept already. A second of the same moment replaces the first."""
    rows = [{"incident_id": one.incident_id, "at": one.at, "content": one.content} for one in given]
    if rows:
        new = upsert(connection, evidence)
        change = {"content": new.excluded.content}
        connection.execute(new.on_conflict_do_update(index_elements=["incident_id", "at"], set_=change), rows)


def find(connection: Connection, incident_id: str, as_of: datetime | None = None) -> Frozen | None:
    """Return the package of the highest score that was known at `as_of` (None: now), None if there is none."""
    c = evidence.c
    query = select(c.incident_id, c.at, c.content).where(c.incident_id == incident_id)
    if as_of is not None:
        query = query.where(c.at <= as_of)
    row = connection.execute(query.order_by(c.at.desc()).limit(1)).first()
    return Frozen(row.incident_id, row.at, row.content) if row else None
