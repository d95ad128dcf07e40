"""The laws of counts, of scipy.special: scipy.stats, which has them too, takes 60 MB of every process. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import betainc, betaln, gammaincc, gammaln, xlog1py, xlogy

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.float64] | npt.NDArray[np.int64]


def poisson(counts: Counts, mean: Floats) -> Floats:
    """Return how likely each count is."""
    return np.asarray(np.exp(xlogy(counts, mean) - gammaln(counts + 1.0) - mean))


def negative_binomial(counts: Counts, shape: Floats, chance: Floats | float) -> Floats:
    """Return how likely each count is: failures before the `shape`-th success of a `chance`, shape > 0."""
    ways = -betaln(shape, counts + 1.0) - np.log(shape + counts)
    return np.asarray(np.exp(ways + xlogy(shape, chance) + xlog1py(counts, np.negative(chance))))


def negative_binomial_quantile(share: float, shape: Floats, chance: Floats) -> Floats:
    """Return the least count that is reached or not reached with at least that `share` of the chance."""
    mean = shape * (1 - chance) / chance
    low: Floats = np.full(mean.shape, -1.0)
    high: Floats = np.ceil(mean + 50 * np.sqrt(mean / chance) + 50)
    while (high - low > 1).any():
        middle = np.floor((low + high) / 2)
        enough = betainc(shape, middle + 1, chance) >= share
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def gamma_beyond(value: float, shape: float) -> float:
    """Return the chance that a gamma distribution of scale 1 lies beyond `value`."""
    return float(gammaincc(shape, max(value, 0.0)))
