"""Subscriptions, changes to tell, deliveries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "subscriptions",
        sa.Column("subscription_id", PlainText(), nullable=False),
        sa.Column("channel", PlainText(), nullable=False),
        sa.Column("target", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("region", PlainText(), nullable=False),
        sa.Column("threshold", PlainText(), nullable=False),
        sa.Column("language", PlainText(), nullable=False),
        sa.Column("created_at", UtcTime(), nullable=False),
        sa.Column("confirmed_at", UtcTime(), nullable=True),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("ended_why", PlainText(), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("subscription_id"),
    )
    op.create_index("subscriptions_by_target", "subscriptions", ["target"], unique=False)
    op.create_table(
        "changes",
        sa.Column("change_id", PlainText(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("spread_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["incident_id"], ["incidents.incident_id"]),
        sa.PrimaryKeyConstraint("change_id"),
    )
    op.create_index("changes_to_spread", "changes", ["spread_at", "at"], unique=False)
    op.create_index("changes_of_an_incident", "changes", ["incident_id", "at"], unique=False)
    op.create_table(
        "deliveries",
        sa.Column("change_id", PlainText(), nullable=False),
        sa.Column("subscription_id", PlainText(), nullable=False),
        sa.Column("queued_at", UtcTime(), nullable=False),
        sa.Column("status", PlainText(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", UtcTime(), nullable=False),
        sa.Column("claimed_by", PlainText(), nullable=False),
        sa.Column("claimed_until", UtcTime(), nullable=True),
        sa.Column("done_at", UtcTime(), nullable=True),
        sa.ForeignKeyConstraint(["subscription_id"], ["subscriptions.subscription_id"]),
        sa.PrimaryKeyConstraint("change_id", "subscription_id"),
    )
    op.create_index("deliveries_due", "deliveries", ["status", "next_at"], unique=False)
    op.create_index("deliveries_of_a_subscription", "deliveries", ["subscription_id", "queued_at"], unique=False)
    op.create_table(
        "delivery_attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("subscription_id", PlainText(), nullable=False),
        sa.Column("change_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("code", sa.Integer(), nullable=False),
        sa.Column("detail", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("delivery_attempts_of_a_subscription", "delivery_attempts", ["subscription_id", "at"], unique=False)
    op.create_table(
        "confirmations",
        sa.Column("address_hash", PlainText(), nullable=False),
        sa.Column("block_hash", PlainText(), nullable=False),
        sa.Column("asked_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("address_hash"),
    )
    op.create_index("confirmations_by_time", "confirmations", ["asked_at"], unique=False)
