"""Many rows at once into a table, each database by its fastest way, and the values as the driver takes them. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import ARRAY, ColumnElement, Connection, Insert, bindparam, cast, func, literal, select
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
        connection.exec_driver_sql(_of_sqlite(statement), [tuple(row) for row in rows])
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
    driver: Any = connection.connection.driver_connection
    with _told_as_usual(connection, statement), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([storable(value) if isinstance(value, str) else value for value in row])


@contextmanager
def _told_as_usual(connection: Connection, statement: str) -> Iterator[None]:
    """Let errors of the driver be those of SQLAlchemy, as they are where it runs the statement itself."""
    driver = connection.dialect.loaded_dbapi.Error
    try:
        yield
    except driver as error:
        raise DBAPIError.instance(statement, None, error, driver, hide_parameters=True) from error


def encoder(connection: Connection) -> Callable[[datetime], Any]:
    """Return what turns a moment into a value for `in_bulk`."""
    return _microseconds if connection.dialect.name == "sqlite" else _as_it_is


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _as_it_is(moment: datetime) -> datetime:
    return moment
