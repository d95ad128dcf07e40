"""Word that what was reported works again, and since when we knew: never a second report. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, and_, select

from aggregator.model import Filter
from aggregator.record import End
from aggregator.store.record_tables import ends
from aggregator.store.schema import reports
from aggregator.store.select import any_of, conditions, upsert


def add(connection: Connection, given: Sequence[End]) -> int:
    """Keep the first word on each report and return how many were new."""
    if not given:
        return 0
    rows = [
        {"report_id": e.report_id, "ended_at": e.ended_at, "received_at": e.received_at}
        for e in sorted(given, key=_by_id)
    ]
    new = upsert(connection, ends).on_conflict_do_nothing().returning(ends.c.report_id)
    return len(connection.execute(new, rows).all())


def _by_id(end: End) -> str:
    return end.report_id


def of(connection: Connection, report_id: str) -> datetime | None:
    """Return since when it works again, None: no word of it."""
    return connection.execute(select(ends.c.ended_at).where(ends.c.report_id == report_id)).scalar()


def lengths(connection: Connection, f: Filter, regions: Sequence[str] | None = None) -> list[timedelta]:
    """Return how long it lasted for those counted reports that fit `f` and are over, shortest first.

    From the beginning that the report names, else from the report itself. as_of: over as far as known by then.
    regions: districts; None: all.
    """
    c = reports.c
    over = and_(ends.c.report_id == c.report_id, *([ends.c.received_at <= f.as_of] if f.as_of else []))
    query = select(c.began_at, c.observed_at, ends.c.ended_at).join_from(reports, ends, over)
    query = query.where(c.counted, *conditions(reports, f, "observed_at", "received_at"))
    if regions is not None:
        query = query.where(any_of(connection, c.region, sorted(set(regions))))
    return sorted(row.ended_at - (row.began_at or row.observed_at) for row in connection.execute(query))
