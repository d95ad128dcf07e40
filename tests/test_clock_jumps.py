"""A clock that is set an hour ahead or back while everything runs: nothing is lost, nothing stands still."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apscheduler.schedulers.base
import pytest
from apscheduler.triggers.interval import IntervalTrigger
from flask.testing import FlaskClient

from aggregator.clock import SimulatedClock
from aggregator.instance import Instance, open_instance
from aggregator.model import Filter
from aggregator.refresh import Detection
from aggregator.settings import load_settings
from aggregator.store import cube, reports
from aggregator.web import create_app
from ingest.steadfast import SteadfastScheduler
from tests.test_refresh import NOW, fill, hamburg, quiet

HOUR = timedelta(hours=1)
FIVE = timedelta(minutes=5)


@pytest.fixture
def netzlage(tmp_path: Path) -> Iterator[Instance]:
    opened = open_instance(load_settings(None, {"NETZLAGE_HOME": str(tmp_path)}), SimulatedClock(NOW))
    yield opened
    opened.store.close()


@pytest.fixture
def site(netzlage: Instance) -> FlaskClient:
    return create_app(netzlage).test_client()


def set_by(netzlage: Instance, by: timedelta) -> None:
    clock = netzlage.clock
    assert isinstance(clock, SimulatedClock)
    clock.set(clock.now() + by)


def send(netzlage: Instance, site: FlaskClient, uid: str, at: datetime | None = None, **fields: str) -> int:
    moment = at or netzlage.clock.now()
    report = {"provider": "o2", "service": "fixed_internet", "plz": "20095", "observed_at": moment.isoformat()}
    return site.post("/api/v1/reports", json={**report, "uid": uid, "reporter": uid, **fields}).status_code


def heard(netzlage: Instance, since: datetime, until: datetime) -> list[datetime]:
    """The buckets in which the form was listened to."""
    with netzlage.store.read() as connection:
        rows = cube.listening(connection, since, until)
    return [moment.to_pydatetime() for moment in rows[rows["source"] == "form"]["bucket"]]


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_reports_before_and_after_are_all_kept_and_a_person_counts_once(
    netzlage: Instance, site: FlaskClient, by: timedelta
) -> None:
    assert send(netzlage, site, "a", reporter="anna") == 201
    set_by(netzlage, by)
    assert send(netzlage, site, "b", reporter="berta") == 201
    assert send(netzlage, site, "c", reporter="anna") == 201
    # sent again: known, or told that it is of another time
    assert send(netzlage, site, "a", at=NOW, reporter="anna") in {
        200,
        422,
    }
    with netzlage.store.read() as connection:
        found = {row["report_id"]: row["counted"] for row in reports.rows(connection, Filter())}
        assert cube.frame(connection, Filter())["count"].sum() == sum(found.values()) == 2
    assert len(found) == 3


def test_who_has_the_right_time_is_told_that_ours_is_another(netzlage: Instance, site: FlaskClient) -> None:
    set_by(netzlage, -HOUR)
    report = {"provider": "o2", "service": "mobile", "plz": "20095", "observed_at": NOW.isoformat()}
    answer = site.post("/api/v1/reports", json=report)
    assert answer.status_code == 422
    assert "after its receipt (2017-05-13T09:30Z)" in answer.get_json()["errors"]["observed_at"]


def test_detection_goes_on_at_once_when_the_clock_is_put_right(netzlage: Instance, site: FlaskClient) -> None:
    fill(netzlage, quiet(), hamburg())
    detection = Detection(netzlage)
    detection.refresh()
    set_by(netzlage, HOUR)  # wrong: for ten minutes all looks lie in the future
    for _ in range(3):
        detection.refresh()
        set_by(netzlage, FIVE)
    set_by(netzlage, -HOUR)
    looked = []
    for _ in range(4):
        detection.refresh()
        answer = site.get("/api/v1/hotspots").get_json()["items"]
        looked.append({item["at"] for item in answer})
        set_by(netzlage, FIVE)
    right = NOW + 3 * FIVE
    assert looked == [{f"{right + n * FIVE:%Y-%m-%dT%H:%M:%SZ}"} for n in range(4)]
    assert heard(netzlage, right, right + 3 * FIVE) == [right, right + FIVE, right + 2 * FIVE]


def test_health_does_not_take_a_look_of_the_future_for_one(netzlage: Instance, site: FlaskClient) -> None:
    set_by(netzlage, HOUR)
    Detection(netzlage).refresh()
    assert site.get("/api/v1/health").get_json()["status"] == "ok"
    set_by(netzlage, -HOUR)
    answer = site.get("/api/v1/health").get_json()
    assert answer["status"] == "degraded"
    assert answer["last_look"] is None


def test_a_form_that_was_opened_before_the_clock_was_set_back_is_sent_again_with_all_that_was_typed(
    netzlage: Instance, site: FlaskClient
) -> None:
    page = site.get("/melden").text
    uid, seal = (page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("uid", "seal"))
    set_by(netzlage, -HOUR)
    filled = {"provider": "o2", "service": "mobile", "place": "20095", "comment": "seit heute früh", "uid": uid}
    answer = site.post("/melden", data={**filled, "seal": seal})
    assert answer.status_code == 422
    assert "seit heute früh" in answer.text
    assert "senden Sie sie noch einmal" in answer.text
    set_by(netzlage, timedelta(seconds=5))
    again = answer.text.split('name="seal" value="')[1].split('"')[0]
    assert site.post("/melden", data={**filled, "seal": again}).status_code == 303


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_a_form_that_is_open_over_an_hour_ahead_is_taken(netzlage: Instance, site: FlaskClient, by: timedelta) -> None:
    if by < timedelta(0):
        set_by(netzlage, by)
    page = site.get("/melden").text
    uid, seal = (page.split(f'name="{name}" value="')[1].split('"')[0] for name in ("uid", "seal"))
    set_by(netzlage, HOUR)
    filled = {"provider": "o2", "service": "mobile", "place": "20095", "uid": uid, "seal": seal}
    assert site.post("/melden", data=filled).status_code == 303


class WorldClock:
    """The time by which APScheduler plans, to be set by hand."""

    simulated = False

    def __init__(self) -> None:
        self.by = timedelta(0)

    def now(self, _zone: object = UTC) -> datetime:
        return datetime.now(UTC) + self.by


@pytest.mark.parametrize("by", [HOUR, -HOUR])
def test_jobs_go_on_at_their_pace_when_the_clock_is_set(monkeypatch: pytest.MonkeyPatch, by: timedelta) -> None:
    world, turns = WorldClock(), threading.Semaphore(0)
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", world)
    scheduler = SteadfastScheduler(world, timezone=UTC, job_defaults={"misfire_grace_time": 7200, "coalesce": True})  # type: ignore[arg-type]
    scheduler.add_job(turns.release, IntervalTrigger(seconds=0.1, timezone=UTC), id="job")
    scheduler.start()
    try:
        assert turns.acquire(timeout=10)
        world.by = by
        while turns.acquire(blocking=False):
            pass
        assert all(turns.acquire(timeout=10) for _ in range(3))
    finally:
        scheduler.shutdown()
