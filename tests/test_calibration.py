"""Thresholds made once and kept: in a file under the baseline's hash, in the store weekly."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from aggregator import calibration
from aggregator.calibration import Calibrator, calibrated, calibrations_of, weeks_needed
from aggregator.clock import SimulatedClock
from aggregator.detect.calibrate import SHIPPED, Calibration
from aggregator.detect.span import Prepared, prepare
from aggregator.errors import DataError
from aggregator.instance import Instance
from aggregator.refresh import Detection
from aggregator.store import calibrations
from tests.detect.world import learn, usual, zones
from tests.test_refresh import NOW, fill, instance, quiet

__all__ = ["instance"]


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(learn(usual(per_hour=4.0)), zones())


def test_it_is_made_once_for_a_baseline(prepared: Prepared, tmp_path: Path) -> None:
    done: list[int] = []
    first = calibrated(prepared, tmp_path / "new", 1.0, done.append)
    assert done == list(range(1, 53))
    assert first.baseline == prepared.baseline.hash
    assert calibrated(prepared, tmp_path / "new", 1.0, done.append) == first
    assert len(done) == 52


def test_a_damaged_file_is_made_again(prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "calibrate_baseline", lambda *_: SHIPPED)
    (tmp_path / f"{prepared.baseline.hash}-52.json").write_text("{")
    assert calibrated(prepared, tmp_path, 1.0) == SHIPPED


def test_a_folder_that_cannot_be_written_is_said(
    prepared: Prepared, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "calibrate_baseline", lambda *_: SHIPPED)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="set `home`"):
        calibrated(prepared, tmp_path / "file", 1.0)


@pytest.mark.parametrize(("budget", "weeks"), [(1.0, 52), (4.0, 52), (0.1, 130)])
def test_as_many_weeks_as_strong_promises(budget: float, weeks: int) -> None:
    assert weeks_needed(budget) == weeks


def keep(instance: Instance, made: Calibration, age: timedelta) -> None:
    with instance.store.write() as connection:
        calibrations.save(connection, instance.clock.now() - age, made)


def test_the_newest_of_the_store_judges_and_the_shipped_table_before_there_is_one(instance: Instance) -> None:
    detection = Detection(instance)
    with instance.store.read() as connection:
        assert not detection.limits(connection, NOW).calibrated
    keep(instance, replace(SHIPPED, baseline="old", height=2.0), timedelta(days=9))
    keep(instance, replace(SHIPPED, baseline="new", height=3.0), timedelta(days=1))
    with instance.store.read() as connection:
        assert detection.limits(connection, NOW).height == 3.0
        assert detection.limits(connection, NOW - timedelta(days=5)).height == 2.0  # as_of judges as it was judged


def test_a_fresh_calibration_and_a_baseline_of_less_than_a_week_are_left_alone(instance: Instance) -> None:
    assert not Calibrator(instance).run()  # no baseline yet
    keep(instance, replace(SHIPPED, baseline="new"), timedelta(days=1))
    fill(instance, quiet())
    Detection(instance).refresh()
    assert not Calibrator(instance).run()


def test_after_a_week_it_is_made_anew_by_a_process_of_its_own(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(instance, quiet())
    Detection(instance).refresh()
    keep(instance, replace(SHIPPED, baseline="old"), timedelta(days=8))
    asked: list[list[str]] = []

    class Done:
        returncode = 0

        def __init__(self, command: list[str], **_: object) -> None:
            asked.append(command)

        def poll(self) -> int:
            return 0

        def wait(self) -> int:
            return 0

    monkeypatch.setattr("aggregator.calibration.subprocess.Popen", Done)
    monkeypatch.setattr(calibration, "calibrate_baseline", lambda prepared, *_: replace(SHIPPED, baseline="made"))
    assert Calibrator(instance).run()
    assert asked[0][1:3] == ["-m", "aggregator.calibration"]
    assert not list(calibrations_of(instance).glob("*.baseline"))
    with instance.store.read() as connection:
        found = calibrations.load(connection, instance.clock.now())
    assert found
    assert found.baseline == "made"


def test_stopping_gives_up_what_is_going_on(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(instance, quiet())
    Detection(instance).refresh()
    calibrator = Calibrator(instance)
    calibrator.stop()
    assert isinstance(instance.clock, SimulatedClock)
    assert not calibrator.run()  # the process is ended as soon as it has begun
    with instance.store.read() as connection:
        assert calibrations.made_at(connection) is None
