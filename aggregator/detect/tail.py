"""The highest scores of null weeks -> the scale of each level and the tail of them all: a Calibration. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from aggregator.detect.calibrate import CROSSINGS, Calibration
from aggregator.detect.zones import LEVELS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BLOCK = 36  # buckets: crossings less than 3 hours apart are one alarm
BLOCKS_A_WEEK = 56
WEIGHTS = (0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.5, 2.5)  # of the crossings, per level: the nation is the last
LEAST_SCALE = 0.3  # nats: no level's scale is steeper, however few crossings were seen
FOOT = 6.0  # nats: null weeks are scanned down to here; every level's u lies above it


def block_maxima(tick: Ints, level: Ints, score: Floats, blocks: int) -> Floats:
    """Return the highest score of each block of three hours per level, shape (blocks, levels); FOOT where none."""
    highest = np.full((blocks, len(LEVELS)), FOOT)
    np.maximum.at(highest, (tick // BLOCK, level), score)
    return highest


def calibrate(highest: Floats, baseline: str = "") -> Calibration:
    """Fit the scale to the block maxima of null weeks, all streams together. highest: nats, shape (blocks, levels)."""
    crossings = len(highest) / BLOCKS_A_WEEK * CROSSINGS
    fits = [_tail(highest[:, level], max(round(crossings * weight), 1)) for level, weight in enumerate(WEIGHTS)]
    foot, scale = np.array(fits).T
    height, spread = gumbel(((highest - foot) / scale).max(axis=1))
    rounded = [tuple(round(float(value), 6) for value in values) for values in (foot, scale)]
    weeks = len(highest) // BLOCKS_A_WEEK
    return Calibration(rounded[0], rounded[1], round(height, 6), round(spread, 6), weeks, baseline)


def gumbel(values: Floats) -> tuple[float, float]:
    """Return the value that chance reaches CROSSINGS times a week, and σ.

    Maximum likelihood of a Gumbel distribution of which the lower half is only known to be below the median.
    """
    median = float(np.median(values))
    above = values[values > median]
    if len(above) < 2:
        return median, LEAST_SCALE
    below = len(values) - len(above)

    def cost(given: Floats) -> float:
        place, scale = given[0], np.exp(given[1])
        z = (above - place) / scale
        return float((given[1] + z + np.exp(-z)).sum() + below * np.exp(-(median - place) / scale))

    place, logarithm = minimize(cost, [median, np.log(max(above.std(), LEAST_SCALE))], method="Nelder-Mead").x
    spread = float(np.exp(logarithm))
    return float(place) - spread * float(np.log(-np.log1p(-CROSSINGS / BLOCKS_A_WEEK))), spread


def _tail(values: Floats, crossings: int) -> tuple[float, float]:
    """Return the value that `crossings` of the blocks exceed, and by how much they do on average."""
    ordered = np.sort(values)[::-1]
    foot = float(ordered[min(crossings, len(ordered) - 1)])
    return foot, max(float((ordered[:crossings] - foot).mean()), LEAST_SCALE)
