"""A stream's history -> how its reports clump, and what they are worth as evidence once that is known. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from aggregator.detect.baseline import LARGEST_CLUMP, StreamBaseline
from aggregator.detect.calendar import PER_HOUR
from aggregator.detect.cube import Cells
from aggregator.detect.effective import worth
from aggregator.model import ALL, Stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ALONE = 0.05  # reports in five minutes: where fewer are usual, two clumps hardly ever meet
OWN_WEIGHT = 200.0  # clumps that all streams together are worth beside a stream's own
WORTH_WEIGHT = 50.0  # reports that the formula is worth beside what was counted


class Seen(Protocol):
    """A stream's history: cells whose buckets count from its start, and what was listened to in each bucket."""

    @property
    def cells(self) -> Cells:
        """All cells."""

    @property
    def plain(self) -> Cells:
        """The located cells of ordinary hours."""

    @property
    def exposure(self) -> Floats:
        """The share listened to, per bucket."""


def weigh_clumps(
    levels: Mapping[Stream, StreamBaseline], seen: Mapping[Stream, Seen], hours: Ints
) -> dict[Stream, StreamBaseline]:
    """Add to each level the sizes of its clumps and the worth of its reports. hours: of the week, per bucket."""
    sizes = {stream: _sizes(level, seen[stream].plain) for stream, level in levels.items()}
    pooled = sum((size for stream, size in sizes.items() if stream.service != ALL), np.zeros(LARGEST_CLUMP))
    pooled = pooled / pooled.sum() if pooled.any() else np.eye(1, LARGEST_CLUMP)[0]
    found = {}
    for stream, level in levels.items():
        clumps = sizes[stream] + OWN_WEIGHT * pooled
        found[stream] = _weigh(replace(level, clumps=clumps / clumps.sum()), seen[stream], hours)
    return found


def _sizes(level: StreamBaseline, cells: Cells) -> Floats:
    """Return how many clumps of 1, 2, … 60 reports were seen where they stand alone."""
    alone = cells.count[level.rate[cells.region] / PER_HOUR < ALONE].astype(np.int64)
    return np.bincount(np.clip(alone, 1, LARGEST_CLUMP), minlength=LARGEST_CLUMP + 1)[1:].astype(np.float64)


def _weigh(level: StreamBaseline, seen: Seen, hours: Ints) -> StreamBaseline:
    """Measure effective reports per report, and what variance is left in them."""
    by_formula = worth(level.rate / PER_HOUR, level.phi)
    plain = seen.plain
    y = level.effective(plain).count
    factor = (y.sum() + WORTH_WEIGHT) / ((plain.count * by_formula[plain.region]).sum() + WORTH_WEIGHT)
    level = replace(level, worth=by_formula * factor)
    mean = float(level.effective_rate.sum() / level.rate.sum()) if level.rate.any() else 1.0
    together = (level.effective(seen.cells).count.sum() + WORTH_WEIGHT * mean) / (seen.cells.count.sum() + WORTH_WEIGHT)
    squares = float((level.effective_rate**2).sum() * ((level.profile[hours] * seen.exposure / PER_HOUR) ** 2).sum())
    left = (float((y**2).sum()) - squares + WORTH_WEIGHT) / (float(y.sum()) + WORTH_WEIGHT)
    return replace(level, nation_worth=float(together), phi_effective=max(left, 1.0))
