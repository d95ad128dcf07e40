"""The table of the leases: which worker does which job, and when it was done last."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Table

from aggregator.store.columns import metadata, text_column, time_column

# Belongs to the processes that work on a database, not to what it holds: neither backed up nor moved. All times are
# those of the database's own clock. held_until in the past: nobody holds it.
leases = Table(
    "leases",
    metadata,
    text_column("name", key=True),
    text_column("holder"),
    Column("token", BigInteger, nullable=False),
    time_column("held_until"),
    time_column("begun_at"),
    time_column("done_at", nullable=True),
)
