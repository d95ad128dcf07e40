"""/api/v1/health: probes for those who start and stop us, and reasons in a sentence for those who watch."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from aggregator.detect.calibrate import SHIPPED
from aggregator.instance import Instance
from aggregator.model import FeedRun
from aggregator.store import calibrations, incidents, runs, work
from aggregator.store.intake import Direct, Figures
from aggregator.web import create_app
from tests.test_refresh import NOW


def health(instance: Instance, probe: str = "", **kw: Any) -> tuple[int, dict[str, Any]]:
    answer = create_app(instance, **kw).test_client().get(f"/api/v1/health?probe={probe}")
    assert answer.headers["Cache-Control"] == "no-store"
    return answer.status_code, answer.get_json()


def looked(instance: Instance) -> None:
    with instance.store.write() as connection:
        incidents.save_hotspots(connection, NOW, [])


def test_a_sound_one_is_live_ready_and_ok(empty: Instance) -> None:
    looked(empty)
    assert health(empty, "live") == (200, {"status": "live"})
    assert health(empty, "ready") == (200, {"status": "ready"})
    status, said = health(empty)
    assert (status, said["status"], said["live"], said["ready"], said["reasons"]) == (200, "ok", True, True, [])


def test_head_is_answered_and_another_probe_refused(empty: Instance) -> None:
    site = create_app(empty).test_client()
    assert site.head("/api/v1/health?probe=ready").status_code == 200
    assert list(site.get("/api/v1/health?probe=dead").get_json()["errors"]) == ["probe"]


def test_one_whose_schema_was_moved_is_live_and_not_ready(empty: Instance) -> None:
    with empty.store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert health(empty, "live")[0] == 200
    assert health(empty, "ready")[0] == 503
    status, said = health(empty)
    assert (status, said["status"], said["live"], said["ready"]) == (503, "failed", True, False)


class Sick(Direct):
    """An intake whose disk is full."""

    def figures(self) -> Figures:
        return Figures(trouble="the disk is full")


def full(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    usage = shutil.disk_usage(instance.settings.home)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    return {}


def sick(instance: Instance, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    return {"intake": Sick(instance.store)}


def dead_feed(instance: Instance, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    with instance.store.write() as connection:
        runs.add(connection, FeedRun("feed", NOW, NOW, "changed", error="It is a page."))
    return {}


def slow(instance: Instance, _patch: pytest.MonkeyPatch) -> dict[str, Any]:
    with instance.store.write() as connection:
        work.done(connection, "refresh", NOW, 75.0, failed=False)
    return {}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (full, "the disk has less than 200 MB left"),
        (sick, "reports are not stored: the disk is full"),
        (dead_feed, "feed feed: changed"),
        (slow, "the last look of detection took 75 seconds"),
    ],
)
def test_what_is_not_as_it_should_be_is_said_and_readers_are_served(
    empty: Instance,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Instance, pytest.MonkeyPatch], dict[str, Any]],
    words: str,
) -> None:
    looked(empty)
    status, said = health(empty, **make(empty, monkeypatch))
    assert (status, said["status"], said["ready"], said["reasons"]) == (200, "degraded", True, [words])


def test_thresholds_that_are_old_are_said_where_there_is_a_baseline(empty: Instance) -> None:
    looked(empty)
    with empty.store.write() as connection:
        calibrations.save(connection, NOW - timedelta(days=30), SHIPPED)
    assert health(empty)[1]["reasons"] == []  # nothing to calibrate by
