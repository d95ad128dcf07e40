"""Who stands behind many reports: one address block, one text copied, places guessed from addresses. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Select, case, delete, func, insert, select

from aggregator.model import Filter, Stream
from aggregator.store.schema import comments, floods, reports
from aggregator.store.select import any_of, conditions

BLOCK: Final = "block"
TEXT: Final = "text"
LEAST_TEXT: Final = 20  # characters: shorter texts ("geht nicht") are alike without being copied
FEW: Final = 10  # reports: a day with fewer says nothing about its largest block
DAYS: Final = 7  # over which the usual largest block is judged
DAY: Final = timedelta(days=1)


def guessed(connection: Connection, f: Filter, regions: Sequence[str]) -> float:
    """Return the share of the counted reports that fit `f` in `regions` that were placed by their address."""
    by_address = func.coalesce(func.sum(case((reports.c.place_source == "ip", 1), else_=0)), 0)
    where = [reports.c.counted, *conditions(reports, f, "observed_at", "received_at")]
    where.append(any_of(connection, reports.c.region, sorted(set(regions))))
    total, found = connection.execute(select(func.count(), by_address).select_from(reports).where(*where)).one()
    return found / total if total else 0.0


def _blocks(where: Sequence[ColumnElement[bool]]) -> Select[Any]:
    c = reports.c
    return select(c.block.label("value"), func.count().label("size")).where(*where, c.block != "").group_by(c.block)


def _most(connection: Connection, groups: Select[Any]) -> int:
    sizes = groups.subquery()
    return int(connection.execute(select(func.coalesce(func.max(sizes.c.size), 0))).scalar_one())


def usual_block(connection: Connection, f: Filter) -> float:
    """Return the share that the largest address block holds on a usual day of the week before `f.since`.

    The names of blocks change daily, so it is the largest of each day that is looked at: a carrier's gateway is among
    them every day, a flood is not. 0 where too little was heard.
    """
    if f.since is None:
        return 0.0
    shares = []
    for day in range(1, DAYS + 1):
        whole = replace(f, since=f.since - day * DAY, until=f.since - (day - 1) * DAY)
        where = [reports.c.counted, *conditions(reports, whole, "observed_at", "received_at")]
        total = connection.execute(select(func.count()).select_from(reports).where(*where)).scalar_one()
        if total >= FEW:
            shares.append(_most(connection, _blocks(where)) / total)
    return median(shares) if shares else 0.0


@dataclass(frozen=True, slots=True)
class Crowd:
    """Many reports of one stream that share an address block or a text."""

    stream: Stream
    kind: str  # BLOCK or TEXT
    value: str
    size: int


def members(connection: Connection, crowd: Crowd, f: Filter) -> dict[str, tuple[str, datetime, str]]:
    """Return, by report id, region, observed_at and source of the crowd's counted reports that fit `f`."""
    own = replace(f, provider=crowd.stream.provider, service=crowd.stream.service)
    where = [reports.c.counted, *conditions(reports, own, "observed_at", "received_at")]
    query = select(reports.c.report_id, reports.c.region, reports.c.observed_at, reports.c.source)
    if crowd.kind == BLOCK:
        query = query.where(*where, reports.c.block == crowd.value)
    else:
        same = comments.c.report_id == reports.c.report_id
        query = query.select_from(reports).join(comments, same).where(*where, comments.c.comment == crowd.value)
    return {row.report_id: (row.region, row.observed_at, row.source) for row in connection.execute(query)}


def save(connection: Connection, at: datetime, found: Sequence[Crowd]) -> None:
    """Keep what the look of `at` left out as floods: how many reports of each stream and kind."""
    sizes: Counter[tuple[str, str, str]] = Counter()
    for crowd in found:
        sizes[crowd.stream.provider, crowd.stream.service, crowd.kind] += crowd.size
    connection.execute(delete(floods).where(floods.c.at == at))
    rows = [
        {"at": at, "provider": provider, "service": service, "kind": kind, "reports": size}
        for (provider, service, kind), size in sorted(sizes.items())
    ]
    if rows:
        connection.execute(insert(floods), rows)


def left_out(connection: Connection, at: datetime) -> list[Crowd]:
    """Return what the look of `at` left out; of the members no names are kept."""
    c = floods.c
    rows = connection.execute(select(*c).where(c.at == at).order_by(c.reports.desc(), c.provider, c.service, c.kind))
    return [Crowd(Stream(row.provider, row.service), row.kind, "", row.reports) for row in rows]
