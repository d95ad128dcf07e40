"""Answers of a Nominatim server, kept so that it is asked once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "geocoded",
        sa.Column("query", PlainText(), nullable=False),
        sa.Column("region", PlainText(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("query"),
    )
