"""/api/v1/health: does it live, is it ready, and what is not as it should be. I/O."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, jsonify, make_response, request

from aggregator.detect.calibrate import ANEW_AFTER
from aggregator.errors import StoreError
from aggregator.export.table import iso
from aggregator.store import Connection, baselines, calibrations, incidents, outbox, runs, work
from aggregator.store.checkup import file_of
from aggregator.web.desk import desk, instance
from aggregator.web.params import Invalid
from aggregator.web.timely import LATE, last_look

SLOW: Final = 60.0  # seconds of a tick: then the next is due already
OLD: Final = ANEW_AFTER + timedelta(days=2)
LEAST_SPACE: Final = 200_000_000  # bytes
PROBES: Final = ("", "live", "ready")
AGAIN: Final = "10"  # seconds
HEARD: Final = frozenset({"ok", "not_modified"})
blueprint = Blueprint("wellbeing", __name__)


@blueprint.get("/api/v1/health")
def health() -> Response:
    """Say how it is; 503 only where the store does not answer.

    probe=live: whether this process answers, without asking the store; probe=ready: whether it can serve readers.
    """
    probe = request.args.get("probe", "")
    if probe not in PROBES:
        raise Invalid({"probe": "Must be live or ready, or left out."})
    if probe == "live":
        return _open(jsonify(status="live"))
    running = instance()
    now = running.clock.now()
    try:
        running.store.check_schema()
        if probe == "ready":
            return _open(jsonify(status="ready"))
        with running.store.read() as connection:
            reasons = [*_of_the_store(connection, now)]
            known = {
                "last_look": iso(incidents.last_look(connection, now)) or None,
                "feeds": len(runs.latest(connection)),
            }
    except StoreError as error:
        said = jsonify(status="failed", live=True, ready=False, errors={"store": _unnamed(error)})
        return _open(make_response(said, 503, {"Retry-After": AGAIN}))
    reasons += _of_the_house()
    state: dict[str, Any] = {"status": "degraded" if reasons else "ok", "live": True, "ready": True, "reasons": reasons}
    return _open(jsonify({**state, "now": iso(now), **known, "simulated": running.clock.simulated}))


def _open(response: Response) -> Response:
    """Let pages of others read it, and nobody keep it."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "no-store"
    return response


def _of_the_store(connection: Connection, now: datetime) -> Iterator[str]:
    """Yield what the store tells: feeds, detection, alerts, thresholds; a sentence each."""
    latest = runs.latest(connection)
    yield from (f"feed {run.source}: {run.outcome}" for run in latest.values() if run.outcome not in HEARD)
    if last_look(connection, now).late:
        yield "detection has not looked for 15 minutes"
    tick = work.jobs(connection).get("refresh")
    if tick and tick.seconds > SLOW:
        yield f"the last look of detection took {tick.seconds:.0f} seconds"
    if instance().clock.simulated:
        return  # it tells nobody, and has the thresholds of its scenario
    due_at = outbox.backlog(connection, now).due_at
    if due_at and now - due_at > LATE:
        yield "alerts are due for 15 minutes and not sent"
    made_at = calibrations.made_at(connection)
    if made_at and now - made_at > OLD and baselines.load(connection, now):
        yield f"the thresholds were calibrated {(now - made_at).days} days ago"


def _of_the_house() -> Iterator[str]:
    """Yield what this process sees: its writer, its disks, Redis."""
    running = instance()
    trouble = desk().intake.figures().trouble
    if trouble:
        yield f"reports are not stored: {trouble}"
    file = file_of(running.settings.database)
    folders = {running.settings.home, *([file.parent] if file else [])}
    if any(shutil.disk_usage(folder).free < LEAST_SPACE for folder in folders if folder.is_dir()):
        yield f"the disk has less than {LEAST_SPACE // 1_000_000} MB left"
    if desk().limits.trouble:
        yield desk().limits.trouble


def _unnamed(error: StoreError) -> str:
    """Return a sentence without the path or address of the database, which is in the log."""
    said = error.state or "the database cannot be used"
    return f"{said[0].upper()}{said[1:]}."
