"""Signals: what others measured and counted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signals",
        sa.Column("signal_id", PlainText(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("region", PlainText(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("what", PlainText(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("link", PlainText(), nullable=False),
        sa.Column("details", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("signal_id", "received_at"),
    )
    op.create_index("signals_by_time", "signals", ["started_at"], unique=False)
