"""The tables of what people put on record: ends of reports, enquiries, corrections, and tokens to write with."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table

from aggregator.store.columns import PlainText, metadata, text_column, time_column

# Word that something works again: apart from the reports, with a time of its own when we knew it.
ends = Table(
    "ends",
    metadata,
    text_column("report_id", key=True),
    time_column("ended_at"),
    time_column("received_at"),
    sqlite_with_rowid=False,
)

enquiries = Table(
    "enquiries",
    metadata,
    text_column("enquiry_id", key=True),
    text_column("incident_id"),
    text_column("provider"),
    time_column("asked_at"),
    time_column("received_at"),
    Index("enquiries_of_an_incident", "incident_id"),
)

# What a person took back or added. Append-only: the versions of an incident keep what was shown before.
corrections = Table(
    "corrections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), nullable=False),
    time_column("at"),
    text_column("kind"),
    text_column("text"),
    text_column("author"),
    Index("corrections_of_an_incident", "incident_id", "at"),
)

# What a person entered as a provider's words and took back: it stays where it stood, struck through, with the reason.
withdrawn_statements = Table(
    "withdrawn_statements",
    metadata,
    Column("statement_id", PlainText, ForeignKey("statements.statement_id"), primary_key=True, nullable=False),
    time_column("at"),
    text_column("text"),
    text_column("author"),
)

# What a person found that an alarm was. Append-only: the last one holds.
judgements = Table(
    "judgements",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), nullable=False),
    time_column("at"),
    text_column("outcome"),
    text_column("text"),
    text_column("author"),
    Index("judgements_of_an_incident", "incident_id", "at"),
)

# Of a token only the hash of its secret is kept.
tokens = Table(
    "tokens",
    metadata,
    text_column("token_id", key=True),
    text_column("name"),
    text_column("scopes"),  # JSON list
    text_column("hash"),
    time_column("created_at"),
    time_column("revoked_at", nullable=True),
)
