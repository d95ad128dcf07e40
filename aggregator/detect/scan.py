"""The cells of one stream against its baseline -> the score of every zone and duration that ends now. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from aggregator.detect.baseline import R_LOCAL, R_NATION, Baseline, StreamBaseline
from aggregator.detect.calendar import PER_HOUR, hours_of_week
from aggregator.detect.calibrate import MIN_REPORTS
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import NOT_LOCATED, Cells
from aggregator.detect.score import clumping, ebp, nb1
from aggregator.detect.zones import Zones
from aggregator.model import Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DURATIONS = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36)  # in buckets: 5 minutes to 3 hours, every tick
SLOW_DURATIONS = (72, 144, 288)  # 6, 12, 24 hours, at full hours
DRIFT_BUCKETS = 36  # the nation's drift is judged over at least 3 hours
DRIFT_PRIOR = 15.0  # reports that say "no drift"
LONGEST = max(SLOW_DURATIONS)
ROOM = 1.0  # nats by which the cheap Poisson score may be below the floor and the window still be looked at


@dataclass(frozen=True, slots=True)
class ZoneLevel:
    """A stream's level in every zone: Σ lambda and Σ lambda²/alpha."""

    rate: Floats
    own: Floats


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
    levels = {stream: _zone_level(zones.member, level) for stream, level in baseline.streams.items()}
    return Prepared(baseline, zones, levels, _zone_level(zones.member, baseline.fallback))


def _zone_level(member: sparse.csc_array | sparse.csr_array, level: StreamBaseline) -> ZoneLevel:
    return ZoneLevel(member @ level.rate, member @ (level.rate**2 / level.shape))


@dataclass(frozen=True, slots=True)
class Moment:
    """What all scans of a tick share. The windows end before bucket `end`; durations in buckets, ascending."""

    end: int
    durations: tuple[int, ...]
    prepared: Prepared
    coverage: Coverage
    hours: Ints  # of the week, shape (Länder, LONGEST)

    @property
    def baseline(self) -> Baseline:
        """Return the baseline."""
        return self.prepared.baseline

    @property
    def zones(self) -> Zones:
        """Return the zones."""
        return self.prepared.zones

    def exposure(self, stream: Stream) -> Floats:
        """Return hours' worth at h = 1 heard in each window, shape (lands, lengths); see `lengths`."""
        heard = self.coverage.heard(stream.provider, self.end - LONGEST, self.end)
        hourly = self.baseline.of(stream).profile[self.hours] * (heard / PER_HOUR)
        return np.cumsum(hourly[:, ::-1], axis=1)[:, np.array(self.lengths) - 1]

    @property
    def lengths(self) -> tuple[int, ...]:
        """Return the durations, then for each the length over which drift is judged."""
        return self.durations + tuple(max(d, DRIFT_BUCKETS) for d in self.durations)


def at(end: int, prepared: Prepared, coverage: Coverage) -> Moment:
    """Return the moment of a tick: the long windows join at full hours."""
    durations = DURATIONS + (SLOW_DURATIONS if end % 12 == 0 else ())
    hours = hours_of_week(np.arange(end - LONGEST, end), sorted(set(prepared.baseline.lands)))
    return Moment(end, durations, prepared, coverage, hours)


@dataclass(frozen=True, slots=True)
class Tables:
    """One stream at one moment, per region (rows) and duration: reports and expected, drift not yet applied.

    `*_nation` hold the reports not located too; `*_wide` are the located nation's over the drift's lengths.
    zone_level is the stream's in every zone, None when regions were taken out; exposure: hours' worth at h = 1 of each
    duration if it is the same in all Länder, else None.
    """

    level: StreamBaseline
    zone_level: ZoneLevel | None
    exposure: Floats | None
    count: Floats
    expected: Floats
    count_nation: Floats
    expected_nation: Floats
    count_wide: Floats
    expected_wide: Floats

    def without(self, regions: Ints) -> Tables:
        """Return the tables with those regions taken out, from the nation too."""
        keep = np.ones(len(self.count), dtype=bool)
        keep[regions] = False
        located = self.expected[:, 0].sum()
        share = self.expected[keep, 0].sum() / located if located else 1.0
        return replace(
            self,
            zone_level=None,
            count=np.where(keep[:, None], self.count, 0.0),
            expected=np.where(keep[:, None], self.expected, 0.0),
            count_nation=self.count_nation - self.count[~keep].sum(axis=0),
            expected_nation=self.expected_nation * share,
            count_wide=self.count_wide - self.count[~keep].sum(axis=0),
            expected_wide=self.expected_wide * share,
        )


def tabulate(moment: Moment, stream: Stream, cells: Cells) -> Tables:
    """Count the stream's cells into windows, the expected reports beside them; blind buckets give neither."""
    level = moment.baseline.of(stream)
    cells = _heard_only(moment, stream, cells)
    lengths, durations = moment.lengths, len(moment.durations)
    count = _count_back(cells, moment.end, lengths, len(level.rate))
    exposure = moment.exposure(stream)
    lands = sorted(set(moment.baseline.lands))
    expected = level.rate[:, None] * exposure[np.searchsorted(lands, moment.baseline.lands)]
    located = level.rate.sum()
    nation = expected.sum(axis=0) * (level.nation_rate / located if located else 1.0)
    same = bool((exposure == exposure[0]).all())  # holidays of some Länder only make them differ
    return Tables(
        level,
        moment.prepared.of(stream),
        exposure[0, :durations] if same else None,
        count[:-1, :durations],
        expected[:, :durations],
        count[:, :durations].sum(axis=0),
        nation[:durations],
        count[:-1, durations:].sum(axis=0),
        expected[:, durations:].sum(axis=0),
    )


def _heard_only(moment: Moment, stream: Stream, cells: Cells) -> Cells:
    cells = cells.between(moment.end - LONGEST, moment.end)
    heard = moment.coverage.heard(stream.provider, moment.end - LONGEST, moment.end)
    return cells.where(heard[cells.bucket - (moment.end - LONGEST)] > 0)


def _count_back(cells: Cells, end: int, lengths: tuple[int, ...], regions: int) -> Floats:
    """Return reports per region (the last row: not located) in the windows of those lengths before `end`."""
    row = np.where(cells.region == NOT_LOCATED, regions, cells.region)
    age = end - 1 - cells.bucket
    table = np.zeros((regions + 1, len(lengths)))
    for column, length in enumerate(lengths):
        young = age < length
        table[:, column] = np.bincount(row[young], weights=cells.count[young], minlength=regions + 1)
    return table


@dataclass(frozen=True, slots=True)
class Scores:
    """The score of the zones `rows` at every duration.

    Zones left out have too few reports for an alarm. The nation, where it is there, is the last row.
    """

    rows: Ints
    score: Floats
    has_nation: bool

    def best(self, zones: int, *, nation: bool) -> tuple[int, int, float]:
        """Return zone, column and value of the highest score; 0 where nothing scores.

        nation: it may win too, and does unless a zone beats it by ln(zones): that much the best of so many gains by
        chance (until calibrated levels compare the two).
        """
        below = self.score[:-1] if self.has_nation else self.score
        candidates = [self._top(below, 0)] if below.size else []
        if nation and self.has_nation:
            candidates.append(self._top(self.score[-1:], len(below)))
            candidates.sort(key=lambda c: c[2] + (math.log(zones) if c[0] == self.rows[-1] else 0.0))
        return candidates[-1] if candidates else (0, 0, 0.0)

    def _top(self, score: Floats, first: int) -> tuple[int, int, float]:
        row, column = np.unravel_index(int(np.argmax(score)), score.shape)
        return int(self.rows[first + row]), int(column), float(score[row, column])


def score_zones(zones: Zones, tables: Tables, floor: float, *, by_share: bool) -> Scores:
    """Score all zones that hold enough reports, the nation against its own level; below `floor` 0 will do.

    by_share: the nation is known to be up, and a zone is measured by its share of the nation's reports (the
    conditional test); else against its own level after leave-one-out drift.
    """
    hit = np.flatnonzero(tables.count[:, -1])
    counts = zones.member[:, hit] @ tables.count[hit]
    counts[-1] = tables.count_nation
    rows = np.flatnonzero(counts[:, -1] >= MIN_REPORTS)  # the longest window holds all the others
    count = counts[rows]
    expected, inverse_r = _levels(zones, tables, rows)
    expected = conditional(expected, tables) if by_share else drift(expected, count, tables)
    has_nation = bool(len(rows)) and int(rows[-1]) == zones.nation
    if has_nation:
        expected[-1], inverse_r[-1] = tables.expected_nation, 1 / R_NATION
    score = np.zeros(count.shape)
    worth = (count >= MIN_REPORTS) & (count > expected) & (expected > 0)
    worth[worth] = ebp(count[worth], expected[worth]) >= floor - ROOM
    k = clumping(tables.level.phi, expected[worth], np.broadcast_to(inverse_r[:, None], count.shape)[worth])
    score[worth] = nb1(count[worth], expected[worth], k=k)
    return Scores(rows, score, has_nation)


def drift(expected: Floats, count: Floats, tables: Tables) -> Floats:
    """Scale expected reports by how the rest of the nation does: b · (C_N − c + a) / (B_N − b + a)."""
    scaled: Floats = expected * (
        (np.maximum(tables.count_wide - count, 0.0) + DRIFT_PRIOR)
        / (np.maximum(tables.expected_wide - expected, 0.0) + DRIFT_PRIOR)
    )
    return scaled


def conditional(expected: Floats, tables: Tables) -> Floats:
    """Scale expected reports so that the located nation's are what was counted: only an unusual share is left."""
    scaled: Floats = expected * (tables.count.sum(axis=0) / np.maximum(tables.expected.sum(axis=0), 1e-12))
    return scaled


def _levels(zones: Zones, tables: Tables, rows: Ints) -> tuple[Floats, Floats]:
    """Return expected reports, shape (rows, durations), and 1/r of the zones `rows`."""
    nation = float(tables.level.rate.sum())
    if tables.zone_level is not None and tables.exposure is not None:
        level = ZoneLevel(tables.zone_level.rate[rows], tables.zone_level.own[rows])
        return level.rate[:, None] * tables.exposure, _inverse_r(level, nation)
    member = zones.member_rows[rows]
    return member @ tables.expected, _inverse_r(_zone_level(member, tables.level), nation)


def _inverse_r(level: ZoneLevel, nation: float) -> Floats:
    """Return 1/r per zone: 1/r0 + Σ(lambda²/alpha) / (Σ lambda)².

    1/r0 goes from a district's to the nation's with the share of the nation that the zone holds: drift corrects a
    large zone less, so its level is less certain.
    """
    share = level.rate / max(nation, 1e-300)
    drifting = (1 - share) / R_LOCAL + share / R_NATION
    own = np.divide(level.own, level.rate**2, out=np.zeros_like(level.own), where=level.rate > 0)
    inverse: Floats = drifting + own
    return inverse
