"""How the work goes, in sums that are cheap to read: sources, jobs, incidents. I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, func, select
from sqlalchemy.sql.dml import Insert

from aggregator.model import FeedRun
from aggregator.store.schema import incidents
from aggregator.store.select import upsert
from aggregator.store.work_tables import job_totals, source_totals

HEARD = ("ok", "not_modified")


@dataclass(frozen=True, slots=True)
class SourceTotals:
    """What a source brought since these sums began; heard_at: when it last answered."""

    heard_at: datetime | None
    kept: int
    duplicate: int
    rejected: int
    hearings: int
    failures: int


@dataclass(frozen=True, slots=True)
class JobTotals:
    """How a job went: when it ended last, how long it took, in all, how often, how often it failed."""

    ended_at: datetime
    seconds: float
    all_seconds: float
    runs: int
    failures: int


def heard(connection: Connection, run: FeedRun) -> None:
    """Add a hearing to the sums of its source."""
    good = run.outcome in HEARD
    row = {"source": run.source, "heard_at": run.finished_at if good else None, "kept": run.kept,
           "duplicate": run.duplicate, "rejected": sum(run.rejected.values()), "hearings": 1,
           "failures": int(not good)}  # fmt: skip
    _add(connection, source_totals, "source", row, ("heard_at",))


def done(connection: Connection, job: str, ended_at: datetime, seconds: float, *, failed: bool) -> None:
    """Add a run of a job to its sums."""
    row = {"job": job, "ended_at": ended_at, "seconds": seconds, "all_seconds": seconds, "runs": 1,
           "failures": int(failed)}  # fmt: skip
    _add(connection, job_totals, "job", row, ("ended_at", "seconds"))


def _add(connection: Connection, table: Table, key: str, row: Mapping[str, Any], last: tuple[str, ...]) -> None:
    """Add to a row, or make it; of the columns in `last` the new value counts, unless it is none."""
    new = upsert(connection, table)
    change = {name: table.c[name] + new.excluded[name] for name in row if name not in (key, *last)}
    change |= {name: func.coalesce(new.excluded[name], table.c[name]) for name in last}
    statement: Insert = new.on_conflict_do_update(index_elements=[key], set_=change)
    connection.execute(statement, row)


def sources(connection: Connection) -> dict[str, SourceTotals]:
    """Return the sums by source."""
    rows = connection.execute(select(*source_totals.c).order_by(source_totals.c.source))
    return {row.source: SourceTotals(*row[1:]) for row in rows}


def jobs(connection: Connection) -> dict[str, JobTotals]:
    """Return the sums by job."""
    rows = connection.execute(select(*job_totals.c).order_by(job_totals.c.job))
    return {row.job: JobTotals(*row[1:]) for row in rows}


def going_on(connection: Connection) -> dict[str, int]:
    """Return how many incidents have not ended, by state."""
    c = incidents.c
    query = select(c.state, func.count()).where(c.ended_at.is_(None)).group_by(c.state)
    return {str(state): int(number) for state, number in connection.execute(query)}
