"""Reports on their way out, as the database holds them: plain tuples, a page a transaction; SQLite alone. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, Connection, Integer, Select, literal, select, tuple_, type_coerce

from aggregator.model import Filter
from aggregator.store.engine import Store
from aggregator.store.record_tables import ends
from aggregator.store.schema import reports
from aggregator.store.select import any_of, conditions

PAGE: Final = 2000  # rows: as fast as larger ones, and there is as little in memory as of a page of the site
FEW: Final = 100_000  # ends that are held in memory (about 20 MB) instead of being looked up a page at a time

# report_id, source, provider, service, symptom, region, place_source, observed_at, began_at, received_at, counted;
# times in microseconds since the epoch.
Raw = tuple[str, str, str, str, str, str, str, int, int | None, int, int]


@dataclass(frozen=True, slots=True)
class Page:
    """Some reports in order of (observed_at, report_id), and since when those that are over work again."""

    reports: Sequence[Raw]
    ended: Mapping[str, int]  # report_id -> microseconds


def suits(store: Store) -> bool:
    """Say whether `pages` can read this database."""
    with store.read() as connection:
        return connection.dialect.name == "sqlite"


def pages(store: Store, f: Filter) -> Iterator[Page]:
    """Yield the reports that fit `f`, of every source, each page from a short transaction of its own.

    Rows and values are those of the driver: what SQLAlchemy and datetime do to each of them costs twice the query.
    """
    position: tuple[int, str] | None = None
    with store.read() as connection:
        ended = _all_ended(connection, f)
    while True:
        with store.read() as connection:
            some = _fetch(connection, _query(f, position))
            over = _ended_of(connection, f, [row[0] for row in some]) if ended is None else ended
        if some:
            yield Page(some, over)
            position = some[-1][7], some[-1][0]
        if len(some) < PAGE:
            return


def _query(f: Filter, position: tuple[int, str] | None) -> Select[Any]:
    c = reports.c
    times = (_plain(c.observed_at), _plain(c.began_at), _plain(c.received_at))
    texts = (c.report_id, c.source, c.provider, c.service, c.symptom, c.region, c.place_source)
    query = select(*texts, *times, type_coerce(c.counted, Integer))
    query = query.where(*conditions(reports, f, "observed_at", "received_at")).order_by(c.observed_at, c.report_id)
    if position is not None:
        last = tuple_(literal(position[0], BigInteger), literal(position[1]))
        query = query.where(tuple_(c.observed_at, c.report_id) > last)
    return query.limit(PAGE)


def _plain(column: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(column, BigInteger)


def _fetch(connection: Connection, query: Select[Any]) -> list[Any]:
    """Return the driver's own tuples."""
    cursor = connection.execute(query).cursor
    return [] if cursor is None else list(cursor.fetchall())


def _all_ended(connection: Connection, f: Filter) -> dict[str, int] | None:
    """Return since when reports are over, of all of them; None: they are too many."""
    found = _fetch(connection, _ends(f).limit(FEW + 1))
    return dict(found) if len(found) <= FEW else None


def _ended_of(connection: Connection, f: Filter, ids: list[str]) -> dict[str, int]:
    return dict(_fetch(connection, _ends(f).where(any_of(connection, ends.c.report_id, ids))))


def _ends(f: Filter) -> Select[Any]:
    query = select(ends.c.report_id, _plain(ends.c.ended_at))
    return query if f.as_of is None else query.where(ends.c.received_at <= f.as_of)
