"""Rows for any table of any schema, made from the types of its columns: something of everything, text of all kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    DateTime,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    insert,
    inspect,
    select,
)

from aggregator.store import partitions
from aggregator.store.columns import EPOCH, MICROSECOND, UtcTime

MORNING: Final = datetime(2017, 5, 13, 7, 40, 0, 123456, tzinfo=UTC)
TIMES: Final = ("_at", "_from", "_until", "_earliest", "_latest", "_since", "_before", "_end", "onset", "bucket", "at")


def moment(number: int) -> datetime:
    """Return the time in the row of that number."""
    return MORNING + timedelta(minutes=number)


def rows(table: Table, numbers: Iterable[int]) -> list[dict[str, Any]]:
    """Return a row for each number; columns of the same name have the same value, so that references hold."""
    return [{column.name: _value(column, number) for column in table.c} for number in numbers]


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number % 3 == 0:
        return None
    if isinstance(column.type, BigInteger) and column.name.endswith(TIMES):
        return (moment(number) - EPOCH) // MICROSECOND
    return next((make(number) for kind, make in VALUES.items() if isinstance(column.type, kind)), _text(column, number))


VALUES: Final[dict[Any, Callable[[int], Any]]] = {
    UtcTime: moment,
    DateTime: moment,
    Boolean: lambda number: number % 2 == 0,
    Date: lambda number: date(2017, 5, 1) + timedelta(days=number),
    Integer: lambda number: number + 1,
    Float: lambda number: number + 0.1,
    LargeBinary: lambda number: bytes([0, number % 256, 255]),
}


def _text(column: Column[Any], number: int) -> str:
    return f'{column.name} {number:05d} Gerät\'s "€" \\ \t\n\U0001f4f5'


def fill(connection: Connection, tables: Iterable[Table], numbers: Iterable[int]) -> None:
    """Put a row of each number into each table, in the order of their references."""
    wanted = list(numbers)
    partitions.make(connection, [moment(number) for number in wanted])
    for table in tables:
        connection.execute(insert(table), rows(table, wanted))


def found(connection: Connection) -> list[Table]:
    """Return the tables that the database itself says it has, in the order of their references; no partitions."""
    metadata = MetaData()
    names = [name for name in inspect(connection).get_table_names() if not name.startswith(partitions.PREFIX)]
    metadata.reflect(connection, only=[name for name in names if name != "alembic_version"])
    return metadata.sorted_tables


def held(connection: Connection, tables: Iterable[Table]) -> dict[str, list[dict[str, Any]]]:
    """Return every row of the tables, in the order of all their values."""
    return {
        table.name: sorted((dict(row) for row in connection.execute(select(table)).mappings()), key=repr)
        for table in tables
    }
