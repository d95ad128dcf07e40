"""What Netzlage is held against: other detectors, and an oracle that is told what it looks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.special import gammaln

from aggregator.detect.baseline import R_NATION
from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells
from aggregator.detect.drift import LAG, REACH, ahead, follow
from aggregator.detect.nullweeks import DAY
from aggregator.detect.scan import scan
from aggregator.detect.span import Prepared, Span, field_of
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL
from tests.benchmarks.chance import LARGEST, RAMP, TRIAL, Outage, World, stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
GUARD, DAYS = 2, 7  # EARS C2: a baseline of seven days that ends two days ago
BEFORE = (GUARD + DAYS) * DAY + PER_HOUR  # buckets of history that the rivals need
RATIO = 3.0  # "significantly above the usual": at least this many times the expected reports
LEAST = {"1.0": 10.0, "1.4": 20.0, "2.0": 30.0, "heavy": 60.0}  # nats below which no rival scan is looked at


@dataclass(frozen=True, slots=True)
class Run:
    """A provider's reports over a run of ticks: cells from BEFORE buckets before `first` on."""

    world: World
    prepared: Prepared
    provider: int
    first: int
    ticks: int
    cells: Cells

    def span(self) -> Span:
        """Return the span of the run, heard all the time."""
        start = self.first - DAY
        return Span(
            self.first, self.ticks, self.prepared, Coverage(start, DAY + self.ticks, {ALL: np.ones(DAY + self.ticks)})
        )

    def units(self, names: str) -> Floats:
        """Return reports per unit and bucket since BEFORE buckets ago; "all": districts, Länder and the nation."""
        start, regions = self.first - BEFORE, self.world.regions
        buckets = BEFORE + self.ticks - 1
        cells = self.cells.between(start, start + buckets)
        table = sparse.csr_array((cells.count, (cells.region, cells.bucket - start)), shape=(len(regions), buckets))
        if names == "districts":
            return np.asarray(table.toarray(), dtype=np.float64)
        lands = sorted({r.parent for r in regions})
        inside = np.array([[r.parent == land for r in regions] for land in lands], dtype=np.float64)
        together = np.vstack([np.eye(len(regions)), inside, np.ones((1, len(regions)))])
        return (sparse.csr_array(together) @ table).toarray().astype(np.float64)


def count_with_ratio(run: Run) -> Floats:
    """Return the largest count of an hour among districts, Länder and nation that are three times above the usual."""
    count = _last_hour(run.units("all"), run.ticks)
    rate = run.prepared.baseline.of(stream(run.provider)).rate
    lands = sorted({r.parent for r in run.world.regions})
    parent = np.array([r.parent for r in run.world.regions])
    usual = np.concatenate([rate, [rate[parent == land].sum() for land in lands], [rate.sum()]])
    hours = run.world.hours(run.first - PER_HOUR, run.ticks + PER_HOUR)
    expected = usual[:, None] * _sums(hours[None, :-1])[0]
    best: Floats = np.where(count >= RATIO * expected, count, 0.0).max(axis=0)
    return best


def _sums(table: Floats) -> Floats:
    before = np.concatenate([np.zeros((len(table), 1)), np.cumsum(table, axis=1)], axis=1)
    hour: Floats = before[:, PER_HOUR:] - before[:, :-PER_HOUR]
    return hour


def _last_hour(units: Floats, ticks: int) -> Floats:
    return _sums(units)[:, -ticks:]


def ears_c2(run: Run, names: str) -> Floats:
    """Return the largest (count − mean)/sd of an hour against the same hour of seven days, two days of guard.

    The deviation is never below √mean nor below 1, which helps it: seven counts of 0 have a deviation of 0.
    """
    hour = _sums(run.units(names))
    now = np.arange(hour.shape[1] - run.ticks, hour.shape[1])
    past = np.array([hour[:, now - day * DAY] for day in range(GUARD + 1, GUARD + DAYS + 1)])
    mean, sd = past.mean(axis=0), past.std(axis=0, ddof=1)
    score: Floats = (hour[:, now] - mean) / np.maximum(np.maximum(sd, np.sqrt(mean)), 1.0)
    best: Floats = score.max(axis=0)
    return best


def scanned(run: Run, statistic: str) -> Floats:
    """Return the highest score of all zones and durations, one threshold for all of them."""
    least = LEAST[run.world.kind] * (0.6 if statistic == "kulldorff" else 1.0)
    found = scan(field_of(run.span(), stream(run.provider), run.cells, statistic), np.full(len(LEVELS), least))
    highest = np.zeros(run.ticks)
    np.maximum.at(highest, found.tick, found.score)
    return highest


RIVALS: Mapping[str, Callable[[Run], Floats]] = {
    "count + ratio": count_with_ratio,
    "EARS C2, districts": lambda run: ears_c2(run, "districts"),
    "EARS C2, districts, Länder, nation": lambda run: ears_c2(run, "all"),
    "EBP": lambda run: scanned(run, "ebp"),
    "Kulldorff": lambda run: scanned(run, "kulldorff"),
}


class Oracle:
    """The likelihood ratio of one outage, told its size, shape and strength but not its place, stream or time."""

    def __init__(self, world: World, prepared: Prepared, outage: Outage) -> None:
        self.world, self.prepared, self.outage = world, prepared, outage
        self._means = np.geomspace(1e-7, 60.0, 600)
        self._log = log_chance(world.clumps, self._means)
        circle = np.ravel(world.nearest[:, : outage.districts])
        rows = np.repeat(np.arange(len(world.regions)), min(outage.districts, len(world.regions)))
        self._zones = sparse.csr_array((np.ones(len(rows)), (rows, circle)))

    def score(self, run: Run) -> Floats:
        """Return the highest log likelihood ratio over all places and onsets in the last two hours, per tick."""
        return self._national(run) if self.outage.districts == len(self.world.regions) else self._local(run)

    def _worth(self, count: Floats, mean: Floats, more: Floats) -> Floats:
        """Return what a cell says for `more` reports on top of `mean`, an empty one's share left out."""
        before, after = mean / self.world.size, (mean + more) / self.world.size
        return self._at(count, after) + after - self._at(count, before) - before

    def _at(self, count: Floats, mean: Floats) -> Floats:
        step = np.log(self._means[1] / self._means[0])
        place = np.clip(np.log(np.maximum(mean, self._means[0]) / self._means[0]) / step, 0, len(self._means) - 1.001)
        low, x = place.astype(np.int64), np.minimum(count, self._log.shape[1] - 1).astype(np.int64)
        part = place - low
        found: Floats = (1 - part) * self._log[low, x] + part * self._log[low + 1, x]
        return found

    def _local(self, run: Run) -> Floats:
        start, buckets = run.first - TRIAL, run.ticks + TRIAL - 1
        cells = run.cells.between(start, start + buckets)
        rate, hours = self.world.rate[run.provider], self.world.hours(start, buckets)
        total = self._zones @ rate
        by_region = self._zones.tocsc()
        times = np.diff(by_region.indptr)[cells.region]
        row = np.repeat(np.arange(len(cells.region)), times)
        starts = by_region.indptr[cells.region]
        zone = by_region.indices[
            np.repeat(starts - np.concatenate([[0], np.cumsum(times)[:-1]]), times) + np.arange(len(row))
        ]
        region, bucket, count = cells.region[row], cells.bucket[row] - start, cells.count[row]
        mean = rate[region] * hours[bucket]
        parts = []
        for ramp in (RAMP[0], RAMP[1], 1.0):
            more = ramp * (self.outage.more / PER_HOUR * rate[region] / total[zone] + (self.outage.times - 1) * mean)
            worth = sparse.csr_array((self._worth(count, mean, more), (bucket, zone)), shape=(buckets, len(total)))
            added = self.outage.more / PER_HOUR + (self.outage.times - 1) * np.outer(hours, total)
            parts.append(worth.toarray() - ramp * added / self.world.size)
        return _best_onset(parts[0], parts[1], parts[2], run.ticks)

    def _national(self, run: Run) -> Floats:
        """Score effective counts of the nation; of its drift an oracle too knows only what the hours before tell."""
        level = self.prepared.baseline.of(stream(run.provider))
        back = TRIAL + LAG + REACH
        start, buckets = run.first - back, run.ticks + back - 1
        cells = level.effective(run.cells.between(start, start + buckets))
        count = np.bincount(cells.bucket - start, weights=cells.count, minlength=buckets).astype(np.float64)
        mean = level.nation_worth * self.world.rate[run.provider].sum() * self.world.hours(start, buckets)
        more = level.nation_worth * self.outage.more / PER_HOUR + (self.outage.times - 1) * mean
        of_late = follow(count, mean, level.phi_effective, R_NATION)
        best = np.full(run.ticks, -np.inf)
        now = np.arange(back - 1, back - 1 + run.ticks)
        for age in range(1, TRIAL + 1):
            window = now[:, None] - np.arange(age)[::-1]
            known = window[:, 0] - LAG
            drifted, inverse_r = ahead(of_late[0][known], of_late[1][known], np.full(run.ticks, age), R_NATION)
            c, b = count[window].sum(axis=1), mean[window].sum(axis=1) * drifted
            extra = (more[window] * RAMP[:age]).sum(axis=1)
            k = level.phi_effective - 1 + b * inverse_r
            low, high = b / k, (b + extra) / k
            score = gammaln(c + high) - gammaln(high) - gammaln(c + low) + gammaln(low) - extra * np.log1p(k) / k
            best = np.maximum(best, score)
        return np.asarray(best, dtype=np.float64)


def _best_onset(first: Floats, second: Floats, rest: Floats, ticks: int) -> Floats:
    """Return the best sum over onsets 1 … 24 buckets ago: the ramp's two buckets, then all the others."""
    before = np.concatenate([np.zeros((1, rest.shape[1])), np.cumsum(rest, axis=0)])
    end = np.arange(TRIAL - 1, TRIAL - 1 + ticks)
    best: Floats = first[end].max(axis=1)
    for age in range(2, TRIAL + 1):
        begin = end - age + 1
        best = np.maximum(best, (first[begin] + second[begin + 1] + before[end + 1] - before[begin + 2]).max(axis=1))
    return best


def log_chance(clumps: Floats, means: Floats, most: int = 150) -> Floats:
    """Return ln P(x reports) for Poisson numbers of clumps, shape (means, most + 1), by Panjer's recursion."""
    sizes = np.zeros(most + 1)
    sizes[1 : LARGEST + 1] = clumps * np.arange(1, LARGEST + 1)
    chance = np.zeros((len(means), most + 1))
    chance[:, 0] = np.exp(-means)
    for x in range(1, most + 1):
        chance[:, x] = means / x * (chance[:, :x][:, ::-1] @ sizes[1 : x + 1])
    return np.log(np.maximum(chance, 1e-300))


def all_rivals(run: Run, names: Collection[str]) -> dict[str, Floats]:
    """Return what each rival of those names says at each tick."""
    return {name: rival(run) for name, rival in RIVALS.items() if name in names}
