"""Reports into the store and out again: seen once, counted once in six hours, counted into the cube. I/O."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import ColumnElement, Connection, and_, func, insert, literal, literal_column, select, true, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.dml import ReturningInsert

from aggregator import frames
from aggregator.model import Filter, Report, Stream
from aggregator.record import End
from aggregator.store import cube, ends, names, partitions, reporters, turns
from aggregator.store.bulk import encoder, in_bulk, rows_of
from aggregator.store.record_tables import ends as ends_table
from aggregator.store.schema import EPOCH, MICROSECOND, UtcTime, comments, reports, seen
from aggregator.store.select import PAGE, any_of, as_given, conditions, listed_given, not_before
from aggregator.store.select import frame as frame_of

if TYPE_CHECKING:
    from aggregator.store.engine import Store

# Who reported is never given on: a row has no reporter and no block.
PUBLIC: Final = tuple(c for c in reports.c if c.name not in {"reporter", "block", "gone_at"})

NEW_REPORT: Final = insert(reports)
NEW_COMMENT: Final = insert(comments)


def _claiming(dialect: str, new: sqlite.Insert | postgresql.Insert) -> ReturningInsert[Any]:
    """Return the statement that marks ids as seen and returns those that were not."""
    ids = select(listed_given(dialect).c.value).where(true())
    return new.from_select(["report_id"], ids).on_conflict_do_nothing().returning(seen.c.report_id)


CLAIM: Final = {
    "sqlite": _claiming("sqlite", sqlite.insert(seen)),
    "postgresql": _claiming("postgresql", postgresql.insert(seen)),
}

Row = Mapping[Any, Any]  # column -> value; SQLAlchemy's rows say that their keys may also be columns


@dataclass(frozen=True, slots=True)
class Added:
    """What became of reports: those kept, in order and with `counted` decided, and how many were known already."""

    kept: list[Report]
    duplicate: int


def add(connection: Connection, given: Sequence[Report]) -> Added:
    """Store those reports of `given` that were never seen, decide which count, and count them into the cube.

    The order of `given` is the order of arrival. Everything happens in the caller's transaction. Word that a report is
    over is kept also where the report itself was known already.
    """
    fresh: dict[str, Report] = {}
    for report in given:
        fresh.setdefault(report.report_id, report)
    turns.take(connection, {name for report in given for name in (report.reporter, report.former) if name})
    unseen = _claim(connection, list(fresh))
    kept = reporters.decide(connection, [report for report in fresh.values() if report.report_id in unseen])
    if kept:
        _insert(connection, kept)
    over = [End(r.report_id, r.ended_at, max(r.ended_at, r.received_at)) for r in given if r.ended_at is not None]
    ends.add(connection, over)
    return Added(kept, len(given) - len(kept))


def _claim(connection: Connection, ids: list[str]) -> set[str]:
    """Mark the ids as seen and return those that were not; safe against another writer that does the same."""
    if not ids:
        return set()
    # One value for all ids: half the time of a row of values for each. Sorted: two writers wait for each other in turn.
    claim = CLAIM[connection.dialect.name]
    return {report_id for (report_id,) in rows_of(connection, claim, as_given(connection, sorted(ids)))}


def _insert(connection: Connection, kept: list[Report]) -> None:
    at = encoder(connection)
    partitions.make(connection, {report.received_at for report in kept})
    in_bulk(connection, NEW_REPORT, [_row(report, at) for report in kept])
    in_bulk(connection, NEW_COMMENT, [(report.report_id, report.comment) for report in kept if report.comment])
    names.add(connection, {report.provider: report.provider_name for report in kept if report.provider_name})
    cube.count(connection, kept)


def _row(report: Report, at: Callable[[datetime], Any]) -> tuple[Any, ...]:
    """Return the values of the reports table, in the order of its columns."""
    return (
        at(report.observed_at),
        report.report_id,
        report.source,
        report.reporter,
        report.block,
        report.provider,
        report.service,
        report.symptom,
        report.region,
        report.plz,
        report.place_source,
        report.lat,
        report.lon,
        at(report.began_at) if report.began_at else None,
        at(report.received_at),
        report.counted,
        None,
    )


def frame(connection: Connection, f: Filter, *, counted_only: bool = False) -> pd.DataFrame:
    """Return the reports that fit `f` as a frame REPORTS, in order of observed_at."""
    query = select(*(reports.c[name] for name in frames.REPORTS)).where(*_conditions(f))
    if counted_only:
        query = query.where(reports.c.counted)
    return frame_of(connection, query.order_by(reports.c.observed_at, reports.c.report_id), frames.REPORTS)


def rows(
    connection: Connection,
    f: Filter,
    *,
    after: str | None = None,
    limit: int | None = None,
    sources: Sequence[str] | None = None,
) -> Iterator[Row]:
    """Yield the reports that fit `f`, without reporter, block and comment, with their end, by (observed_at, report_id).

    after: the `cursor` of the last row of the page before; ValueError when it is none. sources: only from these.
    """
    over = and_(ends_table.c.report_id == reports.c.report_id, *_known(f))
    query = select(*PUBLIC, ends_table.c.ended_at).outerjoin_from(reports, ends_table, over)
    query = query.where(*_conditions(f, sources)).order_by(reports.c.observed_at, reports.c.report_id)
    if after is not None:
        moment, report_id = _position(after)
        position = tuple_(literal(moment, UtcTime), literal(report_id))
        query = query.where(tuple_(reports.c.observed_at, reports.c.report_id) > position, not_before(reports, moment))
    if limit is not None:
        query = query.limit(limit)
    yield from connection.execution_options(yield_per=PAGE).execute(query).mappings()


def _known(f: Filter) -> list[ColumnElement[bool]]:
    """Return the condition that an end was known at f.as_of."""
    return [] if f.as_of is None else [ends_table.c.received_at <= f.as_of]


def stream(store: Store, f: Filter, *, sources: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield the rows of any number of reports, each page in a short transaction of its own.

    One long reading transaction would keep the write-ahead log from being folded back into the file.
    """
    after = None
    while True:
        with store.read() as connection:
            page = list(rows(connection, f, after=after, limit=PAGE, sources=sources))
        yield from page
        if len(page) < PAGE:
            return
        after = cursor(page[-1])


def cursor(row: Row) -> str:
    """Return the place of `row` in the order of `rows`, as text that fits a URL."""
    return f"{(row['observed_at'] - EPOCH) // MICROSECOND}-{row['report_id']}"


def _position(after: str) -> tuple[datetime, str]:
    microseconds, _, report_id = after.rpartition("-")
    if not report_id or not microseconds.lstrip("-").isdecimal():
        raise ValueError("not a cursor")
    try:
        moment = EPOCH + int(microseconds) * MICROSECOND
    except OverflowError:
        raise ValueError("not a cursor") from None
    return moment, report_id


def count(connection: Connection, f: Filter, *, sources: Sequence[str] | None = None) -> int:
    """Return how many reports fit `f`, counted or not."""
    return connection.execute(select(func.count()).select_from(reports).where(*_conditions(f, sources))).scalar_one()


def times(  # noqa: PLR0917 - the question in the order it is asked
    connection: Connection,
    stream: Stream,
    regions: Sequence[str] | None,
    since: datetime,
    until: datetime,
    as_of: datetime | None = None,
) -> npt.NDArray[np.float64]:
    """Return when the counted reports of `stream` in [since, until) were observed: seconds since the epoch, ascending.

    regions: districts; None: the nation, the reports that could not be located included.
    """
    f = Filter(provider=stream.provider, service=stream.service, since=since, until=until, as_of=as_of)
    query = select(reports.c.observed_at).where(reports.c.counted, *_conditions(f)).order_by(reports.c.observed_at)
    if regions is not None:
        query = query.where(any_of(connection, reports.c.region, sorted(set(regions))))
    # As a frame, a column at a time: during a large fault these are hundreds of thousands.
    found = frame_of(connection, query, {"observed_at": frames.TIME})["observed_at"]
    return found.astype("int64").to_numpy(np.float64) / 1e6


def of_the_form(connection: Connection, report_id: str) -> Row | None:
    """Return the row of a report that came by the form, without who reported, or None."""
    by_form = reports.c.source == literal_column("'form'")  # as the index says it
    return connection.execute(select(*PUBLIC).where(reports.c.report_id == report_id, by_form)).mappings().first()


def last_received(connection: Connection, source: str) -> datetime | None:
    """Return when the last report of `source` was received, None before the first."""
    return connection.execute(select(func.max(reports.c.received_at)).where(reports.c.source == source)).scalar()


def _conditions(f: Filter, sources: Sequence[str] | None = None) -> list[ColumnElement[bool]]:
    found = conditions(reports, f, "observed_at", "received_at")
    return found if sources is None else [*found, reports.c.source.in_(sources)]
