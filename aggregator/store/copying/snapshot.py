"""A consistent copy of a store as one SQLite file, taken while others write. I/O.

The copy is the same whatever engine the store runs on, so that it can be put back into any. What must not outlive its
day is not in it: the keys that persons are hashed with, when reporters were counted, who was asked to confirm. The
reports of the last 24 hours still have the hashes of their reporters, but no key leads from an address to them.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from aggregator.store.copying import journal, rows
from aggregator.store.engine import Store, open_store
from aggregator.store.moved import OF_A_MOVE

LEFT_OUT: Final = ("day_keys", "reporters", "confirmations", "leases")
PAGES: Final = 1000  # of SQLite, copied at a time


def take(store: Store, path: Path, passed: rows.Passed) -> None:
    """Write what `store` holds at this moment to the new file `path`. Nobody who writes waits for it.

    The write-ahead log of SQLite grows meanwhile, as one state is read from beginning to end.
    """
    with store.read() as connection:
        if connection.dialect.name == "sqlite":
            _pages(connection, path, passed)
        else:
            _rows(connection, path, passed)
    strip(path)


def _pages(connection: Connection, path: Path, passed: rows.Passed) -> None:
    connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").close()  # from here on one state is seen
    source = connection.connection.driver_connection
    if not isinstance(source, sqlite3.Connection):
        raise TypeError("not a connection to SQLite")
    with closing(sqlite3.connect(path)) as copy:
        source.backup(copy, pages=PAGES, progress=lambda _status, left, total: passed(total - left, total))


def _rows(connection: Connection, path: Path, passed: rows.Passed) -> None:
    copy = open_store(f"sqlite:///{path}")
    try:
        with copy.write() as writer:
            rows.fill(writer, connection, passed)
    finally:
        copy.close()


def strip(path: Path) -> None:
    """Take out of the copy what a copy must not keep, and leave one file without a log beside it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")
        copy.execute("PRAGMA secure_delete = ON")
        copy.execute("BEGIN IMMEDIATE")
        journal.clear(copy)
        there = {name for (name,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in there.intersection(LEFT_OUT):
            copy.execute(f"DELETE FROM {table}")  # noqa: S608
        copy.execute("DELETE FROM meta WHERE name LIKE ? || '%'", (OF_A_MOVE,))
        copy.execute("COMMIT")


def tables(path: Path) -> dict[str, int]:
    """Return how many rows each table of the copy has, of any schema; sqlite3.DatabaseError when it is damaged."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        (found,) = copy.execute("PRAGMA integrity_check(1)").fetchone()
        if found != "ok":
            raise sqlite3.DatabaseError(found)
        listed = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        names = [name for (name,) in copy.execute(listed) if name != "alembic_version"]
        return {name: copy.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}  # noqa: S608


def sums(path: Path) -> tuple[int, int]:
    """Return the sum of the cube of the copy and how many of its reports count, whatever its schema."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as copy:
        columns = {row[1] for row in copy.execute("PRAGMA table_info(reports)")}
        there = " AND gone_at IS NULL" if "gone_at" in columns else ""
        (cube,) = copy.execute("SELECT coalesce(sum(count), 0) FROM cube").fetchone()
        (counted,) = copy.execute(f"SELECT count(*) FROM reports WHERE counted{there}").fetchone()  # noqa: S608
        return cube, counted
