"""Words of people: ends of reports, statements with an expected end, enquiries, corrections, tokens."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, and the new columns of statements."""
    _ends()
    _said()
    _corrected()


def _ends() -> None:
    of_the_form: sa.ColumnClause[bool] = sa.literal_column("source = 'form'")
    op.create_index(
        "reports_of_the_form", "reports", ["report_id"], sqlite_where=of_the_form, postgresql_where=of_the_form
    )
    op.create_table(
        "ends",
        sa.Column("report_id", PlainText(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("report_id"),
        sqlite_with_rowid=False,
    )


def _said() -> None:
    op.add_column("statements", sa.Column("expected_end", UtcTime(), nullable=True))
    for name in ("incident_id", "enquiry_id"):
        op.add_column("statements", sa.Column(name, PlainText(), nullable=False, server_default=""))
    op.create_table(
        "enquiries",
        sa.Column("enquiry_id", PlainText(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("enquiry_id"),
    )
    op.create_index("enquiries_of_an_incident", "enquiries", ["incident_id"], unique=False)


def _corrected() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("text", PlainText(), nullable=False),
        sa.Column("author", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("corrections_of_an_incident", "corrections", ["incident_id", "at"], unique=False)
    op.create_table(
        "tokens",
        sa.Column("token_id", PlainText(), nullable=False),
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("scopes", PlainText(), nullable=False),
        sa.Column("hash", PlainText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("revoked_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("token_id"),
    )
