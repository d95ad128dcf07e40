"""A baseline -> its calibration, made once and kept in a file under the baseline's hash. I/O."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from aggregator.detect.calibrate import STRONG, Calibration
from aggregator.detect.nullweeks import NULL_WEEKS, calibrate_baseline
from aggregator.detect.span import Prepared
from aggregator.errors import DataError


def weeks_needed(budget: float) -> int:
    """Return how many null weeks say what happens once in as long as `strong` promises, at `budget` alarms a week."""
    return max(NULL_WEEKS, math.ceil(STRONG / budget))


def calibrated(
    prepared: Prepared, folder: Path, budget: float, progress: Callable[[int], None] = lambda done: None
) -> Calibration:
    """Return the calibration of the baseline, from `folder` if it has been made before.

    progress: called with the number of null weeks done. Raises DataError where the folder cannot be written.
    """
    weeks = weeks_needed(budget)
    path = folder / f"{prepared.baseline.hash}-{weeks}.json"
    try:
        return Calibration.from_json(path.read_text("utf-8"))
    except (OSError, ValueError, TypeError, KeyError):
        made = calibrate_baseline(prepared, weeks, progress)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        unfinished.write_text(made.to_json(), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise DataError(f"{folder} cannot be written ({error.strerror}); set `home` to a folder that can be.") from None
    return made
