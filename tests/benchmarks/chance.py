"""The benchmark's world: 400 districts, 10 providers, 5,000 reports a day, chance of four kinds, and its outages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import numpy.typing as npt
from scipy.signal import lfilter

from aggregator.catalogue import load_catalogue
from aggregator.detect.calendar import PER_HOUR, hours_of_week
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, merged
from aggregator.detect.fit import History, fit
from aggregator.detect.nullweeks import MONDAY, WEEK
from aggregator.detect.span import Prepared, prepare
from aggregator.detect.zones import great_circle, make_zones
from aggregator.model import ALL, Provider, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SHARES = (0.30, 0.22, 0.14, 0.10, 0.08, 0.05, 0.04, 0.03, 0.02, 0.02)
A_DAY = 5_000
AFFINITY_SD, DRIFT_SD, DRIFT_HOURS = 0.3, 0.2, 6
BY_HOUR = (
    0.35, 0.25, 0.2, 0.18, 0.2, 0.3, 0.5, 0.8, 1.1, 1.25, 1.3, 1.3,
    1.3, 1.25, 1.2, 1.2, 1.25, 1.4, 1.6, 1.7, 1.65, 1.4, 1.0, 0.6,
)  # fmt: skip
BY_DAY = (1.05, 1.03, 1.02, 1.0, 1.0, 0.93, 0.97)
LEARNED = 4 * WEEK
TRIAL = 24  # buckets: 120 minutes
RAMP = np.concatenate([[0.25, 0.75], np.ones(TRIAL - 2)])  # reports set in over ten minutes
LARGEST = 60  # of the heavy tail's clumps


@dataclass(frozen=True, slots=True)
class Outage:
    """A row of the table: how many districts, reports an hour more of all together, or times the usual."""

    label: str
    districts: int
    more: float = 0.0
    times: float = 1.0


OUTAGES = (
    Outage("one district +12/h", 1, more=12),
    Outage("one district +24/h", 1, more=24),
    Outage("12 districts +24/h together", 12, more=24),
    Outage("12 districts ×20", 12, times=20),
    Outage("nation ×3", 400, times=3),
    Outage("nation ×5", 400, times=5),
    Outage("nation +60/h", 400, more=60),
)
TWELVE_WEAK = Outage("12 districts +12/h together", 12, more=12)


def clump_sizes(kind: str) -> Floats:
    """Return the chance of clumps of 1, 2, … reports: log-series (counts are negative binomial) or 1/size³."""
    size = np.arange(1, LARGEST + 1, dtype=np.float64)
    if kind == "heavy":
        chance = size**-3
    else:
        theta = 1 - 1 / float(kind)
        chance = theta ** (size - 1) / size if theta else (size == 1).astype(np.float64)
    normed: Floats = chance / chance.sum()
    return normed


class World:
    """One world of chance. kind: φ as text, or "heavy"."""

    def __init__(self, kind: str, seed: int = 1) -> None:
        self.kind = kind
        # Land names that are no German AGS: no holidays, as in the profile that the reports are drawn from
        self.regions = [replace(r, parent=f"L{r.parent}") for r in load_catalogue().regions.values()]
        self.people = np.array([r.population for r in self.regions], dtype=np.float64)
        self.people /= self.people.sum()
        affinity = np.random.default_rng(seed).lognormal(0.0, AFFINITY_SD, (len(SHARES), len(self.regions)))
        weight = self.people * affinity
        self.weight = weight / weight.sum(axis=1, keepdims=True)
        self.rate = np.array(SHARES)[:, None] * A_DAY / 24 * self.weight
        self.clumps = clump_sizes(kind)
        self.size = float(self.clumps @ np.arange(1, LARGEST + 1))
        profile = np.outer(BY_DAY, BY_HOUR).ravel()
        self.profile = profile / profile.mean()
        place = np.array([[r.lat, r.lon] for r in self.regions]).T
        self.nearest = np.argsort(great_circle(place[0], place[1]), axis=1, kind="stable")

    @property
    def phi(self) -> float:
        """Return variance over mean of the counts."""
        return float(self.clumps @ np.arange(1, LARGEST + 1) ** 2) / self.size

    def hours(self, start: int, buckets: int) -> Floats:
        """Return the hours' worth of each bucket."""
        hours: Floats = self.profile[hours_of_week(np.arange(start, start + buckets), [""])[0]] / PER_HOUR
        return hours

    def quiet(self, provider: int, start: int, buckets: int, rng: np.random.Generator) -> Cells:
        """Draw what chance sends of a provider in the buckets [start, start + buckets)."""
        mean = self.rate[provider].sum() * self.hours(start, buckets) * drift(buckets, rng)
        bucket = np.repeat(np.arange(start, start + buckets), rng.poisson(mean / self.size))
        region = rng.choice(len(self.regions), len(bucket), p=self.weight[provider])
        return self._clumped(bucket, region, rng)

    def outage(self, outage: Outage, provider: int, inside: Ints, onset: int, rng: np.random.Generator) -> Cells:
        """Draw the reports that an outage in the districts `inside` adds in the two hours from its onset."""
        rate = self.rate[provider][inside]
        mean = np.outer(RAMP, rate / rate.sum()) * outage.more / PER_HOUR
        mean = mean + np.outer(RAMP * self.hours(onset, TRIAL), rate) * (outage.times - 1)
        number = rng.poisson(mean / self.size)
        row, column = np.nonzero(number)
        times = number[row, column]
        return self._clumped(np.repeat(row + onset, times), np.repeat(inside[column], times), rng)

    def _clumped(self, bucket: Ints, region: Ints, rng: np.random.Generator) -> Cells:
        count = rng.choice(LARGEST, len(bucket), p=self.clumps) + 1.0
        return merged([Cells(region.astype(np.int64), bucket, count.astype(np.float64))])

    def place(self, outage: Outage, rng: np.random.Generator) -> Ints:
        """Draw where an outage is: a district by population, with it its nearest."""
        centre = rng.choice(len(self.regions), p=self.people)
        return np.sort(self.nearest[centre, : outage.districts]).astype(np.int64)

    def learn(self) -> Prepared:
        """Fit the baseline to four weeks of chance that end at MONDAY."""
        cells: dict[Stream, Cells] = {}
        for i in range(len(SHARES)):
            own = self.quiet(i, MONDAY - LEARNED, LEARNED, np.random.default_rng([11, i]))
            cells |= {stream(i): own, Stream(stream(i).provider, ALL): own}
        cells[Stream(ALL, ALL)] = merged([cells[stream(i)] for i in range(len(SHARES))])
        heard = Coverage(MONDAY - LEARNED, LEARNED, {ALL: np.ones(LEARNED)})
        history = History(MONDAY - LEARNED, MONDAY, cells, heard, {})
        providers = {stream(i).provider: Provider(stream(i).provider, "", share=s) for i, s in enumerate(SHARES)}
        baseline = fit(history, self.regions, providers, date(2017, 3, 6), [])
        return prepare(baseline, make_zones(self.regions))


def stream(provider: int) -> Stream:
    """Return the provider's one stream."""
    return Stream(f"p{provider}", "mobile")


def drift(buckets: int, rng: np.random.Generator) -> Floats:
    """Draw the factor by which a provider's reports go up and down nationwide: an AR(1) of its logarithm."""
    keep = float(np.exp(-1.0 / (DRIFT_HOURS * PER_HOUR)))
    steps = rng.normal(0.0, DRIFT_SD * np.sqrt(1 - keep**2), buckets)
    steps[0] = rng.normal(0.0, DRIFT_SD)
    return np.asarray(np.exp(lfilter([1.0], [1.0, -keep], steps) - DRIFT_SD**2 / 2), dtype=np.float64)
