"""What persons found that alarms were: dated, append-only, the last one holds. I/O."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select

from aggregator.record import Judgement
from aggregator.store.record_tables import judgements

NAMES: Final = tuple(field.name for field in fields(Judgement))


def add(connection: Connection, judgement: Judgement) -> None:
    """Add a judgement; those before it stay for `as_of`."""
    connection.execute(insert(judgements), {name: getattr(judgement, name) for name in NAMES})


def latest(connection: Connection, as_of: datetime | None = None) -> dict[str, Judgement]:
    """Return the judgement that holds, per incident that has one; as_of: of those known then."""
    c = judgements.c
    query = select(*(c[name] for name in NAMES)).order_by(c.at, c.id)
    if as_of is not None:
        query = query.where(c.at <= as_of)
    return {row.incident_id: Judgement(**row._mapping) for row in connection.execute(query)}
