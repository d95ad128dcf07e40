"""Expected counts -> the range that is usual; a count and its expectation -> the range of their ratio. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

from aggregator.detect.chance import negative_binomial_quantile as quantile

Floats = npt.NDArray[np.float64]
OUTSIDE = 0.025  # on each side: 95 of 100 counts lie inside


def usual_range(mean: Floats, spread: Floats) -> tuple[Floats, Floats]:
    """Return between which counts 95 % lie: a negative binomial of that mean, variance `spread` times the mean."""
    mean, spread = np.maximum(mean, 1e-9), np.maximum(spread, 1.0001)
    shape, chance = mean / (spread - 1), 1 / spread
    return quantile(OUTSIDE, shape, chance), quantile(1 - OUTSIDE, shape, chance)


def ratio_interval(count: int, expected: float, spread: float = 1.0) -> tuple[float, float]:
    """Return the 95 % interval of count/expected (Garwood 1936, the count taken as count/spread independent reports).

    spread: variance over mean of such a count, how reports clump and how uncertain the expected is both counted in
    (quasi-Poisson, McCullagh & Nelder 1989, 6.2); 1: a Poisson count against a known level.
    """
    worth = count / max(spread, 1.0)
    scale = max(spread, 1.0) / expected
    low = float(gammaincinv(worth, OUTSIDE)) if count else 0.0
    return low * scale, float(gammaincinv(worth + 1, 1 - OUTSIDE)) * scale
