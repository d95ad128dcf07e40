"""The count cube, and which of its empty buckets mean zero: what was heard when. I/O."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import pandas as pd
from sqlalchemy import CTE, Connection, Insert, and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aggregator import frames
from aggregator.clock import floor_to
from aggregator.frames import BUCKET
from aggregator.model import Filter, Report
from aggregator.store import packed
from aggregator.store.bulk import encoder, in_bulk
from aggregator.store.schema import MICROSECOND, cube, heard, reports
from aggregator.store.schema import listening as listening_table
from aggregator.store.select import conditions, upsert
from aggregator.store.select import frame as frame_of

PARTS = ("region", "bucket", "provider", "service", "source")


def _more(new: sqlite.Insert | postgresql.Insert) -> Insert:
    """Return the statement that adds counts to cells."""
    more = {"count": cube.c["count"] + new.excluded["count"]}
    return new.on_conflict_do_update(index_elements=list(PARTS), set_=more)


MORE: Final = {"sqlite": _more(sqlite.insert(cube)), "postgresql": _more(postgresql.insert(cube))}


def count(connection: Connection, new: Sequence[Report]) -> None:
    """Add the counted ones of `new` to the cube."""
    cells = Counter((r.region, _bucket(r.observed_at), r.provider, r.service, r.source) for r in new if r.counted)
    if not cells:
        return
    at = encoder(connection)
    # In the order of the key: two writers then wait for each other instead of locking each other out.
    rows = [(cell[0], at(cell[1]), *cell[2:], cells[cell]) for cell in sorted(cells)]
    in_bulk(connection, MORE[connection.dialect.name], rows)


def take_out(connection: Connection, region: str, observed_at: datetime, of: tuple[str, str, str]) -> None:
    """Count one report out of the cube; `of`: its provider, service and source."""
    c = cube.c
    stream = (c[name] == value for name, value in zip(PARTS[2:], of, strict=True))
    at = (c.region == region, c.bucket == _bucket(observed_at), *stream)
    connection.execute(update(cube).where(*at).values(count=c["count"] - 1))
    connection.execute(delete(cube).where(*at, c["count"] <= 0))


def _bucket(moment: datetime) -> datetime:
    """Return the start of the five minutes; `floor_to` for UTC times, without its division."""
    return moment.replace(minute=moment.minute - moment.minute % 5, second=0, microsecond=0)


def frame(connection: Connection, f: Filter, *, sources: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the counts as a frame CUBE, by bucket; since and until are times of buckets.

    as_of: counted again from the reports received by then. sources: only what came from these.
    """
    if f.as_of is not None:
        found = _again(connection, f)
        return found if sources is None else found[found["source"].isin(list(sources))].reset_index(drop=True)
    c = cube.c
    query = select(c.provider, c.service, c.region, c.bucket, c.source, c["count"]).where(
        *conditions(cube, f, "bucket")
    )
    if sources is not None:
        query = query.where(c.source.in_(sources))
    return frame_of(connection, query.order_by(c.bucket, c.region, c.provider, c.service, c.source), frames.CUBE)


def cells(connection: Connection, f: Filter) -> pd.DataFrame:
    """Return what `frame` does in any order, its texts as categories: many cells in little time."""
    if f.as_of is not None:
        return _again(connection, f)
    c = cube.c
    regions = _regions()
    own = and_(c.region == regions.c.region, *conditions(cube, f, "bucket"))
    query = select(c.provider, c.service, c.region, c.bucket, c.source, c["count"])
    found = packed.frame(connection, query.select_from(regions.outerjoin(cube, own)))
    found["bucket"] = pd.to_datetime(found["bucket"], unit="us", utc=True)
    return found.astype({"bucket": frames.TIME, "count": frames.CUBE["count"]})[list(frames.CUBE)]


def _regions() -> CTE:
    """Return the regions that have cells, found by a step each: the cells of one lie together in the order of time.

    To go by the time alone would take a search for each cell. After the last region comes NULL, which has no cells.
    """
    other = cube.alias()
    found = select(func.min(cube.c.region).label("region")).cte("regions", recursive=True)
    following = select(func.min(other.c.region)).where(other.c.region > found.c.region).scalar_subquery()
    return found.union_all(select(following).where(found.c.region.is_not(None)))


def _again(connection: Connection, f: Filter) -> pd.DataFrame:
    """Count the counted reports received by f.as_of into a frame CUBE."""
    c = reports.c
    wanted = replace(f, since=_next_bucket(f.since), until=_next_bucket(f.until))
    query = select(c.provider, c.service, c.region, c.observed_at.label("bucket"), c.source)
    found = frame_of(
        connection,
        query.where(c.counted, *conditions(reports, wanted, "observed_at", "received_at")),
        {name: dtype for name, dtype in frames.CUBE.items() if name != "count"},
    )
    found["bucket"] = found["bucket"].dt.floor(BUCKET)
    keys = ["bucket", "region", "provider", "service", "source"]
    counts = found.groupby(keys, observed=True, sort=True).size().rename("count").reset_index()
    return frames.conform(counts, frames.CUBE)


def totals(connection: Connection, f: Filter) -> pd.DataFrame:
    """Return provider, source, count: where the reports of each provider come from, by the counts that fit `f`."""
    if f.as_of is not None:
        return _again(connection, f).groupby(["provider", "source"], observed=True)[["count"]].sum().reset_index()
    c = cube.c
    query = select(c.provider, c.source, func.sum(c["count"]).label("count"))
    query = query.where(*conditions(cube, f, "bucket")).group_by(c.provider, c.source).order_by(c.provider, c.source)
    return frame_of(connection, query, {name: frames.CUBE[name] for name in ("provider", "source", "count")})


def span(connection: Connection) -> tuple[datetime, datetime] | None:
    """Return the first and the last bucket of which anything is known, counts or coverage; None: nothing is."""
    known = [
        connection.execute(select(func.min(bucket), func.max(bucket))).one()
        for bucket in (cube.c.bucket, listening_table.c.bucket)
    ]
    ends = [(first, last) for first, last in known if first is not None]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def _next_bucket(moment: datetime | None) -> datetime | None:
    """Return the first start of a bucket at or after `moment`."""
    return None if moment is None else floor_to(moment + BUCKET - MICROSECOND, BUCKET)


def listen(
    connection: Connection,
    source: str,
    listened_from: datetime,
    listened_until: datetime,
    *,
    known_at: datetime | None = None,
) -> None:
    """Note that `source` was heard from `listened_from` until before `listened_until`.

    known_at: since when we know (None: as it happened). An empty or inverted interval notes nothing. Shares of the same
    bucket add up, to 1 at most.
    """
    if listened_from >= listened_until:
        return
    interval = {"source": source, "listened_from": listened_from, "listened_until": listened_until}
    connection.execute(insert(heard), {**interval, "known_at": known_at})
    new = upsert(connection, listening_table)
    total = listening_table.c.share + new.excluded.share
    capped = {"share": func.min(1.0, total) if connection.dialect.name == "sqlite" else func.least(1.0, total)}
    rows = [
        {"source": source, "bucket": bucket, "share": share} for bucket, share in shares(listened_from, listened_until)
    ]
    connection.execute(new.on_conflict_do_update(index_elements=["source", "bucket"], set_=capped), rows)


def shares(start: datetime, end: datetime) -> Iterator[tuple[datetime, float]]:
    """Yield each bucket that [start, end) touches and the part of it that it covers."""
    bucket = floor_to(start, BUCKET)
    while bucket < end:
        covered = min(end, bucket + BUCKET) - max(start, bucket)
        yield bucket, covered / BUCKET
        bucket += BUCKET


def listening(connection: Connection, since: datetime, until: datetime, as_of: datetime | None = None) -> pd.DataFrame:
    """Return a frame LISTENING of the buckets in [since, until): a missing row means that nothing was heard.

    as_of: from the hearings known by then.
    """
    if as_of is not None:
        return _listening_again(connection, since, until, as_of)
    c = listening_table.c
    query = select(c.source, c.bucket, c.share).where(c.bucket >= since, c.bucket < until)
    return frame_of(connection, query.order_by(c.source, c.bucket), frames.LISTENING)


def _listening_again(connection: Connection, since: datetime, until: datetime, as_of: datetime) -> pd.DataFrame:
    c = heard.c
    query = select(c.source, c.listened_from, c.listened_until, c.known_at).where(
        func.coalesce(c.known_at, c.listened_from) <= as_of, c.listened_until > since, c.listened_from < until
    )
    found: defaultdict[tuple[str, datetime], float] = defaultdict(float)
    for source, start, end, known_at in connection.execute(query):
        known_until = end if known_at is not None else min(end, as_of)
        for bucket, share in shares(max(start, floor_to(since, BUCKET)), min(known_until, until + BUCKET)):
            if since <= bucket < until:
                found[source, bucket] += share
    rows = [(source, bucket, min(1.0, found[source, bucket])) for source, bucket in sorted(found)]
    return frames.conform(pd.DataFrame(rows, columns=list(frames.LISTENING)), frames.LISTENING)
