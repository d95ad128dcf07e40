"""For how long it was looked for clusters. I/O."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Integer, func, select, type_coerce

from aggregator.store.schema import EPOCH, ticks

HOURS_A_WEEK: Final = 168
HOUR_OF_SQLITE: Final = 3_600_000_000  # microseconds


def weeks(connection: Connection, as_of: datetime | None = None) -> float:
    """Return for how many weeks it was looked: the hours in which there was a look. as_of: those before."""
    sqlite = connection.dialect.name == "sqlite"
    hour = type_coerce(ticks.c.at, Integer).op("/")(HOUR_OF_SQLITE) if sqlite else func.date_trunc("hour", ticks.c.at)
    query = select(func.count(func.distinct(hour)))
    if as_of is not None:
        query = query.where(ticks.c.at <= as_of)
    return float(connection.execute(query).scalar_one()) / HOURS_A_WEEK


def hours(connection: Connection, since: datetime, until: datetime) -> list[datetime]:
    """Return the beginnings of the hours (UTC) in [since, until) in which there was a look, ascending."""
    sqlite = connection.dialect.name == "sqlite"
    hour = type_coerce(ticks.c.at, Integer).op("/")(HOUR_OF_SQLITE) if sqlite else func.date_trunc("hour", ticks.c.at)
    query = select(hour.label("hour")).where(ticks.c.at >= since, ticks.c.at < until).distinct().order_by("hour")
    found = connection.execute(query).scalars()
    return [EPOCH + value * timedelta(hours=1) if sqlite else value.astimezone(UTC) for value in found]
