"""The fitted baselines, one a day. I/O."""

from __future__ import annotations

from datetime import UTC, date, datetime

from sqlalchemy import Connection, select

from aggregator.store.schema import baselines
from aggregator.store.select import upsert


def save(connection: Connection, day: date, blob: bytes) -> None:
    """Keep the baseline made for `day` (UTC), in the place of an older one of that day."""
    insert = upsert(connection, baselines)
    change = insert.on_conflict_do_update(index_elements=["day"], set_={"blob": insert.excluded.blob})
    connection.execute(change, {"day": day, "blob": blob})


def load(connection: Connection, at: datetime) -> tuple[date, bytes] | None:
    """Return the newest baseline of a day (UTC) at or before `at`, None if there is none."""
    day = at.astimezone(UTC).date()
    c = baselines.c
    row = connection.execute(select(c.day, c.blob).where(c.day <= day).order_by(c.day.desc()).limit(1)).first()
    return (row.day, row.blob) if row else None
