"""The tables of the store. Times: INTEGER microseconds since the epoch on SQLite, TIMESTAMPTZ on PostgreSQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    false,
    literal_column,
)

from aggregator.store.alert_tables import changes as changes  # noqa: PLC0414 - with it the other tables of what is told
from aggregator.store.columns import EPOCH as EPOCH  # noqa: PLC0414 - migrations and rooms find it here
from aggregator.store.columns import MICROSECOND as MICROSECOND  # noqa: PLC0414
from aggregator.store.columns import PlainText as PlainText  # noqa: PLC0414
from aggregator.store.columns import UtcTime as UtcTime  # noqa: PLC0414
from aggregator.store.columns import metadata as metadata  # noqa: PLC0414
from aggregator.store.columns import text_column as _text
from aggregator.store.columns import time_column as _time
from aggregator.store.feed_tables import feed_runs as feed_runs  # noqa: PLC0414 - with it the other tables of feeds
from aggregator.store.lease_tables import leases as leases  # noqa: PLC0414
from aggregator.store.privacy_tables import day_keys as day_keys  # noqa: PLC0414 - with it what is kept of persons
from aggregator.store.record_tables import ends as ends  # noqa: PLC0414 - with it the other tables of what people say
from aggregator.store.work_tables import job_totals as job_totals  # noqa: PLC0414 - with it the sums of sources

# The key is the order in which reports are paged. On PostgreSQL, where each day of received_at is a partition, the key
# is (region, received_at, report_id), and an index gives the order of the pages.
reports = Table(
    "reports",
    metadata,
    _time("observed_at", key=True),
    _text("report_id", key=True),
    _text("source"),
    _text("reporter"),
    _text("block"),
    _text("provider"),
    _text("service"),
    _text("symptom"),
    _text("region"),
    _text("plz"),
    _text("place_source"),
    Column("lat", Float),
    Column("lon", Float),
    _time("began_at", nullable=True),
    _time("received_at"),
    Column("counted", Boolean, nullable=False),
    _time("gone_at", nullable=True),  # edited or deleted by its source since then
    Index("reports_of_a_stream", "provider", "service", "observed_at"),
    # What came by the form is found by its id: who sent it comes back to it.
    Index(
        "reports_of_the_form",
        "report_id",
        sqlite_where=literal_column("source = 'form'"),
        postgresql_where=literal_column("source = 'form'"),
    ),
    Index("reports_by_time", "observed_at", "report_id").ddl_if(dialect="postgresql"),
    postgresql_partition_by="RANGE (received_at)",
)

# What people wrote. Apart from the reports, so that nothing that reads reports can give it on by mistake.
comments = Table("comments", metadata, _text("report_id", key=True), _text("comment"), sqlite_with_rowid=False)

# Every report id ever taken, kept when the report itself is gone: it makes each taking idempotent.
seen = Table("seen", metadata, _text("report_id", key=True), sqlite_with_rowid=False)

# When a reporter was counted: what the six-hour rule is decided by. The span (six hours each, numbered from the epoch)
# leads the key, so that what is written and asked for together lies together.
reporters = Table(
    "reporters",
    metadata,
    Column("span", Integer, primary_key=True),
    _text("reporter", key=True),
    _text("provider", key=True),
    _text("service", key=True),
    _time("observed_at", key=True),
    sqlite_with_rowid=False,
)

cube = Table(
    "cube",
    metadata,
    _text("region", key=True),
    _time("bucket", key=True),
    _text("provider", key=True),
    _text("service", key=True),
    _text("source", key=True),
    Column("count", Integer, nullable=False),
    Index("cube_by_bucket", "bucket"),
    sqlite_with_rowid=False,
)

listening = Table(
    "listening",
    metadata,
    _text("source", key=True),
    _time("bucket", key=True),
    Column("share", Float, nullable=False),
    Index("listening_by_bucket", "bucket"),
    sqlite_with_rowid=False,
)

# Each interval heard, and when we knew that (NULL: as it happened): from these the share as of a moment is counted.
heard = Table(
    "heard",
    metadata,
    Column("id", Integer, primary_key=True),
    _text("source"),
    _time("listened_from"),
    _time("listened_until"),
    _time("known_at", nullable=True),
    Index("heard_by_until", "listened_until"),
)


def _incident_columns() -> list[Column[Any]]:
    return [
        _text("provider"),
        _text("service"),
        _text("providers"),  # JSON list
        _text("pattern"),
        _text("scope"),
        _text("regions"),  # JSON list, sorted
        _time("onset"),
        _time("onset_earliest"),
        _time("onset_latest"),
        _time("first_alarm_at"),
        _time("ended_at", nullable=True),
        _text("state"),
        Column("reports", Integer, nullable=False),
        Column("expected", Float, nullable=False),
        Column("relative_risk", Float),
        Column("score", Float, nullable=False),
        Column("recurrence_weeks", Float),
        Column("peak_ratio", Float, nullable=False),
        Column("cold", Boolean, nullable=False),
        Column("standard", Float, nullable=False, server_default="0"),
        Column("height", Float, nullable=False, server_default="0"),
        Column("level", PlainText, nullable=False, server_default="district"),
        Column("held", Boolean, nullable=False, server_default=false()),
        Column("calibrated", Boolean, nullable=False, server_default=false()),
        Column("spread", Float, nullable=False, server_default="1"),
    ]


incidents = Table(
    "incidents",
    metadata,
    _text("incident_id", key=True),
    _time("updated_at"),
    *_incident_columns(),
    Index("incidents_by_onset", "onset"),
)

# What was shown when: one row each time an incident was looked at.
incident_versions = Table(
    "incident_versions",
    metadata,
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), primary_key=True),
    _time("updated_at", key=True),
    *_incident_columns(),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), nullable=False),
    _time("at"),
    _text("state"),
    Column("observed", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("score", Float, nullable=False),
    _text("note"),
    Index("transitions_of_an_incident", "incident_id", "at"),
)

ticks = Table("ticks", metadata, _time("at", key=True))

hotspots = Table(
    "hotspots",
    metadata,
    Column("at", UtcTime, ForeignKey("ticks.at"), primary_key=True),
    Column("rank", Integer, primary_key=True),
    _text("provider"),
    _text("service"),
    _text("zone"),
    _text("regions"),  # JSON list
    Column("start_at", UtcTime, nullable=False),
    Column("end_at", UtcTime, nullable=False),
    Column("observed", Integer, nullable=False),
    Column("expected", Float, nullable=False),
    Column("score", Float, nullable=False),
    Column("standard", Float, nullable=False, server_default="0"),
    Column("level", PlainText, nullable=False, server_default="district"),
)

# How scores turn into recurrence intervals, each made from the baseline of that hash.
calibrations = Table(
    "calibrations",
    metadata,
    _text("baseline", key=True),
    _time("made_at"),
    _text("content"),  # JSON
)

# Many reports that share an address block or a text, and were left out of the counts in the look of that time.
floods = Table(
    "floods",
    metadata,
    _time("at", key=True),
    _text("provider", key=True),
    _text("service", key=True),
    _text("kind", key=True),
    Column("reports", Integer, nullable=False),
)

# What the score of an incident stood on when it was given: everything that is needed to do the sum again.
evidence = Table(
    "evidence",
    metadata,
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), primary_key=True),
    _time("at", key=True),
    Column("content", LargeBinary, nullable=False),
)

# How many persons reported an incident from where: in steps, from three on, kept when the reports have no PLZ any more.
postcodes = Table(
    "postcodes",
    metadata,
    Column("incident_id", PlainText, ForeignKey("incidents.incident_id"), primary_key=True),
    _text("plz", key=True),
    Column("persons", Integer, nullable=False),
)

statements = Table(
    "statements",
    metadata,
    _text("statement_id", key=True),
    _text("provider"),
    _text("service"),
    _time("said_at"),
    _text("quote"),
    _text("stance"),
    _text("channel"),
    _text("source"),
    _text("link"),
    Column("own_words", Boolean, nullable=False),
    Column("assumed_time", Boolean, nullable=False),
    _time("received_at", nullable=True),
    _time("expected_end", nullable=True),
    Column("incident_id", PlainText, nullable=False, server_default=""),
    Column("enquiry_id", PlainText, nullable=False, server_default=""),
    Index("statements_by_time", "said_at"),
)

# Measurements and counts of others. One that changes is a new row: as_of shows what it said then.
signals = Table(
    "signals",
    metadata,
    _text("signal_id", key=True),
    _time("received_at", key=True),
    _text("source"),
    _text("provider"),
    _text("region"),
    _time("started_at"),
    _time("ended_at", nullable=True),
    _text("what"),
    Column("value", Float),
    _text("link"),
    _text("details"),  # JSON
    Index("signals_by_time", "started_at"),
)

# What a Nominatim server said of places that the gazetteer lacks; region "": it knows none in Germany either.
geocoded = Table(
    "geocoded",
    metadata,
    _text("query", key=True),
    _text("region"),
    _time("asked_at"),
)

baselines = Table(
    "baselines", metadata, Column("day", Date, primary_key=True), Column("blob", LargeBinary, nullable=False)
)

provider_names = Table("provider_names", metadata, _text("id", key=True), _text("name"))

meta = Table("meta", metadata, _text("name", key=True), _text("value"))
