"""Counts and what was expected -> how unlikely. One registry of statistics, for the live and the static scan. Pure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.special import betaln, xlogy

Floats = npt.NDArray[np.float64]
Statistic = Callable[..., Floats]


def ebp(c: Floats, b: Floats, **_: object) -> Floats:
    """Return the expectation-based Poisson score c·ln(c/b) + b − c for c > b, else 0 (Neill 2009)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c > b, xlogy(c, c / b) + b - c, 0.0)


def kulldorff(c: Floats, b: Floats, *, total_c: Floats | float, total_b: Floats | float, **_: object) -> Floats:
    """Return Kulldorff's conditional score c·ln(c/b) + (C−c)·ln((C−c)/(C−b)) for c > b, b scaled so that Σb = C."""
    share = b * (np.asarray(total_c) / np.asarray(total_b))
    rest, rest_b = np.maximum(np.asarray(total_c) - c, 0.0), np.maximum(np.asarray(total_c) - share, 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(c > share, xlogy(c, c / share) + xlogy(rest, rest / rest_b), 0.0)


def nb1(c: Floats, b: Floats, *, k: Floats | float, **_: object) -> Floats:
    """Return the log likelihood ratio, at mean c against mean b, of a negative binomial with variance (1+k)·mean.

    Tango 2011, Zhang 2012. Written with the beta function, so that k → 0 is `ebp` to 1e-9 without a branch:
    lnΓ(c+c/k) − lnΓ(c/k) − lnΓ(c+b/k) + lnΓ(b/k) = ln B(b/k, c) − ln B(c/k, c). 0 where c <= b.
    """
    c, b, k = np.broadcast_arrays(c, b, k)
    above = c > b
    score = np.zeros(c.shape)
    x, mu, extra = c[above], b[above], k[above]
    score[above] = betaln(mu / extra, x) - betaln(x / extra, x) - (x - mu) * np.log1p(extra) / extra
    return score


STATISTICS: dict[str, Statistic] = {"ebp": ebp, "kulldorff": kulldorff, "nb1": nb1}

MIN_K = 1e-12  # at 1e-9 the value itself differs from `ebp` by 1e-8 already


def clumping(phi: Floats | float, b: Floats, inverse_r: Floats | float) -> Floats:
    """Return k = φ + b/r − 1, what the variance of a count exceeds its mean by, over the mean; at least 1e-12."""
    return np.maximum(np.asarray(phi + b * inverse_r - 1.0, dtype=np.float64), MIN_K)
