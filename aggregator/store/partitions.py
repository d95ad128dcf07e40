"""The days (UTC, of received_at) into which PostgreSQL parts the reports; SQLite keeps them in one table. I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Text,
    column,
    func,
    inspect,
    literal,
    literal_column,
    select,
    table,
)

TURN: Final = 4_201  # of the advisory lock: one transaction at a time makes partitions
DAY: Final = timedelta(days=1)
PREFIX: Final = "reports_"
DAILY: Final = re.compile(PREFIX + r"\d{8}")
PATIENCE: Final = "3s"
TABLES: Final = table("pg_class", column("relname", Text), column("relnamespace"), schema="pg_catalog")
HERE: Final[ColumnElement[int]] = literal_column("current_schema()::regnamespace")


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
    missing = _still_missing(connection, missing)  # another transaction may have been first
    for day in missing:
        _make(connection, day)
    return missing


def known(connection: Connection) -> list[date]:
    """Return the days that have a partition, ascending; none on SQLite."""
    if connection.dialect.name != "postgresql":
        return []
    names = inspect(connection).get_table_names()
    return sorted(date.fromisoformat(name.removeprefix(PREFIX)) for name in names if DAILY.fullmatch(name))


def drop(connection: Connection, day: date) -> None:
    """Drop the partition of `day` with the reports in it; StoreError where others do not let go of it in time."""
    connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{PATIENCE}'")  # meanwhile nobody gets at the reports
    connection.exec_driver_sql(f"DROP TABLE {name_of(day)}")


def _missing(connection: Connection, days: list[date]) -> list[date]:
    names = func.unnest(literal([name_of(day) for day in days], ARRAY(Text))).column_valued("name")
    absent = set(connection.execute(select(names).where(func.to_regclass(names).is_(None))).scalars())
    return [day for day in days if name_of(day) in absent]


def _still_missing(connection: Connection, days: list[date]) -> list[date]:
    """Ask the catalogue itself: `to_regclass` may answer once more what this session remembers, that there is none."""
    names = select(func.unnest(literal([name_of(day) for day in days], ARRAY(Text))))
    known = select(TABLES.c.relname).where(TABLES.c.relname.in_(names), TABLES.c.relnamespace == HERE)
    there = set(connection.execute(known).scalars())
    return [day for day in days if name_of(day) not in there]


def _make(connection: Connection, day: date) -> None:
    """Make a table and attach it: a partition made in place would keep everybody else from the reports."""
    name, after = name_of(day), day + DAY
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE reports INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    connection.exec_driver_sql(
        f"ALTER TABLE reports ATTACH PARTITION {name} FOR VALUES FROM ('{day} 00:00+00') TO ('{after} 00:00+00')"
    )
