"""What changes in an SQLite database while it is copied: triggers note the key of each row that anybody touches. I/O.

The triggers belong to the file: they note what every process writes, also while the copying stands still. At the end
others take their place, which refuse every change with the name of the database that everything has moved to.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    Column,
    Connection,
    Integer,
    MetaData,
    Row,
    Subquery,
    Table,
    Text,
    and_,
    func,
    select,
    type_coerce,
)
from sqlalchemy.types import NullType

from aggregator.store.copying import rows
from aggregator.store.moved import OF_A_MOVE, REFUSED
from aggregator.store.schema import meta, metadata

NAME: Final = "move_journal"
TRIGGERS: Final = "move_"  # begins their names
EVENTS: Final = ("INSERT", "UPDATE", "DELETE")
LONGEST: Final = max(len(table.primary_key.columns) for table in metadata.tables.values())

# The keys as they are kept: an SQLite column without a type holds anything.
_journal = Table(
    NAME,
    MetaData(),
    Column("n", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    *(Column(f"k{i}", NullType) for i in range(LONGEST)),
)


def begin(connection: Connection) -> None:
    """Let everything be noted from now on; where it is already, nothing changes."""
    columns = "".join(f", k{i}" for i in range(LONGEST))
    connection.exec_driver_sql(
        f"CREATE TABLE IF NOT EXISTS {NAME} (n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL{columns})"
    )
    for table in rows.TABLES:
        for statement in _noting(table):
            connection.exec_driver_sql(statement)


def _noting(table: Table) -> Iterator[str]:
    """Yield the triggers of `table`; a row that gets another key is noted under both."""
    key = [column.name for column in rows.key_of(table)]
    same = " AND ".join(f'OLD."{name}" IS NEW."{name}"' for name in key)
    sides = (("INSERT", "NEW", ""), ("UPDATE", "NEW", ""), ("DELETE", "OLD", ""), ("UPDATE", "OLD", f"NOT ({same})"))
    for event, side, where in sides:
        own = f"{side}.name NOT LIKE '{OF_A_MOVE}%'" if table is meta else ""
        when = " AND ".join(filter(None, [own, where]))
        into = ", ".join(f"k{i}" for i in range(len(key)))
        values = ", ".join(f'{side}."{name}"' for name in key)
        note = f"INSERT INTO {NAME} (name, {into}) VALUES ('{table.name}', {values})"  # noqa: S608 - names of our schema
        head = f"CREATE TRIGGER IF NOT EXISTS {TRIGGERS}{event}_{side}_{table.name} AFTER {event} ON {table.name}"
        yield f"{head}{f' WHEN {when}' if when else ''} BEGIN {note}; END"


def last(connection: Connection) -> int:
    """Return the number of the last change noted, 0 before the first."""
    return int(connection.execute(select(func.coalesce(func.max(_journal.c.n), 0))).scalar_one())


def touched(connection: Connection, table: Table, since: int, until: int) -> set[rows.Key]:
    """Return the keys of rows of `table` in the changes behind number `since` up to `until`."""
    keys = _keys(table, since, until)
    return {tuple(row) for row in connection.execute(select(keys))}


def present(connection: Connection, table: Table, since: int, until: int) -> list[Row[Any]]:
    """Return those rows of `table` in these changes that are there, as they are now."""
    keys = _keys(table, since, until)
    same = and_(*(column == keys.c[column.name] for column in rows.key_of(table)))
    return list(connection.execute(select(table).join_from(keys, table, same)))


def _keys(table: Table, since: int, until: int) -> Subquery:
    c = _journal.c
    key = [type_coerce(c[f"k{i}"], column.type).label(column.name) for i, column in enumerate(rows.key_of(table))]
    return select(*key).distinct().where(c.n > since, c.n <= until, c.name == table.name).subquery()


def names(connection: Connection, since: int, until: int) -> set[str]:
    """Return the names of the tables in these changes."""
    c = _journal.c
    return set(connection.execute(select(c.name).distinct().where(c.n > since, c.n <= until)).scalars())


def refuse(connection: Connection, target: str) -> None:
    """Let every change be refused from now on, whoever wants it, with the name of `target`."""
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        clear(driver)
    said = f"{REFUSED}{target}".replace("'", "''")
    for table in rows.TABLES:
        for event in EVENTS:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {TRIGGERS}refuse_{event}_{table.name} BEFORE {event} ON {table.name}"
                f" BEGIN SELECT RAISE(ABORT, '{said}'); END"
            )


def clear(connection: sqlite3.Connection) -> None:
    """Take everything out of an SQLite database that a move has put into its schema, in the caller's transaction."""
    listed = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND substr(name, 1, ?) = ?"
    for (name,) in connection.execute(listed, (len(TRIGGERS), TRIGGERS)).fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute(f"DROP TABLE IF EXISTS {NAME}")
