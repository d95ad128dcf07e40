"""A baseline -> weeks in which nothing happens but chance: what the thresholds are measured on. Pure.

Chance is not Poisson: observed clumps are drawn again, the nation drifts for hours, and the levels themselves are only
known so well. (A parametric tail would hide heavy clumps.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import Baseline, StreamBaseline
from aggregator.detect.calendar import PER_HOUR, WEEK_HOURS, hours_of_week
from aggregator.detect.calibrate import Calibration
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, merged, narrower
from aggregator.detect.drift import MEMORY
from aggregator.detect.hotspot import worth_a_scan
from aggregator.detect.scan import scan
from aggregator.detect.span import Prepared, Span, field_of
from aggregator.detect.tail import BLOCK, BLOCKS_A_WEEK, FOOT, block_maxima, calibrate
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
WEEK = WEEK_HOURS * PER_HOUR
DAY = 24 * PER_HOUR
MONDAY = 4_962_516  # 2017-03-06 00:00 in Berlin: a week without holidays
NULL_WEEKS = 52
RUN = WEEK // 2  # ticks that are scanned at once: longer runs look back less often, and need more memory
Cube = Mapping[Stream, Cells]


def make_week(baseline: Baseline, rng: np.random.Generator) -> dict[Stream, Cells]:
    """Draw the cells of all streams for a week and the day before it: buckets [MONDAY − DAY, MONDAY + WEEK).

    A wider stream that would hold one narrower one only is left out, as it is in a look.
    """
    buckets = np.arange(MONDAY - DAY, MONDAY + WEEK)
    common = hours_of_week(buckets, [""])[0]
    narrow = sorted((s for s in baseline.streams if s.service != ALL), key=lambda s: (s.provider, s.service))
    drifts = {
        name: _drift(len(buckets), baseline.of(Stream(name, ALL)).r_nation ** -0.5, rng)
        for name in sorted({s.provider for s in narrow})
    }
    drawn = {s: _draw(baseline.of(s), buckets, drifts[s.provider], common, rng) for s in narrow}
    cells = dict(drawn)
    for wide in (*(Stream(name, ALL) for name in drifts), Stream(ALL, ALL)):
        parts = narrower(wide, drawn)
        if len(parts) > 1:
            cells[wide] = merged([drawn[part] for part in parts])
    return cells


def _drift(buckets: int, sd: float, rng: np.random.Generator) -> Floats:
    """Return the factor by which all regions of a provider go up and down together: an AR(1) of its logarithm."""
    keep = float(np.exp(-1.0 / MEMORY))
    steps = rng.normal(0.0, sd * np.sqrt(1 - keep**2), buckets)
    steps[0] = rng.normal(0.0, sd)
    path = accumulate(steps.tolist(), lambda before, step: keep * before + step)
    return np.exp(np.fromiter(path, np.float64, buckets) - sd**2 / 2)


def _draw(level: StreamBaseline, buckets: Ints, drift: Floats, hours: Ints, rng: np.random.Generator) -> Cells:
    """Draw clumps: when by the hour of the week and the drift, where by levels as uncertain as they are."""
    size = float(level.clumps @ np.arange(1, len(level.clumps) + 1))
    rates = np.append(level.rate * rng.gamma(level.shape) / level.shape, max(level.nation_rate - level.rate.sum(), 0.0))
    number = rng.poisson(rates.sum() * level.profile[hours] * drift / (PER_HOUR * size))
    bucket = np.repeat(buckets, number)
    region = rng.choice(len(rates), len(bucket), p=rates / rates.sum())
    count = rng.choice(len(level.clumps), len(bucket), p=level.clumps) + 1.0
    return merged(
        [Cells(np.where(region == len(level.rate), -1, region).astype(np.int64), bucket, count.astype(np.float64))]
    )


def highest_of_week(prepared: Prepared, cells: Cube, start: int = MONDAY, coverage: Coverage | None = None) -> Floats:
    """Return the highest score of each three hours and level in the week from bucket `start`, over all streams."""
    heard = coverage or Coverage(start - DAY, DAY + WEEK, {ALL: np.ones(DAY + WEEK)})
    floor = np.full(len(LEVELS), FOOT)
    highest = np.full((BLOCKS_A_WEEK, len(LEVELS)), FOOT)
    for first in range(0, WEEK, RUN):
        span = Span(start + first, RUN, prepared, heard)
        rows = highest[first // BLOCK : (first + RUN) // BLOCK]
        for stream, own in cells.items():
            if worth_a_scan(span, stream, cells):
                found = scan(field_of(span, stream, own), floor)
                maxima = block_maxima(found.tick, prepared.zones.level[found.zone], found.score, RUN // BLOCK)
                np.maximum(rows, maxima, out=rows)
    return highest


def seed_of(prepared: Prepared) -> int:
    """Return what all null weeks of a baseline are drawn with."""
    return int(prepared.baseline.hash[:16], 16)


def null_week(prepared: Prepared, seed: int, week: int) -> Floats:
    """Return the block maxima of one null week, the same ones for the same baseline, seed and number."""
    return highest_of_week(prepared, make_week(prepared.baseline, np.random.default_rng([seed, week])))


def null_weeks(prepared: Prepared, weeks: int = NULL_WEEKS) -> Iterator[Floats]:
    """Yield the block maxima of null weeks."""
    seed = seed_of(prepared)
    return (null_week(prepared, seed, week) for week in range(weeks))


Draw = Callable[[Prepared, int], Iterable[Floats]]


def calibrate_baseline(
    prepared: Prepared,
    weeks: int = NULL_WEEKS,
    progress: Callable[[int], None] = lambda done: None,
    draw: Draw = null_weeks,
) -> Calibration:
    """Calibrate by null weeks of the baseline. progress: called with the number of weeks done; draw: who makes them."""
    highest = []
    for done, week in enumerate(draw(prepared, weeks), start=1):
        highest.append(week)
        progress(done)
    return calibrate(np.concatenate(highest), prepared.baseline.hash)
