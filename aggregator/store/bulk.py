"""Many rows at once into a table, each database by its fastest way, and the values as the driver takes them. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Connection, Executable, Insert, bindparam, cast, func, literal, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import TypeEngine, UserDefinedType

from aggregator.store.columns import EPOCH, MICROSECOND, storable

FEW: Final = 20  # rows that are inserted sooner than a COPY is begun
Rows = Sequence[Sequence[Any]]


def in_bulk(connection: Connection, statement: Insert, rows: Rows) -> None:
    """Run `statement` for each of `rows`: values in the order of the table's columns, times made by `encoder`.

    The rows go straight to the driver: that saves SQLAlchemy's work on each value, most of the time of a row. On
    PostgreSQL many rows are copied; of an upsert, which COPY does not know, each column is one array.
    """
    if not rows:
        return
    names = [column.name for column in statement.table.c]
    if connection.dialect.name == "sqlite":
        text = _of_sqlite(statement)
        with driver_of(connection, text) as driver:
            driver.executemany(text, rows)
    elif len(rows) < FEW:
        connection.execute(statement, [dict(zip(names, row, strict=True)) for row in rows])
    elif isinstance(statement, postgresql.Insert):
        connection.execute(statement.from_select(names, _table_of(statement, rows)))
    else:
        _copy(connection, str(statement.table.name), names, rows)


@lru_cache(64)
def _of_sqlite(statement: Insert) -> str:
    """Return the text of `statement`; of one that is kept it is made once."""
    names = [column.name for column in statement.table.c]
    return str(statement.compile(dialect=sqlite.dialect(), column_keys=names))


def rows_of(connection: Connection, statement: Executable, given: Mapping[str, Any]) -> Sequence[Sequence[Any]]:
    """Return the rows of a statement that is made once; on SQLite times in them are as `encoder` makes them.

    There it is asked by the driver itself, as `in_bulk` does.
    """
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, given).all()
    text, names = _asked_of_sqlite(statement)
    with driver_of(connection, text) as driver:
        return list(driver.execute(text, [given[name] for name in names]))


@lru_cache(64)
def _asked_of_sqlite(statement: Any) -> tuple[str, Sequence[str]]:
    """Return the text of `statement`, and its parameters in their order."""
    made = statement.compile(dialect=sqlite.dialect(paramstyle="qmark"))
    return str(made), made.positiontup or ()


def _table_of(statement: Insert, rows: Rows) -> Any:
    """Return the rows as a query: one parameter a column."""
    columns = list(statement.table.c)
    arrays = [array(values, column.type) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
    given = func.unnest(*arrays).table_valued(*(column.name for column in columns)).render_derived()
    return select(*given.c)


def array(values: Sequence[Any], kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return `values` as one parameter, an array of PostgreSQL; written here, which the driver does more slowly."""
    return cast(literal(written(values), _Written()), ARRAY(kind))


def array_given(name: str, kind: TypeEngine[Any]) -> ColumnElement[Any]:
    """Return an array that is given to the statement under `name`, as `written` makes it."""
    return cast(bindparam(name, type_=_Written()), ARRAY(kind))


def written(values: Sequence[Any]) -> str:
    """Return `values` in PostgreSQL's words for an array."""
    return "{" + ",".join(map(_element, values)) + "}"


class _Written(UserDefinedType[str]):
    """A value in the database's own words: it is of the type that it is cast to, not text that is cast once a row."""

    cache_ok = True


def _element(value: Any) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\0", "\ufffd") + '"'
    if value is None:
        return "NULL"
    if isinstance(value, bytes):
        return f'"\\\\x{value.hex()}"'
    return f'"{value}"'


def _copy(connection: Connection, table: str, names: Sequence[str], rows: Rows) -> None:
    columns = ", ".join(f'"{name}"' for name in names)
    statement = f"COPY {table} ({columns}) FROM STDIN"
    with driver_of(connection, statement) as driver, driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([storable(value) if isinstance(value, str) else value for value in row])


@contextmanager
def driver_of(connection: Connection, statement: str) -> Iterator[Any]:
    """Give what the driver calls a connection; its errors are those of SQLAlchemy, as where that runs `statement`."""
    failed = connection.dialect.loaded_dbapi.Error
    try:
        yield connection.connection.driver_connection
    except failed as error:
        raise DBAPIError.instance(statement, None, error, failed, hide_parameters=True) from error


def decoder(connection: Connection) -> Callable[[Any], datetime]:
    """Return what turns a time of `rows_of` into a moment."""
    return _moment if connection.dialect.name == "sqlite" else _as_it_is


def _moment(microseconds: int) -> datetime:
    return EPOCH + microseconds * MICROSECOND


def encoder(connection: Connection) -> Callable[[datetime], Any]:
    """Return what turns a moment into a value for `in_bulk`."""
    return _microseconds if connection.dialect.name == "sqlite" else _as_it_is


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _as_it_is(moment: datetime) -> datetime:
    return moment
