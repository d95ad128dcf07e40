"""Whom this Netzlage asked for a statement, and when. Answered by the statement that names the enquiry. I/O."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from aggregator.record import Enquiry
from aggregator.store.record_tables import enquiries
from aggregator.store.select import upsert

NAMES: Final = tuple(field.name for field in fields(Enquiry))


def add(connection: Connection, enquiry: Enquiry) -> bool:
    """Keep the enquiry; False: it was on record."""
    new = upsert(connection, enquiries).on_conflict_do_nothing().returning(enquiries.c.enquiry_id)
    return connection.execute(new, {name: getattr(enquiry, name) for name in NAMES}).first() is not None


def get(connection: Connection, enquiry_id: str) -> Enquiry | None:
    """Return one, None if there is none of that id."""
    row = connection.execute(_all().where(enquiries.c.enquiry_id == enquiry_id)).first()
    return Enquiry(**row._mapping) if row else None


def find(connection: Connection, incident_id: str, as_of: datetime | None = None) -> list[Enquiry]:
    """Return the enquiries about an incident, oldest first; as_of: those on record then."""
    query = _all().where(enquiries.c.incident_id == incident_id)
    if as_of is not None:
        query = query.where(enquiries.c.received_at <= as_of)
    return [Enquiry(**row._mapping) for row in connection.execute(query.order_by(enquiries.c.asked_at))]


def _all() -> Select[Any]:
    return select(*(enquiries.c[name] for name in NAMES))
