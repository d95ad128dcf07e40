"""One stream over a run of ticks -> the score of every zone and duration that may matter. Pure.

A day of ticks is scanned at once as cheaply as one: counts of all zones are running sums over time, and a table tells
at which count a window could reach the least score asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import sparse

from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.score import STATISTICS, clumping, ebp
from aggregator.detect.span import DRIFT_BUCKETS, DURATIONS, SHORT, TINY, Field, Span

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MIN_REPORTS = 3.0  # effective reports: no window with fewer is ever an alarm, so three people at least
DRIFT_PRIOR = 15.0  # reports that say "no drift"
ROOM = 0.85  # the drift of a large zone may be this much less than the nation's: the first sieve leaves room for it
ROUNDING = 1e-4  # counts are sums of 32-bit numbers
MANY_ZONES = 2_000
AT_ONCE = 20_000
_MEANS = np.geomspace(1e-9, 1e5, 1500)
_STEPS = (len(_MEANS) - 1) / np.log(_MEANS[-1] / _MEANS[0])


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows with a score: tick, zone, column of DURATIONS and score in nats, four arrays of one length."""

    tick: Ints
    zone: Ints
    column: Ints
    score: Floats


NOTHING = np.empty(0, np.int64)
NO_WINDOWS = Windows(NOTHING, NOTHING, NOTHING, np.empty(0))


def scan(field: Field, floor: Floats, *, by_share: bool = False) -> Windows:
    """Return the windows whose score reaches the floor of their zone's level. floor: nats, per level.

    The statistic is the field's. by_share: the nation is known to be up, and a zone is measured by its share of the
    nation's reports (the conditional test); else against its own level after leave-one-out drift.
    """
    looks = looks_of(field.span)
    found = [_local(field, looks, floor, by_share=by_share), national(field, looks, floor)]
    return Windows(
        np.concatenate([w.tick for w in found]),
        np.concatenate([w.zone for w in found]),
        np.concatenate([w.column for w in found]),
        np.concatenate([w.score for w in found]),
    )


Looks = Sequence[tuple[int, int, Ints]]  # column, duration, the buckets before which the windows end


def looks_of(span: Span) -> Looks:
    """Return which windows the ticks of a span look at."""
    return [
        (column, duration, span.columns_of(duration) + span.back)
        for column, duration in enumerate(DURATIONS)
        if span.back >= duration and len(span.columns_of(duration))
    ]


@dataclass(frozen=True, slots=True)
class _Sums:
    """The zones below the nation with enough reports, and their effective reports before each bucket that matters.

    row: of each bucket in `before` (one tick needs the beginnings of its windows only); log_rate: of what is expected
    there; floor: nats that each must reach; sieve: per level, the count at which the Poisson score reaches the floor,
    over the means of `_MEANS`.
    """

    zones: Ints
    before: npt.NDArray[np.float32]
    row: Ints
    log_rate: Floats
    level: Ints
    floor: Floats
    sieve: npt.NDArray[np.float32]

    def least(self, hours: float) -> npt.NDArray[np.float32]:
        """Return the least count per zone that could matter where at least `hours` at h = 1 are expected.

        The Poisson score is never below the negative binomial one, so no window above the floor is lost but those
        whose zone drifts far below the nation.
        """
        return _least(self.sieve, self.log_rate + math.log(max(hours, TINY)), self.level)


def _least(sieve: npt.NDArray[np.float32], log_mean: Floats, level: Ints) -> npt.NDArray[np.float32]:
    """Return what `sieve` says of means, given as logarithms over the least of `_MEANS`, in zones of those levels."""
    place = np.minimum(np.maximum(log_mean * _STEPS, 0.0), len(_MEANS) - 1)
    least: npt.NDArray[np.float32] = sieve[place.astype(np.int64) + level * len(_MEANS)]
    return least


def least_reports(mean: Floats, level: Ints, floor: Floats) -> npt.NDArray[np.float32]:
    """Return the least count that could reach the floor of each level where at least `mean` are expected."""
    log_mean = np.log(np.maximum(mean, _MEANS[0])) - np.log(_MEANS[0])
    return _least(_sieve(tuple(floor.tolist())), log_mean, level)


def _running_sums(field: Field, looks: Looks, floor: Floats) -> _Sums:
    span = field.span
    cells = field.effective.where(field.effective.region >= 0)
    offset = cells.bucket - (span.first - span.back)
    edges = np.arange(span.back + span.ticks)
    if span.ticks == 1:
        edges = np.array([0, *sorted({span.back - duration for _, duration, _ in looks} - {0}), span.back])
    by_region = sparse.csr_array(
        (cells.count.astype(np.float32), (np.searchsorted(edges, offset, side="right") - 1, cells.region)),
        shape=(len(edges) - 1, len(field.rate)),
    )
    by_zone = by_region @ span.zones.zones_of
    total = np.bincount(by_zone.indices, weights=by_zone.data, minlength=len(span.zones.level))
    total[span.zones.nation] = 0.0
    touched = np.flatnonzero(total >= MIN_REPORTS - ROUNDING)
    sums = np.zeros((len(edges), len(touched)), dtype=np.float32)
    if len(touched):
        few_rows = span.ticks == 1
        counts = by_zone.toarray()[:, touched] if few_rows else by_zone[:, touched].toarray()
        for before, here, after in zip(sums, counts, sums[1:], strict=False):
            np.add(before, here, out=after)  # a row at a time: a fifth of the time of cumsum along the columns
    level = span.zones.level[touched]
    log_rate = np.log(np.maximum(field.zone.rate[touched], _MEANS[0])) - np.log(_MEANS[0])
    row = np.searchsorted(edges, np.arange(span.back + span.ticks))
    return _Sums(touched, sums, row, log_rate, level, floor[level], _sieve(tuple(floor.tolist())))


@lru_cache(maxsize=16)
def _sieve(floor: tuple[float, ...]) -> npt.NDArray[np.float32]:
    needed = np.array([np.maximum(least_count(_MEANS, low), MIN_REPORTS) for low in floor]) - ROUNDING
    return needed.astype(np.float32).ravel()


def least_count(mean: Floats, score: float) -> Floats:
    """Return the smallest count whose Poisson score against `mean` reaches `score`."""
    low, high = mean.copy(), mean + 20 + score + 10 * np.sqrt(mean * (score + 1))
    for _ in range(40):
        middle = (low + high) / 2
        enough = ebp(middle, mean) >= score
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    least: Floats = high
    return least


def _local(field: Field, looks: Looks, floor: Floats, *, by_share: bool) -> Windows:
    """Return the windows in the zones below the nation."""
    sums = _running_sums(field, looks, floor)
    sifted = (
        [(c, d, *_sifted(field, sums, d, last, by_share=by_share)) for c, d, last in looks] if len(sums.zones) else []
    )
    column = np.concatenate([np.full(len(last), c) for c, _, last, _ in sifted]) if sifted else np.empty(0, np.int64)
    if not len(column):
        return NO_WINDOWS
    last = np.concatenate([last for _, _, last, _ in sifted])
    place = np.concatenate([place for *_, place in sifted])
    duration, zone = np.array(DURATIONS)[column], sums.zones[place]
    count = (sums.before[sums.row[last], place] - sums.before[sums.row[last - duration], place]).astype(np.float64)
    expected = _expected(field, zone, last, duration)
    expected = expected * _scale(field, last, duration, count, expected, by_share=by_share)
    total = field.counted[last] - field.counted[last - duration]
    score = score_of(field, count, expected, field.zone.inverse_r[zone], sums.floor[place], total=total)
    good = score >= sums.floor[place]
    return Windows(last[good] - field.span.back, zone[good], column[good], score[good])


def _sifted(field: Field, sums: _Sums, duration: int, last: Ints, *, by_share: bool) -> tuple[Ints, Ints]:
    """Return the windows (their end, place in `sums.zones`) with enough reports to be looked at closely."""
    hours = (field.hourly[:, last] - field.hourly[:, last - duration]).min(axis=0)
    if by_share:
        hours = hours * np.minimum(_nation_ratio(field, last, duration), 1.0)
    else:
        hours = hours * np.minimum(_drift(field, last, duration, np.zeros(1), np.zeros(1)), 1.0) * ROOM
    found = []
    width = len(sums.zones)
    # Ticks of a group follow each other and share one least count: fewer zones, longer groups.
    group = PER_HOUR * max(1, MANY_ZONES // width) if duration in SHORT else 1
    for low in range(0, len(last), group):
        least = sums.least(float(hours[low : low + group].min()))
        ticks = last[low : low + group]
        ends, begins = (slice(sums.row[t[0]], sums.row[t[-1]] + 1) for t in (ticks, ticks - duration))
        count = sums.before[ends] - sums.before[begins]
        found.append(np.flatnonzero(count >= least) + low * width)
    together = np.concatenate(found)
    return last[together // width], together % width


def _expected(field: Field, zone: Ints, last: Ints, duration: Ints) -> Floats:
    """Return the expected effective reports of each zone in its window, before drift."""
    if field.alike:
        hours = field.hourly[0, last] - field.hourly[0, last - duration]
        return np.asarray(field.zone.rate[zone] * hours, dtype=np.float64)
    lands = len(field.hourly)
    of_land = sparse.csr_array(
        (field.rate, (np.arange(len(field.rate)), field.span.land_of)), shape=(len(field.rate), lands)
    )
    names, place = np.unique(zone, return_inverse=True)
    rate = (field.span.zones.member_rows[names] @ of_land).toarray()
    expected = np.empty(len(zone))
    for low in range(0, len(zone), AT_ONCE):  # a row of all Länder for each window: of a day of them too much to hold
        some = slice(low, low + AT_ONCE)
        hours = field.hourly[:, last[some]] - field.hourly[:, last[some] - duration[some]]
        expected[some] = (rate[place[some]] * hours.T).sum(axis=1)
    return expected


def _scale(
    field: Field, last: Ints, duration: Ints | int, count: Floats, expected: Floats, *, by_share: bool
) -> Floats:
    """Return what expected reports are multiplied by: a conditional test needs the nation's sum to be as counted."""
    if by_share or field.statistic == "kulldorff":
        return _nation_ratio(field, last, duration)
    return _drift(field, last, duration, count, expected)


def _drift(field: Field, last: Ints, duration: Ints | int, count: Floats, expected: Floats) -> Floats:
    """Return how the rest of the located nation does: (C_N − c + a) / (B_N − b + a), over at least 3 hours."""
    first = np.maximum(last - np.maximum(duration, DRIFT_BUCKETS), 0)
    counted = field.counted[last] - field.counted[first]
    usual = field.usual[last] - field.usual[first]
    ratio: Floats = (np.maximum(counted - count, 0.0) + DRIFT_PRIOR) / (np.maximum(usual - expected, 0.0) + DRIFT_PRIOR)
    return ratio


def _nation_ratio(field: Field, last: Ints, duration: Ints | int) -> Floats:
    """Return the located nation's reports over the expected ones: only an unusual share is left."""
    counted = field.counted[last] - field.counted[last - duration]
    ratio: Floats = counted / np.maximum(field.usual[last] - field.usual[last - duration], TINY)
    return ratio


def score_of(
    field: Field, count: Floats, expected: Floats, inverse_r: Floats, floor: Floats | float, *, total: Floats | float
) -> Floats:
    """Return the scores; 0 will do for those below the floor, and for windows with too few reports.

    total: the located nation's reports in each window, that the conditional statistic needs.
    """
    score = np.zeros(len(count))
    worth = (count >= MIN_REPORTS - ROUNDING) & (count > expected) & (expected > 0)
    if field.statistic != "kulldorff":
        worth[worth] = ebp(count[worth], expected[worth]) >= np.broadcast_to(floor, len(count))[worth]
    k = clumping(field.level.phi_effective, expected[worth], inverse_r[worth])
    total = np.broadcast_to(total, len(count))[worth]
    statistic = STATISTICS[field.statistic]
    score[worth] = statistic(count[worth], expected[worth], k=k, total_c=total, total_b=total)
    return score


def national(field: Field, looks: Looks, floor: Floats) -> Windows:
    """Return the windows of the nation, against its own level of late, reports not located among them."""
    zone = field.span.zones.nation
    last = np.concatenate([ends for _, _, ends in looks])
    column = np.concatenate([np.full(len(ends), c) for c, _, ends in looks])
    count, expected, inverse_r = field.nation_in(last, np.array(DURATIONS)[column])
    level = floor[field.span.zones.level[zone]]
    score = score_of(field, count, expected, inverse_r, level, total=count)
    good = score >= level
    return Windows(last[good] - field.span.back, np.full(int(good.sum()), zone), column[good], score[good])


@dataclass(frozen=True, slots=True)
class Figures:
    """Some regions in one window: reports and what was expected of them, the same as effective reports, the score.

    Expected is after drift, or by share.
    """

    reports: float
    expected: float
    effective: float
    effective_expected: float
    score: float


def figures(field: Field, column: int, regions: Ints | None, *, by_share: bool = False) -> Figures:
    """Return the figures of `regions` (None: the nation) in the window of `column` at the last tick."""
    window = field.window(DURATIONS[column])
    last = np.array([field.hourly.shape[1] - 1])
    if regions is None:
        count, usual, uncertain = (float(x[0]) for x in field.nation_in(last, np.array([DURATIONS[column]])))
        score = _score_one(field, count, usual, uncertain)
        return Figures(window.together, usual / field.level.nation_worth, count, usual, score)
    count, usual = window.effective[regions].sum(keepdims=True), window.expected[regions].sum(keepdims=True)
    duration = DURATIONS[column]
    factor = _scale(field, last, duration, count, usual, by_share=by_share)
    expected, reports = float((usual * factor)[0]), float(window.reports[regions].sum())
    score = _score_one(field, float(count[0]), expected, inverse_r(field, regions))
    worth = float(field.rate[regions].sum()) / max(float(field.level.rate[regions].sum()), TINY)
    return Figures(reports, expected / max(worth, TINY), float(count[0]), expected, score)


def inverse_r(field: Field, regions: Ints) -> float:
    """Return 1/r of the regions together: how uncertain their level is, as a share of its square."""
    rate = field.rate[regions]
    own = float((rate**2 / field.level.shape[regions]).sum()) / max(float(rate.sum()) ** 2, TINY)
    return 1 / field.level.r_local + own


def _score_one(field: Field, count: float, expected: float, uncertain: float) -> float:
    one = np.array([count]), np.array([max(expected, TINY)]), np.array([uncertain])
    return float(score_of(field, *one, 0.0, total=count)[0])
