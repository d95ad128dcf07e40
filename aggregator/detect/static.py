"""A table of counts and baselines -> its best windows: one scan at rest, to be held against other software. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aggregator.detect.score import STATISTICS, clumping
from aggregator.detect.zones import circles, member_matrix
from aggregator.model import Region

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Window:
    """A zone and a run of times that end with the last; `end` inclusive."""

    regions: tuple[str, ...]
    start: str
    end: str
    observed: float
    expected: float
    relative_risk: float
    score: float


def scan_table(
    count: Floats,
    baseline: Floats,
    regions: Sequence[Region],
    times: Sequence[str],
    *,
    statistic: str,
    max_neighbours: int,
    max_population_share: float = 1.0,
    max_duration: int | None = None,
    phi: float = 1.0,
    baseline_r: float = np.inf,
) -> list[Window]:
    """Score every zone of 1 … max_neighbours nearest regions over every window that ends with the last time.

    count, baseline: shape (regions, times), reports and expected reports. Returns the windows with a score above 0,
    best first; equal scores in the order of the zones.
    """
    if statistic == "kulldorff":
        baseline = baseline * (count.sum() / baseline.sum())
    sets = circles(regions, range(1, max_neighbours + 1), max_population_share=max_population_share)
    member = member_matrix(sets, len(regions))
    longest = min(max_duration or len(times), len(times))
    c, b = (member @ np.cumsum(table[:, ::-1], axis=1)[:, :longest] for table in (count, baseline))
    score = STATISTICS[statistic](
        c, b, k=clumping(phi, b, 1.0 / baseline_r), total_c=count.sum(), total_b=baseline.sum()
    )
    zone, duration = np.unravel_index(np.argsort(-score, axis=None, kind="stable"), score.shape)
    best = [(z, d) for z, d in zip(zone, duration, strict=True) if score[z, d] > 0]
    return [
        Window(
            tuple(sorted(regions[i].id for i in sets[z])),
            times[len(times) - 1 - d],
            times[-1],
            float(c[z, d]),
            float(b[z, d]),
            float(c[z, d] / b[z, d]),
            float(score[z, d]),
        )
        for z, d in best
    ]


def without_overlap(windows: Sequence[Window]) -> list[Window]:
    """Keep of windows in order those whose regions are in none kept before."""
    taken: set[str] = set()
    kept = []
    for window in windows:
        if taken.isdisjoint(window.regions):
            kept.append(window)
            taken.update(window.regions)
    return kept
