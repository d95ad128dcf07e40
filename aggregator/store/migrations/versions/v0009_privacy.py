"""Keys of the days, and what was said about comments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "day_keys",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "comment_marks",
        sa.Column("report_id", PlainText(), nullable=False),
        sa.Column("complaints", sa.Integer(), nullable=False),
        sa.Column("complained_at", UtcTime(), nullable=True),
        sa.Column("reason", PlainText(), nullable=False),
        sa.Column("hidden_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("report_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("comment_marks_by_time", "comment_marks", ["complained_at"], unique=False)
