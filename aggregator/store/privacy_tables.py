"""The tables of what is kept of persons for a while: the keys of the days, and what was said about their comments."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, LargeBinary, Table

from aggregator.store.columns import metadata, text_column, time_column

# What the persons of a day (UTC) are hashed with. Thrown away soon after it: then nothing leads back to an address.
day_keys = Table(
    "day_keys",
    metadata,
    Column("day", Date, primary_key=True),
    Column("key", LargeBinary, nullable=False),
)

# Comments that readers complained about or that were hidden. Apart from the comments, so that these stay what they are.
comment_marks = Table(
    "comment_marks",
    metadata,
    text_column("report_id", key=True),
    Column("complaints", Integer, nullable=False),
    time_column("complained_at", nullable=True),  # the last time
    text_column("reason"),  # of the last complaint
    time_column("hidden_at", nullable=True),
    Index("comment_marks_by_time", "complained_at"),
    sqlite_with_rowid=False,
)
