"""Whether two databases hold the same: every row where there is time, the numbers of rows where somebody waits. I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, Table

from aggregator.store.copying import rows

ROW_BY_ROW: Final = ("incidents", "transitions")  # also where somebody waits: they are few


def all_differences(one: Connection, other: Connection, passed: rows.Passed) -> Iterator[str]:
    """Yield the names of the tables that differ in any row."""
    done, total = 0, 2 * sum(rows.counts(one).values())

    def read(more: int) -> None:
        nonlocal done
        done += more
        passed(min(done, total), total)

    for table in rows.TABLES:
        if rows.checksum(one, table, read) != rows.checksum(other, table, read):
            yield table.name


def quick_differences(one: Connection, other: Connection) -> Iterator[str]:
    """Yield what differs: numbers of rows, the sum of the cube, incidents."""
    theirs = rows.counts(other)
    for name, number in rows.counts(one).items():
        if theirs[name] != number:
            yield f"{name}: {number} rows, {theirs[name]} arrived"
    if rows.sums(one) != rows.sums(other):
        yield "the sum of the cube"
    yield from (table.name for table in rows.TABLES if table.name in ROW_BY_ROW and not _equal(one, other, table))


def _equal(one: Connection, other: Connection, table: Table) -> bool:
    return rows.checksum(one, table, _nobody) == rows.checksum(other, table, _nobody)


def _nobody(_more: int) -> None:
    """Nobody watches."""
