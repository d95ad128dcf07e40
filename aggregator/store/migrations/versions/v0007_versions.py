"""Items that their feeds edit, delete or give other numbers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and when a report was taken back."""
    op.add_column("reports", sa.Column("gone_at", UtcTime(), nullable=True))
    op.create_table(
        "versions",
        sa.Column("report_id", PlainText(), nullable=False),
        sa.Column("current_id", PlainText(), nullable=False),
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("print", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("report_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("versions_by_print", "versions", ["print"], unique=False)
    op.create_index("versions_by_time", "versions", ["observed_at"], unique=False)
