"""What providers said, or somebody says that they said; what of it was taken back. Never counted. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from aggregator.model import ALL, Filter, Statement
from aggregator.record import Retraction
from aggregator.store.record_tables import withdrawn_statements as withdrawn
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


def get(connection: Connection, statement_id: str) -> Statement | None:
    """Return one, taken back or not; None if there is none of that id."""
    row = connection.execute(_all().where(statements.c.statement_id == statement_id)).first()
    return Statement(**row._mapping) if row else None


def find(connection: Connection, f: Filter, *, taken_back: bool = False) -> list[Statement]:
    """Return the statements that fit `f`, oldest first; those that hold, or only those taken_back.

    service: those about it and those that name none (`all`). since and until: of said_at. as_of: received by then, or
    without a time of receipt; taken back by then. region: statements have none, it is not looked at.
    """
    c = statements.c
    query = _known(f.as_of, taken_back=taken_back)
    if f.provider and f.provider != ALL:
        query = query.where(c.provider == f.provider)
    if f.service and f.service != ALL:
        query = query.where(c.service.in_((f.service, ALL)))
    if f.since is not None:
        query = query.where(c.said_at >= f.since)
    if f.until is not None:
        query = query.where(c.said_at < f.until)
    return [Statement(**row._mapping) for row in connection.execute(query)]


def of_incident(
    connection: Connection, incident_id: str, as_of: datetime | None = None, *, taken_back: bool = False
) -> list[Statement]:
    """Return the statements that name the incident, oldest first; as_of, taken_back: as in `find`."""
    query = _known(as_of, taken_back=taken_back).where(statements.c.incident_id == incident_id)
    return [Statement(**row._mapping) for row in connection.execute(query)]


def _all() -> Select[Any]:
    return select(*(statements.c[name] for name in NAMES)).order_by(statements.c.said_at, statements.c.statement_id)


def _known(as_of: datetime | None, *, taken_back: bool) -> Select[Any]:
    c, gone = statements.c, select(withdrawn.c.statement_id)
    if as_of is not None:
        gone = gone.where(withdrawn.c.at <= as_of)
    inside: ColumnElement[bool] = c.statement_id.in_(gone)
    query = _all().where(inside if taken_back else ~inside)
    return query if as_of is None else query.where((c.received_at <= as_of) | c.received_at.is_(None))


def take_back(connection: Connection, retraction: Retraction) -> bool:
    """Take a statement back that is on record; False: it was taken back before."""
    values = {field.name: getattr(retraction, field.name) for field in fields(Retraction)}
    new = upsert(connection, withdrawn).on_conflict_do_nothing().returning(withdrawn.c.statement_id)
    return connection.execute(new, values).first() is not None


def retractions(connection: Connection, as_of: datetime | None = None) -> dict[str, Retraction]:
    """Return what was taken back by `as_of` (None: ever), by the id of the statement: few."""
    query = select(withdrawn)
    if as_of is not None:
        query = query.where(withdrawn.c.at <= as_of)
    return {row.statement_id: Retraction(**row._mapping) for row in connection.execute(query)}
