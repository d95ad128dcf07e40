"""What each hearing of a feed brought, and whether it was heard at all. I/O."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from aggregator.model import FeedRun
from aggregator.store import cube, work
from aggregator.store.schema import feed_runs

COLUMNS = tuple(c for c in feed_runs.c if c.name != "id")


def add(connection: Connection, run: FeedRun, *, as_it_happened: bool = False) -> None:
    """Keep `run`, and count the time that it listened to into the coverage.

    as_it_happened: what it heard was known at the time (a file with times of receipt), not first when the run ended.
    """
    row = {c.name: getattr(run, c.name) for c in COLUMNS}
    row["rejected"] = json.dumps(dict(run.rejected), sort_keys=True)
    connection.execute(insert(feed_runs), row)
    work.heard(connection, run)
    if run.listened_from is not None and run.listened_until is not None:
        known_at = None if as_it_happened else run.finished_at
        cube.listen(connection, run.source, run.listened_from, run.listened_until, known_at=known_at)


def latest(connection: Connection) -> dict[str, FeedRun]:
    """Return the last run of each source."""
    newest = select(func.max(feed_runs.c.id)).group_by(feed_runs.c.source)
    query = select(*COLUMNS).where(feed_runs.c.id.in_(newest)).order_by(feed_runs.c.source)
    return {row.source: _run(row) for row in connection.execute(query)}


def last_ok(connection: Connection) -> dict[str, datetime]:
    """Return for each source when a run last finished that could listen (ok or not modified)."""
    heard = feed_runs.c.outcome.in_(("ok", "not_modified"))
    query = select(feed_runs.c.source, func.max(feed_runs.c.finished_at).label("at")).where(heard)
    return {row.source: row.at for row in connection.execute(query.group_by(feed_runs.c.source))}


def heard_until(connection: Connection, source: str) -> datetime | None:
    """Return the end of the last time that `source` was listened to, None if it never was."""
    listened = (feed_runs.c.source == source, feed_runs.c.listened_until.is_not(None))
    query = select(feed_runs.c.listened_until).where(*listened).order_by(feed_runs.c.id.desc()).limit(1)
    return connection.execute(query).scalar()


def gaps(connection: Connection, since: datetime) -> dict[str, list[tuple[datetime, datetime]]]:
    """Return by source the times since `since` in which nobody listened between two hearings, oldest first."""
    c = feed_runs.c
    query = select(c.source, c.gap_from, c.listened_from).where(c.gap_from.is_not(None), c.finished_at >= since)
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for row in connection.execute(query.order_by(c.id)):
        found.setdefault(row.source, []).append((row.gap_from, row.listened_from))
    return found


def last_error(connection: Connection) -> dict[str, tuple[datetime, str]]:
    """Return for each source when it last failed, and the sentence that says why."""
    newest = select(func.max(feed_runs.c.id)).where(feed_runs.c.error != "").group_by(feed_runs.c.source)
    query = select(feed_runs.c.source, feed_runs.c.finished_at, feed_runs.c.error).where(feed_runs.c.id.in_(newest))
    return {row.source: (row.finished_at, row.error) for row in connection.execute(query)}


def recent(connection: Connection, source: str, limit: int) -> list[FeedRun]:
    """Return the last `limit` runs of `source`, newest first."""
    query = select(*COLUMNS).where(feed_runs.c.source == source).order_by(feed_runs.c.id.desc()).limit(limit)
    return [_run(row) for row in connection.execute(query)]


def forget(connection: Connection, before: datetime) -> int:
    """Delete the runs that ended before `before`, but of each source the last of each outcome; return how many."""
    last = select(func.max(feed_runs.c.id)).group_by(feed_runs.c.source, feed_runs.c.outcome)
    old = delete(feed_runs).where(feed_runs.c.finished_at < before, feed_runs.c.id.not_in(last))
    return connection.execute(old).rowcount


def _run(row: Row[Any]) -> FeedRun:
    values = dict(row._mapping)
    return FeedRun(**{**values, "rejected": json.loads(values["rejected"])})
