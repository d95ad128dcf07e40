"""The first schema: reports and their cube, what was heard, what was found, what was said."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op

from aggregator.store.schema import PlainText, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table."""
    _reports()
    _hearing()
    _findings()
    _the_rest()


def _reports() -> None:
    partitioned = op.get_bind().dialect.name == "postgresql"
    key = ("region", "received_at", "report_id") if partitioned else ("observed_at", "report_id")
    op.create_table(
        "reports",
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.Column("report_id", PlainText(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("reporter", PlainText(), nullable=False),
        sa.Column("block", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("symptom", PlainText(), nullable=False),
        sa.Column("region", PlainText(), nullable=False),
        sa.Column("plz", PlainText(), nullable=False),
        sa.Column("place_source", PlainText(), nullable=False),
        sa.Column("lat", sa.Float(), nullable=True),
        sa.Column("lon", sa.Float(), nullable=True),
        sa.Column("began_at", UtcTime(), nullable=True),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint(*key),
        postgresql_partition_by="RANGE (received_at)",
    )
    if partitioned:
        op.create_index("reports_by_time", "reports", ["observed_at", "report_id"], unique=False)
    op.create_index("reports_of_a_stream", "reports", ["provider", "service", "observed_at"], unique=False)
    op.create_table(
        "comments",
        sa.Column("report_id", PlainText(), nullable=False),
        sa.Column("comment", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("report_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "seen",
        sa.Column("report_id", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("report_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "reporters",
        sa.Column("span", sa.Integer(), nullable=False),
        sa.Column("reporter", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("observed_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("span", "reporter", "provider", "service", "observed_at"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "cube",
        sa.Column("region", PlainText(), nullable=False),
        sa.Column("bucket", UtcTime(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("region", "bucket", "provider", "service", "source"),
        sqlite_with_rowid=False,
    )
    op.create_index("cube_by_bucket", "cube", ["bucket"], unique=False)


def _hearing() -> None:
    op.create_table(
        "listening",
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("bucket", UtcTime(), nullable=False),
        sa.Column("share", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("source", "bucket"),
        sqlite_with_rowid=False,
    )
    op.create_index("listening_by_bucket", "listening", ["bucket"], unique=False)
    op.create_table(
        "heard",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("listened_from", UtcTime(), nullable=False),
        sa.Column("listened_until", UtcTime(), nullable=False),
        sa.Column("known_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("heard_by_until", "heard", ["listened_until"], unique=False)
    op.create_table(
        "feed_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("finished_at", UtcTime(), nullable=False),
        sa.Column("outcome", PlainText(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("listened_from", UtcTime(), nullable=True),
        sa.Column("listened_until", UtcTime(), nullable=True),
        sa.Column("fetched", sa.Integer(), nullable=False),
        sa.Column("kept", sa.Integer(), nullable=False),
        sa.Column("duplicate", sa.Integer(), nullable=False),
        sa.Column("rejected", PlainText(), nullable=False),
        sa.Column("error", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("feed_runs_of_a_source", "feed_runs", ["source", "finished_at"], unique=False)


def _findings() -> None:
    op.create_table(
        "incidents",
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("providers", PlainText(), nullable=False),
        sa.Column("pattern", PlainText(), nullable=False),
        sa.Column("scope", PlainText(), nullable=False),
        sa.Column("regions", PlainText(), nullable=False),
        sa.Column("onset", UtcTime(), nullable=False),
        sa.Column("onset_earliest", UtcTime(), nullable=False),
        sa.Column("onset_latest", UtcTime(), nullable=False),
        sa.Column("first_alarm_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("state", PlainText(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("relative_risk", sa.Float(), nullable=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("recurrence_weeks", sa.Float(), nullable=True),
        sa.Column("peak_ratio", sa.Float(), nullable=False),
        sa.Column("cold", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id"),
    )
    op.create_index("incidents_by_onset", "incidents", ["onset"], unique=False)
    op.create_table(
        "incident_versions",
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("providers", PlainText(), nullable=False),
        sa.Column("pattern", PlainText(), nullable=False),
        sa.Column("scope", PlainText(), nullable=False),
        sa.Column("regions", PlainText(), nullable=False),
        sa.Column("onset", UtcTime(), nullable=False),
        sa.Column("onset_earliest", UtcTime(), nullable=False),
        sa.Column("onset_latest", UtcTime(), nullable=False),
        sa.Column("first_alarm_at", UtcTime(), nullable=False),
        sa.Column("ended_at", UtcTime(), nullable=True),
        sa.Column("state", PlainText(), nullable=False),
        sa.Column("reports", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("relative_risk", sa.Float(), nullable=True),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("recurrence_weeks", sa.Float(), nullable=True),
        sa.Column("peak_ratio", sa.Float(), nullable=False),
        sa.Column("cold", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.incident_id"],
        ),
        sa.PrimaryKeyConstraint("incident_id", "updated_at"),
    )
    op.create_table(
        "transitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("state", PlainText(), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("note", PlainText(), nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"],
            ["incidents.incident_id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("transitions_of_an_incident", "transitions", ["incident_id", "at"], unique=False)
    at: sa.Column[datetime] = sa.Column("at", UtcTime(), nullable=False, autoincrement=False)
    op.create_table("ticks", at, sa.PrimaryKeyConstraint("at"))
    op.create_table(
        "hotspots",
        sa.Column("at", UtcTime(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("zone", PlainText(), nullable=False),
        sa.Column("regions", PlainText(), nullable=False),
        sa.Column("start_at", UtcTime(), nullable=False),
        sa.Column("end_at", UtcTime(), nullable=False),
        sa.Column("observed", sa.Integer(), nullable=False),
        sa.Column("expected", sa.Float(), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(
            ["at"],
            ["ticks.at"],
        ),
        sa.PrimaryKeyConstraint("at", "rank"),
    )


def _the_rest() -> None:
    op.create_table(
        "statements",
        sa.Column("statement_id", PlainText(), nullable=False),
        sa.Column("provider", PlainText(), nullable=False),
        sa.Column("service", PlainText(), nullable=False),
        sa.Column("said_at", UtcTime(), nullable=False),
        sa.Column("quote", PlainText(), nullable=False),
        sa.Column("stance", PlainText(), nullable=False),
        sa.Column("channel", PlainText(), nullable=False),
        sa.Column("source", PlainText(), nullable=False),
        sa.Column("link", PlainText(), nullable=False),
        sa.Column("own_words", sa.Boolean(), nullable=False),
        sa.Column("assumed_time", sa.Boolean(), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("statement_id"),
    )
    op.create_index("statements_by_time", "statements", ["said_at"], unique=False)
    op.create_table(
        "baselines",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("blob", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day"),
    )
    op.create_table(
        "provider_names",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("name", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "meta",
        sa.Column("name", PlainText(), nullable=False),
        sa.Column("value", PlainText(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
