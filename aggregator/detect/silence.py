"""What is usual and the thresholds in force -> of which districts silence says something. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import R_LOCAL, Baseline
from aggregator.detect.calibrate import Calibration
from aggregator.detect.scan import MIN_REPORTS
from aggregator.detect.score import clumping, nb1
from aggregator.detect.span import TINY
from aggregator.detect.zones import LEVELS
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
TIMES = 4.0  # what is usual, times this, must be noticed where "nothing conspicuous" is to be said


def speaks(baseline: Baseline, stream: Stream, buckets: npt.NDArray[np.int64], calibration: Calibration) -> Bools:
    """Say of each region of the baseline whether TIMES its usual reports in these buckets together would be noticed.

    Elsewhere so few reports are usual that nothing can be said when none come. Nowhere without a basis for comparison.
    """
    if baseline.cold:
        return np.zeros(len(baseline.regions), dtype=np.bool_)
    level = baseline.of(stream)
    lands = np.searchsorted(sorted(set(baseline.lands)), baseline.lands)
    hours = baseline.hourly(stream, buckets).sum(axis=1)[lands]
    usual = np.maximum(level.effective_rate * hours, TINY)
    k = clumping(level.phi_effective, usual, 1 / R_LOCAL + 1 / np.maximum(level.shape, TINY))
    seen = TIMES * usual
    floor = calibration.floor(calibration.suspected)[LEVELS.index("district")]
    return np.asarray((nb1(seen, usual, k=k) >= floor) & (seen >= MIN_REPORTS), dtype=np.bool_)
