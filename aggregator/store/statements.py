"""What providers said, or somebody says that they said. Never counted. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import Connection, select

from aggregator.model import ALL, Filter, Statement
from aggregator.store.schema import statements
from aggregator.store.select import upsert

NAMES = tuple(field.name for field in fields(Statement))


def add(connection: Connection, given: Sequence[Statement]) -> int:
    """Keep those statements whose id is new and return how many these are."""
    if not given:
        return 0
    rows = [{name: getattr(statement, name) for name in NAMES} for statement in given]
    new = upsert(connection, statements).on_conflict_do_nothing().returning(statements.c.statement_id)
    return len(connection.execute(new, rows).all())


def find(connection: Connection, f: Filter) -> list[Statement]:
    """Return the statements that fit `f`, oldest first.

    service: those about it and those that name none (`all`). since and until: of said_at. as_of: received by then, or
    without a time of receipt. region: statements have none, it is not looked at.
    """
    c = statements.c
    query = select(*(c[name] for name in NAMES)).order_by(c.said_at, c.statement_id)
    if f.provider and f.provider != ALL:
        query = query.where(c.provider == f.provider)
    if f.service and f.service != ALL:
        query = query.where(c.service.in_((f.service, ALL)))
    if f.since is not None:
        query = query.where(c.said_at >= f.since)
    if f.until is not None:
        query = query.where(c.said_at < f.until)
    if f.as_of is not None:
        query = query.where((c.received_at <= f.as_of) | c.received_at.is_(None))
    return [Statement(**row._mapping) for row in connection.execute(query)]


def of_incident(connection: Connection, incident_id: str, as_of: datetime | None = None) -> list[Statement]:
    """Return the statements that name the incident, oldest first; as_of: as in `find`."""
    c = statements.c
    query = select(*(c[name] for name in NAMES)).where(c.incident_id == incident_id)
    if as_of is not None:
        query = query.where((c.received_at <= as_of) | c.received_at.is_(None))
    return [Statement(**row._mapping) for row in connection.execute(query.order_by(c.said_at, c.statement_id))]
