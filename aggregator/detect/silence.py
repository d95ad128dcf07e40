"""What is usual and the thresholds in force -> of which districts silence says something. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import Baseline
from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.calibrate import Calibration
from aggregator.detect.limits import Kind, Limit, Limits, least_rates
from aggregator.detect.scan import MIN_REPORTS
from aggregator.detect.score import clumping, nb1
from aggregator.detect.span import TINY
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL, Region, Stream

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
    k = clumping(level.phi_effective, usual, 1 / level.r_local + 1 / np.maximum(level.shape, TINY))
    seen = TIMES * usual
    floor = calibration.floor(calibration.suspected)[LEVELS.index("district")]
    return np.asarray((nb1(seen, usual, k=k) >= floor) & (seen >= MIN_REPORTS), dtype=np.bool_)


def limits_in(
    baseline: Baseline, regions: Sequence[Region], calibration: Calibration, end: int, places: Sequence[str]
) -> Limits | None:
    """Return the limit of the hour before bucket `end` in `places` together, of the stream that is busiest there.

    regions: those of the baseline, in its order. None without a basis for comparison, or where nothing is usual.
    """
    inside = np.flatnonzero(np.isin([region.id for region in regions], list(places)))
    usual = {s: float(v.rate[inside].sum()) for s, v in baseline.streams.items() if s.service != ALL}
    if baseline.cold or not any(usual.values()):
        return None
    stream = max(usual, key=lambda s: (usual[s], s.provider, s.service))
    hours = baseline.hourly(stream, np.arange(end - PER_HOUR, end)).sum(axis=1)
    lands = np.searchsorted(sorted(set(baseline.lands)), baseline.lands)
    kind: Kind = "district" if len(inside) == 1 else "region"
    level = LEVELS.index("district" if len(inside) == 1 else "land")
    low = float(calibration.floor(calibration.suspected)[level])
    least = least_rates(baseline.of(stream), inside, hours[lands], low)
    return Limits(stream, (Limit(kind, tuple(places), *least),))
