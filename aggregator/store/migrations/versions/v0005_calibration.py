"""Calibrations, the evidence behind each score, and scores that can be compared between levels."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the new columns of incidents and hotspots."""
    for table in ("incidents", "incident_versions", "hotspots"):
        op.add_column(table, sa.Column("standard", sa.Float(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("level", PlainText(), nullable=False, server_default="district"))
    for table in ("incidents", "incident_versions"):
        op.add_column(table, sa.Column("height", sa.Float(), nullable=False, server_default="0"))
        op.add_column(table, sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
        op.add_column(table, sa.Column("calibrated", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "calibrations",
        sa.Column("baseline", PlainText(), nullable=False),
        sa.Column("made_at", UtcTime(), nullable=False),
        sa.Column("content", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("baseline"),
    )
    op.create_table(
        "evidence",
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
        sa.PrimaryKeyConstraint("incident_id", "at"),
    )
    op.create_table(
        "floods",
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("at", "provider", "service", "kind"),
    )
