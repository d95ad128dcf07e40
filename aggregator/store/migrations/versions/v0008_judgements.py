"""What persons found that alarms were."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "judgements",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("outcome", PlainText(), nullable=False),
        sa.Column("text", PlainText(), nullable=False),
        sa.Column("author", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("judgements_of_an_incident", "judgements", ["incident_id", "at"], unique=False)
