"""How scores were turned into recurrence intervals, each calibration under the hash of its baseline. I/O."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, select

from aggregator.detect.calibrate import Calibration
from aggregator.store.schema import calibrations
from aggregator.store.select import upsert


def save(connection: Connection, made_at: datetime, calibration: Calibration) -> None:
    """Keep a calibration; one of the same baseline is replaced."""
    new = upsert(connection, calibrations)
    values = {"baseline": calibration.baseline, "made_at": made_at, "content": calibration.to_json()}
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["baseline"], set_={"made_at": new.excluded.made_at, "content": new.excluded.content}
        ),
        values,
    )


def load(connection: Connection, at: datetime) -> Calibration | None:
    """Return the newest calibration made at or before `at`."""
    c = calibrations.c
    query = select(c.content).where(c.made_at <= at).order_by(c.made_at.desc()).limit(1)
    content = connection.execute(query).scalar()
    return Calibration.from_json(content) if content else None


def made_at(connection: Connection) -> datetime | None:
    """Return when the newest calibration was made, None if there is none."""
    c = calibrations.c
    return connection.execute(select(c.made_at).order_by(c.made_at.desc()).limit(1)).scalar()
