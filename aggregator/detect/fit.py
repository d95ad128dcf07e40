"""Four weeks of cells -> the baseline of each stream (detection.md, section 1). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import Baseline, StreamBaseline
from aggregator.detect.calendar import PER_HOUR, WEEK_HOURS, hours_of_week
from aggregator.detect.clumps import weigh_clumps
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import NO_CELLS, NOT_LOCATED, Cells
from aggregator.detect.scatter import with_scatter
from aggregator.model import ALL, Provider, Region, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = Sequence[tuple[int, int]]  # alarmed stretches of buckets, start inclusive, end exclusive

CAP_QUANTILE = 0.995  # hours above it are scaled down, so that an outage does not become normal
NATIONAL_PRIOR = 60e-6 / 24  # reports an hour and inhabitant before anything was heard: 5,000 a day in Germany
PROFILE_WEIGHT = (
    30.0  # reports per hour of the week that "as usual" is worth: flat for the pool, the pool for a provider
)
PHI_WEIGHT = 50.0  # reports that the pooled φ is worth beside a stream's own
HALF = 0.5  # a stream never heard of still expects half a report per history: no level is zero
LEAK = 0.02  # share of a provider's reports that may come from outside its footprint
SMALLEST_SPREAD = 0.02
MAX_PHI = 20.0


@dataclass(frozen=True, slots=True)
class History:
    """What the baseline is learned from: the buckets [start, end), cells and coverage of them, alarmed stretches."""

    start: int
    end: int
    cells: Mapping[Stream, Cells]
    coverage: Coverage
    masks: Mapping[Stream, Mask]

    def exposure(self, stream: Stream) -> Floats:
        """Return per bucket the share that was heard and not alarmed."""
        heard = self.coverage.heard(stream.provider, self.start, self.end)
        for low, high in self._masks(stream):
            heard[max(low - self.start, 0) : max(high - self.start, 0)] = 0.0
        return heard

    def _masks(self, stream: Stream) -> list[tuple[int, int]]:
        """Return the stretches alarmed in the stream itself or in one that it contains."""
        return [
            stretch
            for other, stretches in self.masks.items()
            if stream.provider in (ALL, other.provider) and stream.service in (ALL, other.service)
            for stretch in stretches
        ]


@dataclass(frozen=True, slots=True)
class Seen:
    """A stream's history without what was blind or alarmed, its outlying hours scaled down by `weight` (per cell)."""

    cells: Cells
    weight: Floats
    exposure: Floats  # per bucket

    @property
    def plain(self) -> Cells:
        """Return the located cells of the hours that were not scaled down."""
        return self.cells.where((self.weight >= 1.0) & (self.cells.region != NOT_LOCATED))


def fit(
    history: History, regions: Sequence[Region], providers: Mapping[str, Provider], day: date, streams: Sequence[Stream]
) -> Baseline:
    """Learn the level of every stream of the history and of `streams`.

    regions: the districts, in the order of the cells' numbers; providers: for footprints and cold-start shares.
    """
    lands = tuple(r.parent for r in regions)
    buckets = np.arange(history.start, history.end)
    hours = hours_of_week(buckets, sorted(set(lands)))
    common = np.sort(hours, axis=0)[len(hours) // 2]  # the hour in most Länder
    wanted = sorted({*streams, *history.cells, Stream(ALL, ALL)}, key=lambda s: (s.provider, s.service))
    seen = {stream: _see(history, stream) for stream in wanted}
    pool = _pooled_profile(seen[Stream(ALL, ALL)], common)
    profiles = {name: _own_profile(seen[Stream(name, ALL)], common, pool) for name in _names(wanted)}
    shares = {name: _population_share(regions, providers.get(name)) for name in {s.provider for s in wanted}}
    levels = {
        s: _level(seen[s], profiles.get(s.provider, pool), common, shares[s.provider], _prior(s, providers, regions))
        for s in wanted
    }
    levels = weigh_clumps(_shrink_phi(levels, seen, common), seen, common)
    levels = with_scatter(levels, seen, common, np.unique(lands, return_inverse=True)[1])
    everywhere = _population_share(regions, None)
    nothing = Seen(NO_CELLS, np.empty(0), seen[Stream(ALL, ALL)].exposure)
    fallback = _level(nothing, pool, common, everywhere, HALF / WEEK_HOURS)
    heard = float(history.coverage.heard(ALL, history.start, history.end).sum()) / PER_HOUR  # alarmed or not
    return Baseline(day, heard, tuple(r.id for r in regions), lands, levels, fallback)


def _names(streams: Sequence[Stream]) -> list[str]:
    return [s.provider for s in streams if s.service == ALL and s.provider != ALL]


def _see(history: History, stream: Stream) -> Seen:
    exposure = history.exposure(stream)
    cells = history.cells.get(stream, NO_CELLS).between(history.start, history.end)
    cells = cells.where(exposure[cells.bucket - history.start] > 0)
    return Seen(replace(cells, bucket=cells.bucket - history.start), _hour_weights(cells, history), exposure)


def _hour_weights(cells: Cells, history: History) -> Floats:
    """Return per cell the factor that brings its hour down to the stream's 99.5 % hour, all regions alike."""
    hour = (cells.bucket - history.start) // PER_HOUR
    totals = _sum_by(hour, cells.count, (history.end - history.start) // PER_HOUR + 1)
    cap = max(float(np.quantile(totals, CAP_QUANTILE)), 1.0)
    return np.minimum(1.0, cap / np.maximum(totals[hour], 1.0))


def _pooled_profile(seen: Seen, hours: Ints) -> Floats:
    own, exposed = _by_hour(seen, hours)
    mean = own.sum() / exposed.sum() if exposed.sum() else 0.0
    return _smooth((own + PROFILE_WEIGHT) / (exposed * mean + PROFILE_WEIGHT))


def _own_profile(seen: Seen, hours: Ints, pool: Floats) -> Floats:
    own, exposed = _by_hour(seen, hours)
    usual = exposed * pool
    rate = own.sum() / usual.sum() if usual.sum() else 0.0
    return _smooth(pool * (own + PROFILE_WEIGHT) / (rate * usual + PROFILE_WEIGHT))


def _by_hour(seen: Seen, hours: Ints) -> tuple[Floats, Floats]:
    own = _sum_by(hours[seen.cells.bucket], seen.cells.count * seen.weight, WEEK_HOURS)
    return own, _sum_by(hours, seen.exposure / PER_HOUR, WEEK_HOURS)


def _sum_by(index: Ints, values: Floats, length: int) -> Floats:
    return np.bincount(index, weights=values, minlength=length).astype(np.float64)


def _smooth(raw: Floats) -> Floats:
    smooth = 0.25 * np.roll(raw, 1) + 0.5 * raw + 0.25 * np.roll(raw, -1)
    mean_one: Floats = smooth / smooth.mean()
    return mean_one


def _population_share(regions: Sequence[Region], provider: Provider | None) -> Floats:
    """Return each region's share of the people a provider sells to, 2 % of them spread over the whole country."""
    people = np.array([r.population for r in regions], dtype=np.float64)
    everywhere: Floats = people / people.sum()
    if provider is None or not provider.footprint:
        return everywhere
    sold: Floats = np.where([r.id.startswith(provider.footprint) for r in regions], people, 0.0)
    if not sold.sum():
        return everywhere
    leaking: Floats = (1 - LEAK) * sold / sold.sum() + LEAK * everywhere
    return leaking


def _prior(stream: Stream, providers: Mapping[str, Provider], regions: Sequence[Region]) -> float:
    """Return the reports an hour that the catalogue alone would expect."""
    nation = NATIONAL_PRIOR * sum(r.population for r in regions)
    if stream.provider == ALL:
        return nation
    provider = providers.get(stream.provider)
    rate = nation * provider.share if provider else 0.0
    if provider and stream.service != ALL:
        rate /= max(len(provider.services), 1)
    return max(rate, HALF / WEEK_HOURS)


def _level(seen: Seen, profile: Floats, hours: Ints, share: Floats, prior: float) -> StreamBaseline:
    """Shrink the regions' rates towards their share of the people; two passes, the first with φ = 1."""
    heard = float((seen.exposure * profile[hours]).sum()) / PER_HOUR  # T, in hours at h = 1
    lacking = max(WEEK_HOURS - heard, 0.0)  # the catalogue's prior stands in for what a week lacks
    duration = heard + lacking
    count = seen.cells.count * seen.weight
    located = seen.cells.region != NOT_LOCATED
    own = _sum_by(seen.cells.region[located], count[located], len(share))
    total = own.sum() + HALF + prior * lacking
    nation = (count.sum() + HALF + prior * lacking) / duration
    own = own + prior * lacking * share
    level = StreamBaseline(np.zeros(len(share)), np.ones(len(share)), nation, 1.0, profile, np.ones(len(share)))
    for _ in range(2):
        rate, shape = _shrink(own, total * share, level.phi, duration)
        level = replace(level, rate=rate, shape=shape)
        level = replace(level, phi=float(np.clip(_ratio(*_clumping(seen, level, hours)), 1.0, MAX_PHI)))
    return level


def _shrink(own: Floats, usual: Floats, phi: float, duration: float) -> tuple[Floats, Floats]:
    """Return lambda = (H/φ + A) / (m/φ + A) · m / T and its shape H/φ + A."""
    spread = float(((own - usual) ** 2 - phi * usual).sum() / (usual**2).sum())
    a = 1.0 / max(SMALLEST_SPREAD, spread)
    shape = own / phi + a
    return shape / (usual / phi + a) * usual / duration, shape


def _clumping(seen: Seen, level: StreamBaseline, hours: Ints) -> tuple[float, float]:
    """Return Σx² − Σmu² and Σx over (region, 5-minute) cells: their ratio is φ. Scaled-down hours are left out."""
    x = seen.plain.count
    mu_time = float(((level.profile[hours] * seen.exposure / PER_HOUR) ** 2).sum())
    return float((x**2).sum()) - float((level.rate**2).sum()) * mu_time, float(x.sum())


def _ratio(above: float, below: float) -> float:
    return above / below if below > 0 else 1.0


def _shrink_phi(
    levels: Mapping[Stream, StreamBaseline], seen: Mapping[Stream, Seen], hours: Ints
) -> dict[Stream, StreamBaseline]:
    """Pull the φ of streams with few reports towards that of all narrow streams together."""
    sums = {s: _clumping(seen[s], level, hours) for s, level in levels.items()}
    narrow = [pair for s, pair in sums.items() if s.service != ALL]
    pooled = max(_ratio(sum(a for a, _ in narrow), sum(b for _, b in narrow)), 1.0)
    return {
        s: replace(
            level,
            phi=float(np.clip((sums[s][0] + PHI_WEIGHT * pooled) / (sums[s][1] + PHI_WEIGHT), 1.0, MAX_PHI)),
        )
        for s, level in levels.items()
    }
