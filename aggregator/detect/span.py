"""One stream over a run of ticks: what was counted and what is expected, ready to be scanned. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import Baseline, StreamBaseline
from aggregator.detect.calendar import PER_HOUR, hours_of_week
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import NOT_LOCATED, Cells
from aggregator.detect.drift import LAG, REACH, ahead, follow
from aggregator.detect.zones import Zones
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

SHORT = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36)  # in buckets: 5 minutes to 3 hours, every tick
SLOW = (72, 144, 288)  # 6, 12, 24 hours, at full hours
DURATIONS = SHORT + SLOW
LONGEST = max(DURATIONS)
DRIFT_BUCKETS = 36  # the nation's drift is judged over at least 3 hours
TINY = 1e-12


@dataclass(frozen=True, slots=True)
class ZoneLevel:
    """A stream's level in every zone: effective reports an hour at h = 1, and how uncertain that is (1/r)."""

    rate: Floats
    inverse_r: Floats


def zone_level(zones: Zones, level: StreamBaseline, rate: Floats) -> ZoneLevel:
    """Add up the level of the regions over the zones. rate: of the level, 0 where a region is left out.

    1/r = 1/r0 + Σ(lambda²/alpha) / (Σ lambda)². 1/r0 goes from a district's to the nation's with the share of the
    nation that the zone holds: drift corrects a large zone less, so its level is less certain.
    """
    total = zones.member @ rate
    own = np.divide(zones.member @ (rate**2 / level.shape), total**2, out=np.zeros_like(total), where=total > 0)
    share = total / max(float(rate.sum()), TINY)
    inverse: Floats = (1 - share) / level.r_local + share / level.r_nation + own
    inverse[zones.nation] = 1 / level.r_nation
    return ZoneLevel(total, inverse)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A baseline, the zones, and what is made of the two once a day instead of in every tick."""

    baseline: Baseline
    zones: Zones
    levels: Mapping[Stream, ZoneLevel]
    fallback: ZoneLevel

    def of(self, stream: Stream) -> ZoneLevel:
        """Return the level of `stream` in every zone."""
        return self.levels.get(stream, self.fallback)


def prepare(baseline: Baseline, zones: Zones) -> Prepared:
    """Add up the levels of all streams over the zones."""
    levels = {s: zone_level(zones, v, v.effective_rate) for s, v in baseline.streams.items()}
    fallback = zone_level(zones, baseline.fallback, baseline.fallback.effective_rate)
    return Prepared(baseline, zones, levels, fallback)


@dataclass(frozen=True)
class Span:
    """What the scans of a run of ticks share. The windows of tick j end before bucket `first + j`."""

    first: int
    ticks: int
    prepared: Prepared
    coverage: Coverage

    @property
    def baseline(self) -> Baseline:
        """Return the baseline."""
        return self.prepared.baseline

    @property
    def zones(self) -> Zones:
        """Return the zones."""
        return self.prepared.zones

    @property
    def end(self) -> int:
        """Return the bucket before which the last windows end."""
        return self.first + self.ticks - 1

    @cached_property
    def back(self) -> int:
        """Return how many buckets before `first` are looked at: a day where a full hour is among the ticks.

        Else the longest window of every tick, and what tells its drift.
        """
        return LONGEST if len(self.columns_of(SLOW[0])) else max(SHORT) + LAG + REACH

    @cached_property
    def hours(self) -> Ints:
        """Return the hours of the week of the buckets looked at, shape (Länder, back + ticks − 1)."""
        return hours_of_week(np.arange(self.first - self.back, self.end), sorted(set(self.baseline.lands)))

    @cached_property
    def land_of(self) -> Ints:
        """Return each region's row in `hours`."""
        return np.searchsorted(sorted(set(self.baseline.lands)), self.baseline.lands).astype(np.int64)

    def columns_of(self, duration: int) -> Ints:
        """Return the ticks at which windows of that many buckets are looked at: the slow ones at full hours."""
        ticks = np.arange(self.ticks)
        return ticks[(self.first + ticks) % PER_HOUR == 0] if duration in SLOW else ticks


def at(end: int, prepared: Prepared, coverage: Coverage) -> Span:
    """Return the span of one tick, whose windows end before bucket `end`."""
    return Span(end, 1, prepared, coverage)


@dataclass(frozen=True, slots=True)
class Window:
    """What each region sent in a window: reports, effective and expected effective ones; sums of the nation."""

    reports: Floats
    effective: Floats
    expected: Floats
    together: float
    effective_together: float


@dataclass(frozen=True)
class Field:
    """One stream over a span. cells: reports, effective: the same cells weighted as evidence, blind buckets left out.

    rate: effective reports an hour per region at h = 1, 0 where a region was taken out; hourly: per Land, the hours'
    worth at h = 1 heard before each bucket, shape (Länder, buckets + 1).
    """

    span: Span
    level: StreamBaseline
    zone: ZoneLevel
    rate: Floats
    nation_rate: float
    cells: Cells
    effective: Cells
    hourly: Floats
    statistic: str = "nb1"

    @cached_property
    def alike(self) -> bool:
        """Say whether all Länder have the same hours (holidays of some make them differ)."""
        return bool((self.hourly == self.hourly[0]).all())

    @cached_property
    def land_rate(self) -> Floats:
        """Return the effective reports an hour at h = 1 per Land."""
        return np.bincount(self.span.land_of, weights=self.rate, minlength=len(self.hourly)).astype(np.float64)

    @cached_property
    def counted(self) -> Floats:
        """Return effective reports of the located nation before each bucket; see `together`."""
        return self._before(self.effective.where(self.effective.region != NOT_LOCATED))

    @cached_property
    def together(self) -> Floats:
        """Return effective reports before each bucket, those not located among them."""
        return self._before(self.effective)

    @cached_property
    def usual(self) -> Floats:
        """Return the expected effective reports of the located nation before each bucket."""
        expected: Floats = self.land_rate @ self.hourly
        return expected

    @property
    def nation_factor(self) -> float:
        """Return by how much the nation's expected reports exceed the located ones'."""
        return self.nation_rate / max(float(self.rate.sum()), TINY)

    @cached_property
    def level_before(self) -> tuple[Floats, Floats]:
        """Return the nation's level before each bucket, and how uncertain it is: see drift.follow."""
        usual = np.diff(self.usual) * self.nation_factor
        return follow(np.diff(self.together), usual, self.level.phi_effective, self.level.r_nation)

    def nation_in(self, last: Ints, duration: Ints) -> tuple[Floats, Floats, Floats]:
        """Return count, expected and 1/r of the nation, effective reports, in windows that end before `last`."""
        first = last - duration
        known = np.maximum(first - LAG, 0)
        level, uncertain = (of[known] for of in self.level_before)
        level, inverse_r = ahead(level, uncertain, duration, self.level.r_nation)
        usual = (self.usual[last] - self.usual[first]) * self.nation_factor
        return self.together[last] - self.together[first], usual * level, inverse_r

    def _before(self, cells: Cells) -> Floats:
        buckets = self.hourly.shape[1] - 1
        index = cells.bucket - (self.span.first - self.span.back)
        per_bucket = np.bincount(index, weights=cells.count, minlength=buckets)
        return np.concatenate([[0.0], np.cumsum(per_bucket)])

    def window(self, duration: int) -> Window:
        """Return the window of that many buckets at the last tick."""
        start, end = self.span.end - duration, self.span.end
        plain, effective = (self._by_region(c.between(start, end)) for c in (self.cells, self.effective))
        hours = self.hourly[:, -1] - self.hourly[:, -1 - duration]
        return Window(
            plain[1:], effective[1:], self.rate * hours[self.span.land_of], float(plain.sum()), float(effective.sum())
        )

    def _by_region(self, cells: Cells) -> Floats:
        """Return the counts not located, then those of each region."""
        return np.bincount(cells.region + 1, weights=cells.count, minlength=len(self.rate) + 1).astype(np.float64)

    def without(self, regions: Ints) -> Field:
        """Return the field with those regions taken out, from the nation too."""
        rate = self.rate.copy()
        rate[regions] = 0.0
        left = float(rate.sum()) / max(float(self.rate.sum()), TINY)
        return replace(
            self,
            zone=zone_level(self.span.zones, self.level, rate),
            rate=rate,
            nation_rate=self.nation_rate * left,
            cells=self.cells.where(~np.isin(self.cells.region, regions)),
            effective=self.effective.where(~np.isin(self.effective.region, regions)),
        )


def field_of(span: Span, stream: Stream, cells: Cells, statistic: str = "nb1") -> Field:
    """Lay out one stream over a span; blind buckets give neither reports nor expected ones.

    statistic: a name in score.STATISTICS; but for `nb1` every report counts in full.
    """
    level = span.baseline.of(stream)
    zone = span.prepared.of(stream)
    if statistic != "nb1":
        level = replace(level, worth=np.ones_like(level.rate), nation_worth=1.0, phi=1.0)
        zone = zone_level(span.zones, level, level.rate)
    start = span.first - span.back
    heard = span.coverage.heard(stream.provider, start, span.end)
    cells = cells.between(start, span.end)
    cells = cells.where(heard[cells.bucket - start] > 0)
    hourly = np.zeros((len(span.hours), span.end - start + 1))
    np.cumsum(level.profile[span.hours] * (heard / PER_HOUR), axis=1, out=hourly[:, 1:])
    return Field(
        span,
        level,
        zone,
        level.effective_rate,
        level.effective_nation,
        cells,
        level.effective(cells),
        hourly,
        statistic,
    )
