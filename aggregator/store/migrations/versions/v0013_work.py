"""What each source brought in all, and how long the jobs of the worker take."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables, empty: sums begin now."""
    op.create_table(
        "source_totals",
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("heard_at", UtcTime(), nullable=True),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("kept", "duplicate", "rejected")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("hearings", "failures")),
        sa.PrimaryKeyConstraint("source"),
    )
    op.create_table(
        "job_totals",
        sa.Column("job", PlainText(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=False),
        *(sa.Column(name, sa.Float(), nullable=False) for name in ("seconds", "all_seconds")),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("runs", "failures")),
        sa.PrimaryKeyConstraint("job"),
    )
