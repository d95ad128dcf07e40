"""A history of hours -> r0: how far levels were off, of districts and of the nation, beyond chance. Pure.

In each hour the nation's reports are held against the usual ones, and each Land's against its share of that hour's. The
squares of what is off, less the variance of the counts, are the variance of the level (detection.md, section 1). What
was seen is weighed with the starting values by how sure each is; one pair of values is made for all streams.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import R_LOCAL, R_NATION, StreamBaseline
from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.clumps import Seen
from aggregator.detect.cube import NOT_LOCATED
from aggregator.model import ALL, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MEMORY_HOURS = 6  # hours that drift together
WEEKS_LOST = 4 / 3  # the profile of four weeks has taken a quarter of each drift for usual
ENOUGH = 2.0  # reports expected in an hour from which on what came says something
FAR = 16.0  # variances: four deviations, beyond which it is a fault that nobody noticed and no scatter
LEAST, MOST = {"local": 30.0, "nation": 8.0}, {"local": 250.0, "nation": 100.0}
TINY = 1e-12

Sums = tuple[float, float, float]  # Σ excess of squares, Σ of what it is a share of, its variance by chance


def with_scatter(
    levels: Mapping[Stream, StreamBaseline], seen: Mapping[Stream, Seen], hours: Ints, lands: Ints
) -> dict[Stream, StreamBaseline]:
    """Return the levels with r0. hours: of the week, per bucket; lands: the number of each region's Land."""
    hourly = [(level, _hourly(level, seen[s], hours, lands)) for s, level in levels.items() if s.service != ALL]
    nation = np.sum([_nation(level, usual, count) for level, (usual, count, _) in hourly] or [(0, 0, 0)], 0)
    local = np.sum([_local(level, of_land, lands) for level, (*_, of_land) in hourly] or [(0, 0, 0)], 0)
    r_nation = _weighed(nation, 1 / R_NATION, "nation")
    r_local = _weighed(local, 1 / R_LOCAL, "local")
    return {stream: replace(level, r_local=r_local, r_nation=r_nation) for stream, level in levels.items()}


def _weighed(sums: Floats, start: float, kind: str) -> float:
    """Return r0: what was seen and the starting value, which may be off by half, weighed by their certainty."""
    above, below, variance = sums
    if below <= 0:
        return 1 / start
    sure, prior = below**2 / max(variance, TINY), 4 / start**2
    found = (above / below * sure + start * prior) / (sure + prior)
    return float(np.clip(1 / max(found, TINY), LEAST[kind], MOST[kind]))


def _hourly(level: StreamBaseline, seen: Seen, hours: Ints, lands: Ints) -> tuple[Floats, Floats, Floats]:
    """Return usual and effective reports of the nation per ordinary hour, and each Land's effective ones (rows)."""
    number = len(seen.exposure) // PER_HOUR
    whole = slice(0, number * PER_HOUR)
    worth = (level.profile[hours[whole]] * seen.exposure[whole] / PER_HOUR).reshape(number, PER_HOUR).sum(axis=1)
    cells = level.effective(seen.cells)
    hour = cells.bucket // PER_HOUR
    kept = hour < number
    row = np.where(cells.region == NOT_LOCATED, lands.max() + 1, lands[cells.region])
    table = np.zeros((int(lands.max()) + 2, number))
    np.add.at(table, (row[kept], hour[kept]), cells.count[kept])
    ordinary = worth > 0
    ordinary[np.setdiff1d(hour[kept], seen.plain.bucket // PER_HOUR)] = False
    return level.effective_nation * worth[ordinary], table.sum(axis=0)[ordinary], table[:-1, ordinary]


def _nation(level: StreamBaseline, usual: Floats, count: Floats) -> Sums:
    usual, count = usual[usual >= ENOUGH], count[usual >= ENOUGH]
    chance, drifting = level.phi_effective * usual, usual**2 / R_NATION
    above = np.minimum((count - usual) ** 2, FAR * (chance + drifting)) - chance
    certain = 2 * float((chance**2 + MEMORY_HOURS * drifting**2).sum())
    return float(above.sum()) * WEEKS_LOST, float((usual**2).sum()), certain


def _local(level: StreamBaseline, of_land: Floats, lands: Ints) -> Sums:
    if not of_land.any():
        return 0.0, 0.0, 0.0
    rate = np.bincount(lands, weights=level.effective_rate)[:, None]
    share = rate / max(float(rate.sum()), TINY)
    expected = share * of_land.sum(axis=0)
    chance = level.phi_effective * expected * (1 - share)
    # a Land's share is off by its own level's error and by those of all others
    off = expected**2 * ((1 - share) ** 2 + (share**2).sum() - share**2)
    above = np.minimum((of_land - expected) ** 2, FAR * (chance + off / R_LOCAL)) - chance
    said = expected >= ENOUGH
    return float(above[said].sum()), float(off[said].sum()), float(2 * (chance[said] ** 2).sum())
