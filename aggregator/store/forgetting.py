"""What is known of persons, taken out of the reports when its time is over. I/O.

What is due is looked for while others may write; what is changed at a time is small, so that nobody waits long.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, or_, select, update

from aggregator.persons import FORGOTTEN
from aggregator.store import behind, partitions
from aggregator.store.crowds import LEAST_TEXT
from aggregator.store.engine import Store
from aggregator.store.privacy_tables import comment_marks
from aggregator.store.record_tables import ends
from aggregator.store.schema import EPOCH, comments, reporters, reports
from aggregator.store.select import any_of

AT_A_TIME: Final = 2000  # rows of a transaction
NUMBER: Final = "~"  # begins a number that stands for a block
BIGGEST: Final = 10**12
DAY: Final = timedelta(days=1)
_KEY: Final = (reports.c.observed_at, reports.c.report_id, reports.c.received_at)
_AT: Final = tuple(column == bindparam(f"its_{column.name}") for column in _KEY)


def clear_reporters(store: Store, before: datetime) -> int:
    """Take the reporter out of the reports received before `before`; return how many had one.

    First what is told of the persons behind incidents is kept: after that nobody can count them.
    """
    with store.write() as connection:
        behind.keep(connection, before)
    due = select(*_KEY).where(reports.c.received_at < before, reports.c.reporter.not_in(("", FORGOTTEN)))
    return _change(store, due, {"reporter": FORGOTTEN})


def forget_counted(store: Store, before: datetime) -> int:
    """Delete when reporters were counted, of reports observed before `before`; return how many times these were."""
    span = (before - EPOCH) // timedelta(hours=6)
    c = reporters.c
    with store.write() as connection:
        return connection.execute(delete(reporters).where(c.span <= span, c.observed_at < before)).rowcount


def number_blocks(store: Store, before: datetime) -> int:
    """Put a random number in the place of the address block of reports received before `before`; return how many.

    On one day (UTC, of observed_at) reports of the same block get the same number, all in one transaction; on another
    day it has another number.
    """
    c = reports.c
    due = select(*_KEY, c.block).where(c.received_at < before, c.block != "", ~c.block.startswith(NUMBER))
    with store.read() as connection:
        found = sorted(connection.execute(due).all(), key=_day_and_block)
    change = update(reports).where(*_AT)
    for some in _whole_blocks(found):
        with store.write() as connection:
            connection.execute(change.values(block=bindparam("number")), some)
    return len(found)


def _day_and_block(row: Row[*tuple[Any, ...]]) -> tuple[int, str]:
    return (row.observed_at - EPOCH) // DAY, row.block


def _whole_blocks(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[list[dict[str, Any]]]:
    """Cut the sorted rows into lists of about AT_A_TIME, no block of a day torn apart."""
    some: list[dict[str, Any]] = []
    for _block, members in groupby(rows, _day_and_block):
        number = f"{NUMBER}{secrets.randbelow(BIGGEST):012}"
        some += [{**_its(row), "number": number} for row in members]
        if len(some) >= AT_A_TIME:
            yield some
            some = []
    if some:
        yield some


def _its(row: Row[*tuple[Any, ...]]) -> dict[str, Any]:
    return {f"its_{column.name}": getattr(row, column.name) for column in _KEY}


def coarsen_places(store: Store, before: datetime) -> int:
    """Leave of the places of reports received before `before` only the district, and how it was found."""
    c = reports.c
    exact = or_(c.plz != "", c.lat.is_not(None), c.lon.is_not(None))
    return _change(store, select(*_KEY).where(c.received_at < before, exact), {"plz": "", "lat": None, "lon": None})


def forget_comments(store: Store, before: datetime) -> int:
    """Delete the comments of reports received before `before`, with what was said about them; return how many.

    Where several reports of a day (UTC) have the same long text, a random number takes its place: that they were copies
    stays known, so that a look back sees the same flood.
    """
    mine = reports.c.report_id == comments.c.report_id
    due = select(reports.c.observed_at, comments.c.report_id, comments.c.comment).join_from(reports, comments, mine)
    due = due.where(reports.c.received_at < before, ~comments.c.comment.startswith(NUMBER))
    with store.read() as connection:
        found = sorted(connection.execute(due).all(), key=_day_and_text)
    for some in _whole_texts(found):
        with store.write() as connection:
            connection.execute(_COMMENT, some)
            ids = [one["id"] for one in some]
            connection.execute(delete(comment_marks).where(any_of(connection, comment_marks.c.report_id, ids)))
            gone = [one["id"] for one in some if not one["number"]]
            connection.execute(delete(comments).where(any_of(connection, comments.c.report_id, gone)))
    return len(found)


_COMMENT: Final = update(comments).where(comments.c.report_id == bindparam("id")).values(comment=bindparam("number"))


def _day_and_text(row: Row[*tuple[Any, ...]]) -> tuple[int, str]:
    return (row.observed_at - EPOCH) // DAY, row.comment


def _whole_texts(rows: Sequence[Row[*tuple[Any, ...]]]) -> Iterator[list[dict[str, Any]]]:
    """Cut the sorted rows into lists of about AT_A_TIME, each with the number of its text; "": of one alone."""
    some: list[dict[str, Any]] = []
    for (_day, text), group in groupby(rows, _day_and_text):
        members = list(group)
        copied = len(members) > 1 and len(text) >= LEAST_TEXT
        number = f"{NUMBER}{secrets.randbelow(BIGGEST):0{LEAST_TEXT}}" if copied else ""
        some += [{"id": row.report_id, "number": number} for row in members]
        if len(some) >= AT_A_TIME:
            yield some
            some = []
    if some:
        yield some


def drop_reports(store: Store, before: datetime) -> int:
    """Delete the reports received before `before` with what was said to them, and return how many; the counts stay.

    On PostgreSQL by whole days (UTC), each with its partition. The ids stay among those seen: nothing comes back.
    """
    with store.read() as connection:
        days = partitions.known(connection)
    gone = 0
    for day in days:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC)
        if start + DAY <= before:
            with store.write() as connection:
                gone += _delete(connection, reports.c.received_at >= start, reports.c.received_at < start + DAY)
                partitions.drop(connection, day)
    if store.is_sqlite:
        with store.write() as connection:
            gone += _delete(connection, reports.c.received_at < before)
    return gone


def _delete(connection: Connection, *which: ColumnElement[bool]) -> int:
    ids = select(reports.c.report_id).where(*which)
    for said in (comments, comment_marks, ends):
        connection.execute(delete(said).where(said.c.report_id.in_(ids)))
    return connection.execute(delete(reports).where(*which)).rowcount


def _change(store: Store, due: Select[Any], values: dict[str, Any]) -> int:
    with store.read() as connection:
        keys = connection.execute(due).all()
    change = update(reports).where(*_AT).values(**values)
    for start in range(0, len(keys), AT_A_TIME):
        with store.write() as connection:
            connection.execute(change, [_its(row) for row in keys[start : start + AT_A_TIME]])
    return len(keys)
