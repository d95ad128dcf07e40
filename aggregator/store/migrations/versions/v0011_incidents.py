"""How far the counts of incidents scatter, the postcodes of their reports, and statements that were taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the column in both tables of incidents."""
    for table in ("incidents", "incident_versions"):
        op.add_column(table, sa.Column("spread", sa.Float(), nullable=False, server_default="1"))
    op.create_table(
        "postcodes",
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("plz", PlainText(), nullable=False),
        sa.Column("persons", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
        sa.PrimaryKeyConstraint("incident_id", "plz"),
    )
    op.create_table(
        "withdrawn_statements",
        sa.Column("statement_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("text", PlainText(), nullable=False),
        sa.Column("author", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["statement_id"], ["statements.statement_id"]),
        sa.PrimaryKeyConstraint("statement_id"),
    )
