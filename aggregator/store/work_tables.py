"""The tables of how the work goes: what each source brought in all, how long each job took."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Table

from aggregator.store.columns import metadata, text_column, time_column

# A row a source: sums that are added to with each hearing, so that nobody has to count all hearings.
source_totals = Table(
    "source_totals",
    metadata,
    text_column("source", key=True),
    time_column("heard_at", nullable=True),  # when it last answered
    Column("kept", BigInteger, nullable=False),
    Column("duplicate", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    Column("hearings", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
)

# A row a job of the worker: how it went last and in all.
job_totals = Table(
    "job_totals",
    metadata,
    text_column("job", key=True),
    time_column("ended_at"),
    Column("seconds", Float, nullable=False),  # the last time
    Column("all_seconds", Float, nullable=False),
    Column("runs", BigInteger, nullable=False),
    Column("failures", BigInteger, nullable=False),
)
