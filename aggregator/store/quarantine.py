"""Items that were rejected, kept to be taken again after a mend. I/O."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from aggregator.feedmodel import Quarantined
from aggregator.store.feed_tables import quarantine
from aggregator.store.select import any_of, upsert

KEPT: Final = timedelta(days=30)
MOST: Final = 10_000  # items of one source: the rest is counted, not kept


def add(connection: Connection, given: Sequence[Quarantined]) -> None:
    """Keep items of one source; one that is there already stays as it is, what is too many is left out."""
    if not given:
        return
    room = MOST - count(connection, given[0].source)
    rows = [
        {
            "item_id": item.item_id,
            "source": item.source,
            "received_at": item.received_at,
            "reason": item.reason,
            "field": item.field,
            "detail": item.detail,
            "shape": item.shape,
            "item": json.dumps(item.item, ensure_ascii=False, sort_keys=True),
        }
        for item in given[: max(room, 0)]
    ]
    if rows:
        connection.execute(upsert(connection, quarantine).on_conflict_do_nothing(), rows)


def count(connection: Connection, source: str) -> int:
    """Return how many items of `source` are kept."""
    query = select(func.count()).select_from(quarantine).where(quarantine.c.source == source)
    return connection.execute(query).scalar_one()


def counts(connection: Connection) -> dict[str, int]:
    """Return how many items of each source are kept."""
    query = select(quarantine.c.source, func.count().label("n")).group_by(quarantine.c.source)
    return {row.source: row.n for row in connection.execute(query)}


def find(connection: Connection, source: str = "", limit: int | None = None) -> list[Quarantined]:
    """Return the items kept of `source` ("" = of all), oldest first."""
    query = select(quarantine).order_by(quarantine.c.source, quarantine.c.received_at, quarantine.c.item_id)
    if source:
        query = query.where(quarantine.c.source == source)
    rows = connection.execute(query.limit(limit) if limit is not None else query)
    return [Quarantined(**{**row._mapping, "item": json.loads(row.item)}) for row in rows]


def drop(connection: Connection, ids: Sequence[str]) -> None:
    """Delete items, because they were taken."""
    if ids:
        connection.execute(delete(quarantine).where(any_of(connection, quarantine.c.item_id, sorted(ids))))


def forget(connection: Connection, now: datetime) -> int:
    """Delete the items that are older than 30 days and return how many these were."""
    return connection.execute(delete(quarantine).where(quarantine.c.received_at < now - KEPT)).rowcount
