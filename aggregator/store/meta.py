"""Single values that belong to the database, such as the hash a cache was made from. I/O."""

from __future__ import annotations

from sqlalchemy import Connection, delete, select

from aggregator.store.schema import meta
from aggregator.store.select import upsert


def put(connection: Connection, name: str, value: str) -> None:
    """Keep `value` under `name`, in the place of what was there."""
    insert = upsert(connection, meta)
    change = insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value})
    connection.execute(change, {"name": name, "value": value})


def get(connection: Connection, name: str) -> str | None:
    """Return the value kept under `name`, None if there is none."""
    return connection.execute(select(meta.c.value).where(meta.c.name == name)).scalar()


def drop(connection: Connection, name: str) -> None:
    """Forget what is kept under `name`."""
    connection.execute(delete(meta).where(meta.c.name == name))
