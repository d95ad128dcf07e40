"""The rows of any table, out of one database and into another, in the order of their keys, a batch at a time. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Date,
    Integer,
    Row,
    Select,
    Table,
    Text,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    tuple_,
    type_coerce,
)

from aggregator.store import partitions
from aggregator.store.bulk import in_bulk
from aggregator.store.columns import EPOCH, MICROSECOND, UtcTime
from aggregator.store.moved import OF_A_MOVE
from aggregator.store.schema import cube, meta, metadata, reports
from aggregator.store.select import upsert

BATCH: Final = 5000  # rows of a batch

STAY: Final = ("leases",)  # tables of the processes that work on a database, not of what it holds
TABLES: Final = tuple(table for table in metadata.sorted_tables if table.name not in STAY)  # referred to: first
REFERRED_TO: Final = frozenset(key.column.table for table in TABLES for key in table.foreign_keys)
MASK: Final = (1 << 64) - 1

Key = tuple[Any, ...]
Passed = Callable[[int, int], object]  # hears how much of how much is done


def key_of(table: Table) -> tuple[Column[Any], ...]:
    """Return the columns of the key of `table`, in the order in which its rows are copied."""
    return tuple(table.primary_key.columns)


def after(connection: Connection, table: Table, last: Key | None, size: int = BATCH) -> Sequence[Row[Any]]:
    """Return the next rows of `table` behind the key `last` (None: the first ones), in the order of the key."""
    key = key_of(table)
    query = _kept(select(table), table).order_by(*key).limit(size)
    if last is not None:
        position = tuple_(*(literal(value, column.type) for value, column in zip(last, key, strict=True)))
        query = query.where(tuple_(*key) > position)
    return connection.execute(query).all()


def key_in(table: Table, row: Row[Any]) -> Key:
    """Return the key of a row of `after`."""
    return tuple(row._mapping[column] for column in key_of(table))


def _kept(query: Select[Any], table: Table) -> Select[Any]:
    """Leave out what belongs to one database alone."""
    return query.where(~meta.c.name.startswith(OF_A_MOVE, autoescape=True)) if table is meta else query


def put(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    """Insert rows of `after` that are not there."""
    if table is reports:
        partitions.make(connection, {row.received_at for row in rows})
    in_bulk(connection, insert(table), encoded(connection, table, rows))


def set_to(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> None:
    """Let these rows be what they are now, whether they were there or not."""
    if not rows:
        return
    if table not in REFERRED_TO:
        delete_keys(connection, table, [key_in(table, row) for row in rows])
        put(connection, table, rows)
        return
    new = upsert(connection, table)
    values = {c.name: new.excluded[c.name] for c in table.c if not c.primary_key}
    key = [column.name for column in key_of(table)]
    change = new.on_conflict_do_update(index_elements=key, set_=values) if values else new.on_conflict_do_nothing()
    connection.execute(change, [dict(row._mapping) for row in rows])


def delete_keys(connection: Connection, table: Table, keys: Sequence[Key]) -> None:
    """Delete the rows with these keys."""
    if keys:
        same = (column == bindparam(f"k{i}") for i, column in enumerate(key_of(table)))
        connection.execute(delete(table).where(*same), [{f"k{i}": v for i, v in enumerate(key)} for key in keys])


def encoded(connection: Connection, table: Table, rows: Sequence[Row[Any]]) -> Sequence[Sequence[Any]]:
    """Return rows as the driver of `connection` takes them."""
    if connection.dialect.name == "postgresql":
        return rows
    change = [(i, how) for i, column in enumerate(table.c) if (how := _way(column))]
    out = []
    for row in rows:
        values = list(row)
        for i, how in change:
            if values[i] is not None:
                values[i] = how(values[i])
        out.append(tuple(values))
    return out


def _way(column: Column[Any]) -> Callable[[Any], Any] | None:
    if isinstance(column.type, UtcTime):
        return _microseconds
    return date.isoformat if isinstance(column.type, Date) else None


def count(connection: Connection, table: Table) -> int:
    """Return how many rows of `table` are copied."""
    return int(connection.execute(_kept(select(func.count()), table).select_from(table)).scalar_one())


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    return {table.name: count(connection, table) for table in TABLES}


def sums(connection: Connection) -> tuple[int, int]:
    """Return the sum of the cube and how many reports it should be: those that count and are not gone."""
    c = reports.c
    total = connection.execute(select(func.coalesce(func.sum(cube.c["count"]), 0))).scalar_one()
    counted = select(func.count()).select_from(reports).where(c.counted, c.gone_at.is_(None))
    return int(total), connection.execute(counted).scalar_one()


def checksum(connection: Connection, table: Table, passed: Callable[[int], object]) -> str:
    """Return a number for what `table` holds, the same on each kind of database; `passed` hears how many were read.

    The sum of a hash of each row: it does not depend on their order.
    """
    query = _kept(select(*(_plain(connection, column) for column in table.c)), table)
    total = 0
    for some in _read_plainly(connection, query):
        for row in some:
            text = repr(row).replace("\\x00", "\ufffd").encode("utf-8", "surrogatepass")
            total += int.from_bytes(blake2b(text, digest_size=8).digest(), "big")
        passed(len(some))
    return f"{total & MASK:016x}"


def _plain(connection: Connection, column: Column[Any]) -> ColumnElement[Any]:
    """Return the column as text or number: to make an object of each moment would take most of the time."""
    if connection.dialect.name != "postgresql":
        return type_coerce(column, BigInteger) if isinstance(column.type, UtcTime) else column
    if isinstance(column.type, UtcTime):
        return cast(func.extract("epoch", column) * 1_000_000, BigInteger)
    if isinstance(column.type, Boolean):
        return cast(column, Integer)
    return cast(column, Text) if isinstance(column.type, Date) else column


def _read_plainly(connection: Connection, query: Select[Any]) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows as the driver gives them, a batch at a time: half the time of SQLAlchemy's rows."""
    driver: Any = connection.connection.driver_connection
    sql = str(query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True}))
    with closing(driver.cursor("plainly") if connection.dialect.name == "postgresql" else driver.cursor()) as cursor:
        cursor.execute(sql)
        while some := cursor.fetchmany(BATCH):
            yield some


def number_on(connection: Connection) -> None:
    """Let PostgreSQL go on numbering behind the highest number there is; SQLite does by itself."""
    if connection.dialect.name != "postgresql":
        return
    for table in TABLES:
        key = key_of(table)
        if len(key) != 1 or not isinstance(key[0].type, Integer):
            continue
        sequence = func.pg_get_serial_sequence(table.name, key[0].name)
        if connection.execute(select(sequence)).scalar():
            highest = func.coalesce(select(func.max(key[0])).scalar_subquery(), 0) + 1
            connection.execute(select(func.setval(sequence, highest, False)))


def written(key: Key) -> list[Any]:
    """Return a key as JSON can hold it."""
    return [_noted(value) for value in key]


def _microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND


def _noted(value: Any) -> Any:
    if isinstance(value, datetime):
        return _microseconds(value)
    return value.isoformat() if isinstance(value, date) else value


def read_key(table: Table, noted: Sequence[Any]) -> Key:
    """Return the key that `written` made of it."""
    return tuple(_read(column, value) for column, value in zip(key_of(table), noted, strict=True))


def _read(column: Column[Any], value: Any) -> Any:
    if isinstance(column.type, UtcTime):
        return EPOCH + value * MICROSECOND
    return date.fromisoformat(value) if isinstance(column.type, Date) else value


def fill(writer: Connection, reader: Connection, passed: Passed) -> None:
    """Copy every row of every table into a database that has none."""
    done, total = 0, sum(counts(reader).values())
    for table in TABLES:
        last = None
        while some := after(reader, table, last):
            put(writer, table, some)
            last = key_in(table, some[-1])
            done += len(some)
            passed(done, total)
    number_on(writer)
