"""Feeds: what their stanzas say, how they go, what could not be read or was rejected."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the gap of a run."""
    op.add_column("feed_runs", sa.Column("gap_from", UtcTime(), nullable=True))
    op.create_table(
        "sources",
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("format", PlainText(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("every", sa.Float(), nullable=False),
        sa.Column("licence", PlainText(), nullable=False),
        sa.Column("republish", PlainText(), nullable=False),
        sa.Column("note", PlainText(), nullable=False),
        sa.Column("covers", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "feed_states",
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", UtcTime(), nullable=False),
        sa.Column("not_before", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "validators",
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("url", PlainText(), nullable=False),
        sa.Column("form", PlainText(), nullable=False),
        sa.Column("etag", PlainText(), nullable=False),
        sa.Column("last_modified", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("source", "url"),
    )
    _kept()


def _kept() -> None:
    op.create_table(
        "payloads",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("print", PlainText(), nullable=False),
        sa.Column("error", PlainText(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("payloads_of_a_source", "payloads", ["source", "received_at"], unique=False)
    op.create_table(
        "quarantine",
        sa.Column("item_id", PlainText(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("reason", PlainText(), nullable=False),
        sa.Column("field", PlainText(), nullable=False),
        sa.Column("detail", PlainText(), nullable=False),
        sa.Column("shape", PlainText(), nullable=False),
        sa.Column("item", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("item_id"),
    )
    op.create_index("quarantine_of_a_source", "quarantine", ["source", "received_at"], unique=False)
