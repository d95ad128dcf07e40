"""What the store holds of a day, as a word that changes when any of it does. I/O."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Integer, and_, cast, func, select

from aggregator.store.record_tables import ends
from aggregator.store.schema import EPOCH, MICROSECOND, listening, reports


def span(connection: Connection) -> tuple[datetime, datetime] | None:
    """Return when the first and the last report were observed, None: there is none."""
    first, last = connection.execute(select(func.min(reports.c.observed_at), func.max(reports.c.observed_at))).one()
    return None if first is None else (first, last)


def state(connection: Connection, start: datetime, end: datetime) -> str:
    """Return the word for [start, end); "" where there is no report.

    It changes when a report comes late, counts no longer, is taken back or is over, and when more or less was heard.
    """
    c = reports.c
    inside = and_(c.observed_at >= start, c.observed_at < end)
    figures = func.count(), func.sum(cast(c.counted, Integer)), func.count(c.gone_at), func.max(c.received_at)
    number, counted, gone, last = connection.execute(select(*figures).where(inside)).one()
    if not number:
        return ""
    over = select(func.count()).select_from(reports.join(ends, ends.c.report_id == c.report_id)).where(inside)
    heard = select(func.count(), func.coalesce(func.sum(listening.c.share), 0.0))
    buckets, share = connection.execute(heard.where(listening.c.bucket >= start, listening.c.bucket < end)).one()
    ended = connection.execute(over).scalar_one()
    return f"{number}-{counted}-{gone}-{(last - EPOCH) // MICROSECOND}-{ended}-{buckets}-{share:.4f}"
