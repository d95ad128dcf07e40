"""The tables of the feeds: how they were heard, what their stanzas say, what could not be taken."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, LargeBinary, Table

from aggregator.store.columns import metadata, text_column, time_column

feed_runs = Table(
    "feed_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("source"),
    time_column("started_at"),
    time_column("finished_at"),
    text_column("outcome"),
    text_column("kind"),
    time_column("listened_from", nullable=True),
    time_column("listened_until", nullable=True),
    Column("fetched", Integer, nullable=False),
    Column("kept", Integer, nullable=False),
    Column("duplicate", Integer, nullable=False),
    text_column("rejected"),  # JSON: reason -> count
    text_column("error"),
    time_column("gap_from", nullable=True),  # from then until listened_from nobody listened: what came then may be lost
    Index("feed_runs_of_a_source", "source", "finished_at"),
)

# The feeds as their stanzas described them last: what of a source may be given on belongs to what is stored of it.
sources = Table(
    "sources",
    metadata,
    text_column("name", key=True),
    text_column("kind"),
    text_column("format"),
    Column("enabled", Boolean, nullable=False),
    Column("every", Float, nullable=False),  # seconds
    text_column("licence"),
    text_column("republish"),
    text_column("note"),
    text_column("covers"),  # JSON list of providers
)

# How a feed has gone since it last went well. No row: it goes well.
feed_states = Table(
    "feed_states",
    metadata,
    text_column("source", key=True),
    Column("failures", Integer, nullable=False),
    time_column("failing_since"),
    time_column("not_before"),
)

# ETag and Last-Modified of what is stored already. `form`: how it was read; read otherwise, it is fetched again.
validators = Table(
    "validators",
    metadata,
    text_column("source", key=True),
    text_column("url", key=True),
    text_column("form"),
    text_column("etag"),
    text_column("last_modified"),
)

# What could not be read, redacted and for seven days, to be read again after a mend.
payloads = Table(
    "payloads",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("source"),
    time_column("received_at"),
    text_column("print"),  # of the content, so that the same is kept once
    text_column("error"),
    Column("body", LargeBinary, nullable=False),  # zlib of JSON: a list of text and hints
    Column("whole", Boolean, nullable=False),  # False: cut at the cap
    Index("payloads_of_a_source", "source", "received_at"),
)

# Items that were rejected, redacted and for 30 days, to be taken again after a mend.
quarantine = Table(
    "quarantine",
    metadata,
    text_column("item_id", key=True),
    text_column("source"),
    time_column("received_at"),
    text_column("reason"),
    text_column("field"),
    text_column("detail"),
    text_column("shape"),  # raw, statement or signal; "item": as the parser had it
    text_column("item"),  # JSON
    Index("quarantine_of_a_source", "source", "received_at"),
)

# What the items of feeds with keys were when they were taken last: how an edit, a deletion, a new number is told.
versions = Table(
    "versions",
    metadata,
    text_column("report_id", key=True),
    text_column("current_id"),
    time_column("observed_at"),
    Column("number", Integer, nullable=False),
    text_column("print"),
    Index("versions_by_print", "print"),
    Index("versions_by_time", "observed_at"),
    sqlite_with_rowid=False,
)
