"""The keys that the persons of a day are hashed with: made when first needed, then thrown away. I/O."""

from __future__ import annotations

import secrets
from datetime import date

from sqlalchemy import Connection, delete, select

from aggregator.store.privacy_tables import day_keys
from aggregator.store.select import upsert

SIZE = 32  # bytes


def make(connection: Connection, day: date) -> bytes:
    """Return the key of `day`, made if there is none; of two processes that ask at once both get the first's."""
    new = upsert(connection, day_keys).on_conflict_do_nothing()
    connection.execute(new, {"day": day, "key": secrets.token_bytes(SIZE)})
    return bytes(connection.execute(select(day_keys.c.key).where(day_keys.c.day == day)).scalar_one())


def find(connection: Connection, day: date) -> bytes | None:
    """Return the key of `day`, None where there is none (any more)."""
    found = connection.execute(select(day_keys.c.key).where(day_keys.c.day == day)).scalar()
    return None if found is None else bytes(found)


def throw_away(connection: Connection, before: date) -> int:
    """Delete the keys of the days before `before` and return how many these were."""
    return connection.execute(delete(day_keys).where(day_keys.c.day < before)).rowcount
