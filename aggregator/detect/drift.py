"""How the whole nation did in the last hours -> how many reports to expect of it now, and how surely. Pure.

All customers of a provider report more on some days than on others. That drift changes within hours, so the hours
before a window tell much of it: the level is a gamma posterior of the last six hours, recent ones weighing more, the
hour of the week's own value being worth r reports, where 1/r is the variance of drifts. A quarter of an hour before the
window is left out: a fault that is just beginning must not raise what is expected of itself.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from aggregator.detect.calendar import PER_HOUR

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
MEMORY = 6 * PER_HOUR  # buckets after which a drift has fallen to 1/e
FADING = 2 * PER_HOUR  # buckets after which a bucket weighs 1/e
REACH = 6 * PER_HOUR  # buckets that are looked at
LAG = 3  # buckets before the window that are not
PROFILE = 0.5  # how uncertain the hour of the week's level is, in variances of a drift: it was learned from few weeks
LEAST, MOST = 0.7, 1.5  # times the usual: no fault of hours, and no deaf feed, becomes what is expected
LONGEST_FOLLOWED = 12 * PER_HOUR  # a window of a day is held against the usual day


def follow(count: Floats, usual: Floats, phi: float, r: float) -> tuple[Floats, Floats]:
    """Return the level before each bucket, in times the usual, and its uncertainty as a share of its square.

    count, usual: effective reports per bucket and those expected at level 1; phi: variance over mean of the counts;
    r: one over the variance of drifts.
    Both results are one longer than the arguments.
    """
    weights = np.exp(-np.arange(REACH) / FADING) / phi
    seen, known = (np.concatenate([[0.0], np.convolve(x, weights)[: len(x)]]) for x in (count, usual))
    level = np.clip((seen + r) / (known + r), LEAST, MOST)
    return level, 1 / (known + r)


def ahead(level: Floats, uncertain: Floats, duration: Ints, r: float) -> tuple[Floats, Floats]:
    """Return the mean level in windows of that many buckets, and 1/r; what is given is LAG buckets older than they."""
    longest = int(duration.max(initial=1))
    keep, added = (table[duration] for table in _forgetting(longest))
    mean = 1 + (level - 1) * keep
    followed = duration <= LONGEST_FOLLOWED
    inverse_r = np.where(followed, (uncertain * keep**2 + added / r) / mean**2, 1 / r)
    return np.where(followed, mean, 1.0), inverse_r


@lru_cache(maxsize=8)
def _forgetting(longest: int) -> tuple[Floats, Floats]:
    """Return per duration (0 … longest) the share of a drift that is left in its mean, and the variance that is new.

    In variances of the drift, an AR(1) whose mean over the window is asked for, given its value LAG buckets before.
    """
    a = np.exp(-1.0 / MEMORY)
    steps = np.arange(1, longest + 1)
    keep = np.cumsum(a**steps) / steps
    # what is new in the first bucket, the second, … is in the mean as long as the window goes on
    stays = (1 - a**steps) / (1 - a)
    new = np.cumsum(stays**2) / steps**2 * (1 - a**2)
    meanwhile = (1 - a ** (2 * LAG)) * keep**2
    return np.append(1.0, keep * a**LAG), np.append(0.0, new + meanwhile + PROFILE)
