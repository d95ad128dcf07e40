"""The tables of what is told: subscriptions, changes to tell, deliveries and each attempt at one."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, Table

from aggregator.store.columns import PlainText, metadata, text_column, time_column

# Of an e-mail subscription the address is erased when it ends; one that nobody confirms is deleted.
subscriptions = Table(
    "subscriptions",
    metadata,
    text_column("subscription_id", key=True),
    text_column("channel"),
    text_column("target"),
    text_column("provider"),
    text_column("region"),
    text_column("threshold"),
    text_column("language"),
    time_column("created_at"),
    time_column("confirmed_at", nullable=True),
    time_column("ended_at", nullable=True),
    text_column("ended_why"),
    Column("private", Boolean, nullable=False),
    Index("subscriptions_by_target", "target"),
)

# Written with the transition, in its transaction. spread_at NULL: its deliveries are not written yet.
changes = Table(
    "changes",
    metadata,
    text_column("change_id", key=True),
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), nullable=False),
    time_column("at"),
    text_column("kind"),
    time_column("spread_at", nullable=True),
    Index("changes_to_spread", "spread_at", "at"),
    Index("changes_of_an_incident", "incident_id", "at"),
)

# One change to one subscriber, once: that is the key. claimed_by: the worker that has it, until claimed_until.
deliveries = Table(
    "deliveries",
    metadata,
    text_column("change_id", key=True),
    Column("subscription_id", PlainText, ForeignKey("subscriptions.subscription_id"), primary_key=True),
    time_column("queued_at"),
    text_column("status"),
    Column("attempts", Integer, nullable=False),
    time_column("next_at"),
    text_column("claimed_by"),
    time_column("claimed_until", nullable=True),
    time_column("done_at", nullable=True),
    Index("deliveries_due", "status", "next_at"),
    Index("deliveries_of_a_subscription", "subscription_id", "queued_at"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    text_column("subscription_id"),
    text_column("change_id"),
    time_column("at"),
    Column("seconds", Float, nullable=False),
    Column("code", Integer, nullable=False),
    text_column("detail"),
    Index("delivery_attempts_of_a_subscription", "subscription_id", "at"),
)

# When an address was last asked to confirm, as keyed hashes and for an hour: nobody is flooded in a stranger's name.
confirmations = Table(
    "confirmations",
    metadata,
    text_column("address_hash", key=True),
    text_column("block_hash"),
    time_column("asked_at"),
    Index("confirmations_by_time", "asked_at"),
)
