"""The days (UTC, of received_at) into which PostgreSQL parts the reports; SQLite keeps them in one table. I/O."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import ARRAY, Connection, Text, func, literal, select

TURN: Final = 4_201  # of the advisory lock: one transaction at a time makes partitions
DAY: Final = timedelta(days=1)
PREFIX: Final = "reports_"


def name_of(day: date) -> str:
    """Return the name of the partition of `day`."""
    return f"{PREFIX}{day:%Y%m%d}"


def make(connection: Connection, moments: Iterable[datetime]) -> list[date]:
    """Make the partitions that reports received at `moments` need and that are not there; return their days.

    Readers and writers of other days go on meanwhile. On SQLite there is nothing to do.
    """
    if connection.dialect.name != "postgresql":
        return []
    days = sorted({moment.astimezone(UTC).date() for moment in moments})
    missing = _missing(connection, days)
    if not missing:
        return []
    connection.execute(select(func.pg_advisory_xact_lock(TURN)))
    missing = _missing(connection, missing)  # another transaction may have been first
    for day in missing:
        _make(connection, day)
    return missing


def _missing(connection: Connection, days: list[date]) -> list[date]:
    names = func.unnest(literal([name_of(day) for day in days], ARRAY(Text))).column_valued("name")
    absent = set(connection.execute(select(names).where(func.to_regclass(names).is_(None))).scalars())
    return [day for day in days if name_of(day) in absent]


def _make(connection: Connection, day: date) -> None:
    """Make a table and attach it: a partition made in place would keep everybody else from the reports."""
    name, after = name_of(day), day + DAY
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE reports INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    connection.exec_driver_sql(
        f"ALTER TABLE reports ATTACH PARTITION {name} FOR VALUES FROM ('{day} 00:00+00') TO ('{after} 00:00+00')"
    )
