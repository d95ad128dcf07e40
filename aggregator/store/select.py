"""What the rooms of the store share: a Filter as SQL, a query as a frame, an upsert for the database at hand. I/O."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import pandas as pd
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Select,
    Table,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    func,
    select,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite

from aggregator.frames import TIME
from aggregator.model import ALL, Filter
from aggregator.store.bulk import array, array_given, written
from aggregator.store.schema import EPOCH

PAGE = 5000
SLACK = timedelta(days=1)
VALUES: Final = "among"  # the parameter of a statement that is made once
DIALECTS: Final = ("sqlite", "postgresql")


def conditions(table: Table, f: Filter, time: str, known: str = "") -> list[ColumnElement[bool]]:
    """Return `f` as conditions on `table`: `time` names the column of since and until, `known` that of as_of."""
    found = [table.c[name] == value for name, value in stream_of(f)]
    if f.region and "region" in table.c:
        found.append(in_region(table.c.region, f.region))
    if f.since is not None:
        found.append(table.c[time] >= f.since)
        if "gone_at" in table.c:
            found.append(not_before(table, f.since))
    if f.until is not None:
        found.append(table.c[time] < f.until)
    if f.as_of is not None and known:
        found.append(table.c[known] <= f.as_of)
    if "gone_at" in table.c:
        there = table.c.gone_at.is_(None)
        found.append(there if f.as_of is None else there | (table.c.gone_at > f.as_of))
    return found


def not_before(reports: Table, since: datetime) -> ColumnElement[bool]:
    """Return a condition that each report observed at or after `since` fulfils, for PostgreSQL to skip earlier days.

    It keeps the days of received_at apart, and nothing is received before it is observed (but for clocks that go fast).
    """
    return reports.c.received_at >= max(since, EPOCH + SLACK) - SLACK


def stream_of(f: Filter) -> Iterator[tuple[str, str]]:
    """Yield (column, value) for provider and service where the filter names one."""
    for name, value in (("provider", f.provider), ("service", f.service)):
        if value and value != ALL:
            yield name, value


def in_region(column: ColumnElement[str] | Column[str], region: str) -> ColumnElement[bool]:
    """Return the condition that `column` is the district `region`, or one of the Land of two digits."""
    return column.startswith(region, autoescape=True) if len(region) == 2 else column == region


def upsert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return an INSERT into `table` that knows ON CONFLICT, in the dialect of the connection."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def any_of(connection: Connection, column: ColumnElement[str], values: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that `column` is one of `values`: one parameter, however many there are."""
    if connection.dialect.name == "postgresql":
        return column == any_(array(values, Text()))
    return column.in_(select(listed(connection, values).c.value))


def listed(connection: Connection, values: Sequence[str]) -> TableValuedAlias:
    """Return `values`, one parameter, as a table of one column `value`, in their order."""
    if connection.dialect.name == "postgresql":
        return func.unnest(array(values, Text())).table_valued("value").render_derived()
    return func.json_each(json.dumps(values)).table_valued("value")


def any_given(dialect: str, column: ColumnElement[str]) -> ColumnElement[bool]:
    """Return `any_of` for a statement that is made once: making it takes longer than running it.

    A list of its own on PostgreSQL, too: of an array that a plan for any values does not know, each row is held
    against one element after the other.
    """
    return column.in_(select(listed_given(dialect).c.value))


def listed_given(dialect: str) -> TableValuedAlias:
    """Return `listed` for a statement that is made once."""
    if dialect == "postgresql":
        return func.unnest(array_given(VALUES, Text())).table_valued("value").render_derived()
    return func.json_each(bindparam(VALUES, type_=Text())).table_valued("value")


def as_given(connection: Connection, values: Sequence[str]) -> dict[str, str]:
    """Return the parameter with which `any_given` and `listed_given` speak of `values`."""
    return {VALUES: written(values) if connection.dialect.name == "postgresql" else json.dumps(values)}


def frame(connection: Connection, query: Select[Any], schema: Mapping[str, str]) -> pd.DataFrame:
    """Run `query`, which has the columns of `schema` in any order, and return them as a frame.

    On SQLite times come as integers and are turned into datetime64[us, UTC] a column at a time.
    """
    columns = list(query.selected_columns)
    plain = query.with_only_columns(*(_raw(connection, schema, column) for column in columns))
    rows = connection.execute(plain).fetchall()
    values: Iterable[Sequence[Any]] = zip(*rows, strict=True) if rows else [()] * len(columns)
    dtypes: list[Any] = [schema[column.name] for column in columns]
    arrays = [pd.array(list(some), dtype=dtype) for some, dtype in zip(values, dtypes, strict=True)]
    found = dict(zip((column.name for column in columns), arrays, strict=True))
    return pd.DataFrame(found)[list(schema)]


def _raw(connection: Connection, schema: Mapping[str, str], column: ColumnElement[Any]) -> ColumnElement[Any]:
    if schema.get(column.name) == TIME and connection.dialect.name != "postgresql":
        return type_coerce(column, BigInteger).label(column.name)
    return column
