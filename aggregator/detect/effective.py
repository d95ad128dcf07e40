"""Counts -> effective counts: what several reports from one district in five minutes are worth as evidence. Pure.

Reports clump: one household, one post that others answer. The second report of a district in the same five minutes is
therefore less surprising than the first. An effective count is the log likelihood ratio of such a cell, one report
more per five minutes against the usual, in units of what a single report is worth there:

    y(x) = Σ_{j<x} ln((mu + 1 + jk) / (mu + jk)) / ln((mu + 1) / mu),   k = φ − 1,

the terms of a negative binomial whose variance is φ times its mean mu. Without clumping (φ = 1) y = x; y(1) = 1 always.
Sums of y over districts and time scatter hardly more than Poisson counts, however large single clumps are.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betaln

from aggregator.detect.chance import negative_binomial
from aggregator.detect.cube import NOT_LOCATED, Cells

Floats = npt.NDArray[np.float64]
SMALLEST_MEAN = 1e-9  # reports in five minutes: below it a district counts as if it had this many
NO_CLUMPING = 1e-9
RARE = 1e-4  # reports in five minutes below which the worth of a report no longer changes
GRID = 24


def effective_counts(count: Floats, mean: Floats, phi: float) -> Floats:
    """Return y of each cell. count: reports (1 or more); mean: usual reports of the district in five minutes."""
    k = phi - 1.0
    if k < NO_CLUMPING:
        return count.astype(np.float64)
    found = np.ones(count.shape)
    several = count != 1  # few cells have more than one report
    more, usual = count[several], np.broadcast_to(np.maximum(mean, SMALLEST_MEAN), count.shape)[several]
    worth = betaln(usual / k, more) - betaln((usual + 1.0) / k, more)
    found[several] = worth / np.log1p(1.0 / usual)
    return found


def effective_cells(cells: Cells, means: Floats, elsewhere: float, phi: float) -> Cells:
    """Return the cells with effective counts. means: per region, reports in five minutes; elsewhere: not located."""
    mean = np.where(cells.region == NOT_LOCATED, elsewhere, means[cells.region])
    return Cells(cells.region, cells.bucket, effective_counts(cells.count, mean, phi))


def worth(means: Floats, phi: float) -> Floats:
    """Return E y / E x of cells with those means: how many effective reports a report brings on average."""
    if phi - 1.0 < NO_CLUMPING:
        return np.ones_like(means)
    top = max(float(means.max(initial=RARE)), 2 * RARE)
    grid = np.geomspace(RARE, top, GRID)
    counts = np.arange(1.0, np.ceil(top + 12 * np.sqrt(top * phi) + 20 * phi) + 1)
    chance = negative_binomial(counts, grid[:, None] / (phi - 1.0), 1.0 / phi)
    value = effective_counts(np.broadcast_to(counts, chance.shape), grid[:, None], phi)
    found: Floats = np.interp(np.log(np.maximum(means, RARE)), np.log(grid), (chance * value).sum(axis=1) / grid)
    return found
