"""A database looked over without changing it: reached, whole, at which schema, how full. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Text, column, func, inspect, make_url, select, table
from sqlalchemy.exc import ArgumentError

from aggregator.clock import Clock
from aggregator.errors import StoreError
from aggregator.store import meta, moved
from aggregator.store.engine import PROGRAM, Store, connect
from aggregator.store.feed_tables import feed_runs
from aggregator.store.migrate import revisions
from aggregator.store.outbox import Backlog, backlog
from aggregator.store.schema import metadata, ticks

SESSIONS: Final = table("pg_stat_activity", column("datname", Text), column("application_name", Text))


@dataclass(frozen=True, slots=True)
class Checkup:
    """What was found. `schema` None: nothing in it yet; `rows`: how many in each table."""

    name: str
    schema: str | None
    head: str
    rows: Mapping[str, int] = field(default_factory=dict)


def check_up(url: str) -> Checkup | None:
    """Look the database over; None: an SQLite file that nobody has made yet.

    Raises StoreError: not to be reached, damaged, another program's, a newer version's.
    """
    if _not_made_yet(url):
        return None
    store = connect(url)
    try:
        return _look(store)
    finally:
        store.close()


def waiting(url: str, since: datetime) -> Backlog | None:
    """Return how the outbox stands, what was given up counted from `since` on; None: not there, or not our schema."""
    if _not_made_yet(url):
        return None
    store = connect(url)
    try:
        schema, head = revisions(store.read, store.name)
        if schema != head:
            return None
        with store.read() as connection:
            return backlog(connection, since)
    finally:
        store.close()


def noted(url: str, name: str) -> str | None:
    """Return what the database keeps under `name` in `meta`; None: nothing, or it cannot be asked."""
    if _not_made_yet(url):
        return None
    try:
        store = connect(url)
    except StoreError:
        return None  # the store's own check says why
    try:
        with store.read() as connection:
            return meta.get(connection, name) if inspect(connection).has_table("meta") else None
    except StoreError:
        return None
    finally:
        store.close()


@dataclass(frozen=True, slots=True)
class Company:
    """The hosts that are connected to the server of a database, and by how much its clock is ahead of ours."""

    hosts: tuple[str, ...]
    ahead: timedelta


def company(url: str, clock: Clock) -> Company | None:
    """Return who works on the database; None: it is a file, or cannot be asked."""
    if file_of(url) is not None:
        return None
    try:
        store = connect(url)
    except StoreError:
        return None  # the store's own check says why
    try:
        with store.read() as connection:
            return _company(connection, clock)
    except StoreError:
        return None
    finally:
        store.close()


def _company(connection: Connection, clock: Clock) -> Company:
    before = clock.now()
    theirs: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    ours = before + (clock.now() - before) / 2
    c = SESSIONS.c
    here = (c.datname == func.current_database(), c.application_name.startswith(f"{PROGRAM} "))
    names = connection.execute(select(c.application_name).where(*here).distinct()).scalars()
    return Company(tuple(sorted(name.partition(" ")[2] for name in names)), theirs - ours)


def _not_made_yet(url: str) -> bool:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return False  # `connect` says what is wrong with it
    path = parsed.database
    return parsed.get_backend_name() == "sqlite" and bool(path) and path != ":memory:" and not Path(str(path)).exists()


def _look(store: Store) -> Checkup:
    with store.read() as connection:
        _be_whole(connection, store.name)
    schema, head = revisions(store.read, store.name)
    with store.read() as connection:
        rows = _count(connection) if schema == head else {}
        why_not = moved.note(connection) if schema == head else ""
    if why_not:
        raise StoreError(f"The database {store.name} {why_not}.")
    return Checkup(store.name, schema, head, rows)


def _be_whole(connection: Connection, name: str) -> None:
    """Let SQLite read every page; PostgreSQL has its own checksums and is only asked whether it answers."""
    if connection.dialect.name != "sqlite":
        connection.execute(select(1))
        return
    found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
    if found != "ok":
        raise StoreError(f"The database {name} is damaged ({' '.join(str(found).split())}); restore it from a backup.")


def _count(connection: Connection) -> dict[str, int]:
    there = set(inspect(connection).get_table_names())
    missing = [table.name for table in metadata.sorted_tables if table.name not in there]
    if missing:
        raise StoreError(f"The database lacks the table {missing[0]} of its schema; restore it from a backup.")
    tables = metadata.sorted_tables
    return {table.name: connection.execute(select(func.count()).select_from(table)).scalar_one() for table in tables}


def newest(url: str) -> datetime | None:
    """Return the last moment that the database knows of from its own clock; None: none yet, or not to be asked."""
    if _not_made_yet(url):
        return None
    try:
        store = connect(url)
    except StoreError:
        return None  # the store's own check says why
    try:
        with store.read() as connection:
            there = set(inspect(connection).get_table_names())
            columns = [c for c in (ticks.c.at, feed_runs.c.finished_at) if c.table.name in there]
            moments = [connection.execute(select(func.max(column))).scalar() for column in columns]
    except StoreError:
        return None
    finally:
        store.close()
    return max((moment for moment in moments if moment), default=None)


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite database, None where it is another one."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None
    return Path(parsed.database or "") if parsed.get_backend_name() == "sqlite" else None
