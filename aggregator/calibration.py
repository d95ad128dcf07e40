"""A baseline -> its calibration, made once and kept in a file under its hash; a store's anew each week. I/O.

It takes minutes of one core: the worker has it made by a process of its own (`python -m aggregator.calibration`).
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

from aggregator.catalogue import load_catalogue
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import ANEW_AFTER, STRONG, Calibration
from aggregator.detect.nullweeks import NULL_WEEKS, Draw, calibrate_baseline, null_weeks
from aggregator.detect.span import Prepared, prepare
from aggregator.detect.usual import read_baseline
from aggregator.detect.zones import make_zones
from aggregator.errors import DataError
from aggregator.instance import Instance
from aggregator.store import baselines, calibrations

LOOK_UP = 0.5  # seconds between two looks whether the process has ended or is to be
NICE = 10  # of the process: what readers wait for comes first


def weeks_needed(budget: float) -> int:
    """Return how many null weeks say what happens once in as long as `strong` promises, at `budget` alarms a week."""
    return max(NULL_WEEKS, math.ceil(STRONG / budget))


def calibrated(
    prepared: Prepared,
    folder: Path,
    budget: float,
    progress: Callable[[int], None] = lambda done: None,
    draw: Draw = null_weeks,
) -> Calibration:
    """Return the calibration of the baseline, from `folder` if it has been made before.

    progress: called with the number of null weeks done; draw: who makes them.
    Raises DataError where the folder cannot be written.
    """
    weeks = weeks_needed(budget)
    path = folder / f"{prepared.baseline.hash}-{weeks}.json"
    try:
        return Calibration.from_json(path.read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        made = calibrate_baseline(prepared, weeks, progress, draw)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(made.to_json(), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise _unwritable(folder, error) from None
    return made


def _unwritable(folder: Path, error: OSError) -> DataError:
    return DataError(f"{folder} cannot be written ({error.strerror}); set `home` to a folder that can be.")


class Calibrator:
    """Calibrates a store's baseline weekly, in a process of its own."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._stopped = Event()

    def run(self) -> bool:
        """Calibrate if it is time; say whether it was done. A baseline of less than a week is not calibrated."""
        now = self._instance.clock.now()
        with self._instance.store.read() as connection:
            made_at = calibrations.made_at(connection)
            kept = baselines.load(connection, now)
        if kept is None or (made_at is not None and now - made_at < ANEW_AFTER):
            return False
        baseline = read_baseline(kept[1])
        if baseline is None or baseline.cold or not self._make(kept[1], baseline):
            return False
        self._keep(baseline)
        return True

    def stop(self) -> None:
        """End a run that is going on, without a result."""
        self._stopped.set()

    def _make(self, blob: bytes, baseline: Baseline) -> bool:
        folder, budget = calibrations_of(self._instance), self._instance.settings.false_alarms_per_week
        given = folder / f"{baseline.hash}.baseline"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            given.write_bytes(blob)
        except OSError as error:
            raise _unwritable(folder, error) from None
        command = [sys.executable, "-m", "aggregator.calibration", str(given), str(folder), str(budget)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own module, no shell
        try:
            while process.poll() is None and not self._stopped.wait(LOOK_UP):
                pass
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait()
            given.unlink(missing_ok=True)
        return process.returncode == 0

    def _keep(self, baseline: Baseline) -> None:
        prepared = prepare(baseline, make_zones(list(self._instance.catalogue.regions.values())))
        made = calibrated(prepared, calibrations_of(self._instance), self._instance.settings.false_alarms_per_week)
        with self._instance.store.write() as connection:
            calibrations.save(connection, self._instance.clock.now(), made)


def calibrations_of(instance: Instance) -> Path:
    """Return the folder in which an instance keeps calibrations."""
    return instance.settings.home / "calibrations"


def main(given: str, folder: str, budget: str) -> None:
    """Calibrate the baseline in the file `given`; the result is a file in `folder`."""
    os.nice(NICE)
    baseline = Baseline.from_bytes(Path(given).read_bytes())
    zones = make_zones(list(load_catalogue().regions.values()))
    calibrated(prepare(baseline, zones), Path(folder), float(budget))


if __name__ == "__main__":
    main(*sys.argv[1:])
