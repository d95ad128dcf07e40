"""What a Nominatim server said of places, kept so that it is asked once. I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from aggregator.store.schema import geocoded
from aggregator.store.select import upsert

KEPT: Final = timedelta(days=90)  # an answer; then it is asked again, maps change
AT_ONCE: Final = 500  # names in one query


def known(connection: Connection, queries: Iterable[str], now: datetime) -> dict[str, str]:
    """Return the district (AGS5, "" = it knew none) of each of `queries` that was asked in the last 90 days."""
    c, wanted = geocoded.c, sorted(set(queries))
    found: dict[str, str] = {}
    for start in range(0, len(wanted), AT_ONCE):
        some = c.query.in_(wanted[start : start + AT_ONCE])
        rows = connection.execute(select(c.query, c.region).where(some, c.asked_at > now - KEPT))
        found.update((row.query, row.region) for row in rows)
    return found


def keep(connection: Connection, answers: Mapping[str, str], now: datetime) -> None:
    """Keep answers, query -> district; what is too old goes."""
    connection.execute(delete(geocoded).where(geocoded.c.asked_at <= now - KEPT))
    if not answers:
        return
    insert = upsert(connection, geocoded)
    change = insert.on_conflict_do_update(
        index_elements=["query"], set_={"region": insert.excluded.region, "asked_at": insert.excluded.asked_at}
    )
    connection.execute(change, [{"query": q, "region": r, "asked_at": now} for q, r in sorted(answers.items())])
