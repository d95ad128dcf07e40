"""A baseline and a calibration -> how many more reports an hour are found within an hour, and how surely. Pure.

A fault that brings q more reports an hour is found if the hour since its beginning reaches the threshold. What it
sends comes one by one and where the stream's reports usually come from; what is usual goes on beside it, in clumps.
Looking at shorter windows too finds some faults sooner: these limits are not too low.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import Baseline, StreamBaseline
from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.calibrate import Calibration
from aggregator.detect.chance import gamma_beyond, negative_binomial, poisson
from aggregator.detect.drift import REACH, ahead, follow
from aggregator.detect.effective import NO_CLUMPING, effective_counts
from aggregator.detect.scan import MIN_REPORTS, ROUNDING
from aggregator.detect.score import clumping, nb1
from aggregator.detect.span import TINY
from aggregator.detect.zones import LEVELS, great_circle
from aggregator.model import ALL, Region, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Kind = Literal["district", "city", "region", "nation"]
LEVEL_OF: dict[Kind, str] = {"district": "district", "city": "district", "region": "6-12", "nation": "nation"}
NEIGHBOURS = 12  # districts of a region
CHANCES = (0.5, 0.95)
FEW = 30  # districts up to which the sum's distribution is computed point by point
STEP = 0.02  # effective reports between two points
LEAST, MOST, HALVINGS = 0.5, 20_000.0, 14  # reports an hour that are tried


@dataclass(frozen=True, slots=True)
class Limit:
    """How many more reports an hour from `regions` (empty: the nation) are found within it, half or 95 % of times."""

    kind: Kind
    regions: tuple[str, ...]
    half: float
    nearly_all: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits in the busiest stream: in quieter ones fewer reports are enough."""

    stream: Stream
    found: tuple[Limit, ...]


def find_limits(baseline: Baseline, regions: Sequence[Region], calibration: Calibration, end: int) -> Limits | None:
    """Return the limits of the hour before bucket `end`; None without a basis for comparison.

    regions: those of the baseline, in its order. A typical district is that of the middle inhabitant.
    """
    narrow = [stream for stream in baseline.streams if stream.service != ALL]
    if baseline.cold or not narrow:
        return None
    stream = max(narrow, key=lambda s: (baseline.of(s).nation_rate, s.provider, s.service))
    hours = baseline.hourly(stream, np.arange(end - PER_HOUR, end)).sum(axis=1)
    lands = np.searchsorted(sorted(set(baseline.lands)), baseline.lands)
    floor = calibration.floor(calibration.suspected)
    found = []
    for kind, places in _places(regions).items():
        low = float(floor[LEVELS.index(LEVEL_OF[kind])])
        names = () if places is None else tuple(regions[i].id for i in places)
        found.append(Limit(kind, names, *least_rates(baseline.of(stream), places, hours[lands], low)))
    return Limits(stream, tuple(found))


def _places(regions: Sequence[Region]) -> dict[Kind, Ints | None]:
    """Return the district of the middle inhabitant, the largest, the region round the first, the nation."""
    population = np.array([region.population for region in regions], dtype=np.float64)
    order = np.argsort(population, kind="stable")
    middle = int(order[np.searchsorted(np.cumsum(population[order]), population.sum() / 2)])
    distance = great_circle(np.array([r.lat for r in regions]), np.array([r.lon for r in regions]))[middle]
    near = np.sort(np.argsort(distance, kind="stable")[:NEIGHBOURS])
    largest = int(np.argmax(population))
    return {"district": np.array([middle]), "city": np.array([largest]), "region": near, "nation": None}


@dataclass(frozen=True, slots=True)
class _Part:
    """Some places of a stream in the hour. mean: what a cell is weighed against, reports in five minutes at h = 1."""

    usual: Floats  # reports in five minutes of this hour, per place
    mean: Floats
    expected: float  # effective reports of the hour
    inverse_r: float
    phi: float


def least_rates(level: StreamBaseline, places: Ints | None, hours: Floats, floor: float) -> tuple[float, float]:
    """Return the reports an hour, beyond the usual, that reach `floor` (nats) with the chances of CHANCES.

    places: of the regions (None: the nation); hours: per region, the hours at h = 1 that the hour is worth.
    """
    part = _nation(level, hours) if places is None else _local(level, places, hours)
    needed = _needed(part, level.phi_effective, floor)
    half, nearly_all = (_solve(part, needed, wanted) for wanted in CHANCES)
    return half, nearly_all


def _local(level: StreamBaseline, places: Ints, hours: Floats) -> _Part:
    rate, effective, hour = level.rate[places], level.effective_rate[places], hours[places]
    own = float((effective**2 / level.shape[places]).sum()) / max(float(effective.sum()) ** 2, TINY)
    return _Part(rate * hour / PER_HOUR, rate / PER_HOUR, float(effective @ hour), 1 / level.r_local + own, level.phi)


def _nation(level: StreamBaseline, hours: Floats) -> _Part:
    located = max(float(level.rate.sum()), TINY)
    elsewhere = max(level.nation_rate - located, 0.0)
    hour = float(level.rate @ hours) / located
    usual = np.append(level.rate * hours, elsewhere * hour) / PER_HOUR
    expected = (
        float(level.effective_rate @ hours) * level.effective_nation / max(float(level.effective_rate.sum()), TINY)
    )
    return _Part(usual, np.append(level.rate, elsewhere) / PER_HOUR, expected, _of_late(level, expected), level.phi)


def _of_late(stream: StreamBaseline, expected: float) -> float:
    """Return 1/r of the nation's hour after usual ones. expected: effective reports of the hour."""
    usual = np.full(REACH, expected / PER_HOUR)
    level, uncertain = follow(usual, usual, stream.phi_effective, stream.r_nation)
    return float(ahead(level[-1:], uncertain[-1:], np.array([PER_HOUR]), stream.r_nation)[1][0])


def _needed(part: _Part, phi_effective: float, floor: float) -> float:
    """Return the least count of effective reports whose score reaches the floor."""
    expected = np.array([max(part.expected, TINY)])
    k = clumping(phi_effective, expected, part.inverse_r)
    low, high = part.expected, part.expected + 1e5
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if float(nb1(np.array([middle]), expected, k=k)[0]) >= floor else (middle, high)
    return max(high, MIN_REPORTS)


def _solve(part: _Part, needed: float, wanted: float) -> float:
    """Return the reports an hour with which the count reaches `needed` with the wanted chance."""
    share = part.mean / part.mean.sum() if part.mean.sum() > 0 else np.full(len(part.mean), 1 / len(part.mean))
    low, high = np.log(LEAST), np.log(MOST)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        reached = _chance(part, float(np.exp(middle)) * share / PER_HOUR, needed)
        low, high = (low, middle) if reached >= wanted else (middle, high)
    return float(np.exp(high))


def _chance(part: _Part, more: Floats, needed: float) -> float:
    """Return the chance that the hour's effective reports reach `needed`. more: of the fault, in five minutes."""
    size = int(np.ceil(float(part.usual.max() + more.max()) * 3 + 20 + 30 * (part.phi - 1)))
    counts = np.arange(size)
    chance = _reports(part, more, counts)
    seen = np.maximum(counts, 1.0)
    worth = effective_counts(np.broadcast_to(seen, chance.shape), part.mean[:, None], part.phi) * (counts > 0)
    if len(more) <= FEW:
        return _exactly(chance, worth, needed)
    return _roughly(chance, worth, needed)


def _reports(part: _Part, more: Floats, counts: Ints) -> Floats:
    """Return how likely each count of a cell is, shape (places, counts): usual clumps and the fault's reports."""
    usual = np.maximum(part.usual, TINY)[:, None]
    k = part.phi - 1.0
    quiet = poisson(counts, usual) if k < NO_CLUMPING else negative_binomial(counts, usual / k, 1 / part.phi)
    fault = poisson(counts, more[:, None])
    both = np.fft.irfft(np.fft.rfft(quiet, 2 * len(counts)) * np.fft.rfft(fault, 2 * len(counts)), 2 * len(counts))
    together = np.maximum(both[:, : len(counts)], 0.0)
    return np.asarray(together / together.sum(axis=1, keepdims=True), dtype=np.float64)


def _exactly(chance: Floats, worth: Floats, needed: float) -> float:
    """Add up the cells of the hour point by point."""
    points = 1 << int(np.ceil(np.log2(PER_HOUR * float((chance * worth).sum()) * 4 / STEP + 4 * needed / STEP + 2048)))
    place = np.minimum(np.round(worth / STEP).astype(np.int64), points - 1)
    wave = np.ones(points // 2 + 1, dtype=np.complex128)
    for row in range(len(chance)):
        cell = np.bincount(place[row], weights=chance[row], minlength=points)
        wave = wave * np.fft.rfft(cell) ** PER_HOUR
    together = np.fft.irfft(wave, points)
    return float(together[int(np.ceil((needed - ROUNDING) / STEP - 0.5)) :].sum())


def _roughly(chance: Floats, worth: Floats, needed: float) -> float:
    """Take the sum of many cells for a gamma distribution of its first three moments."""
    mean = (chance * worth).sum(axis=1)
    apart = worth - mean[:, None]
    variance, third = (PER_HOUR * float((chance * apart**power).sum()) for power in (2, 3))
    skew = max(third / variance**1.5, 1e-6)
    z = (needed - 0.5 - PER_HOUR * float(mean.sum())) / np.sqrt(variance)
    return gamma_beyond((z + 2 / skew) * 2 / skew, 4 / skew**2)
