"""Scores -> how seldom chance alone would reach them, anywhere in the country. Pure.

Large zones and small ones reach different scores by chance (Walther 2022), so a score is first put on the scale of its
level: S = (F − u) / s, where chance crosses u about five times a week and exceeds it by s on average. (The nation gets
more of these crossings than a level of small zones: it is one zone, and faults of all customers matter most.) The
highest S of all levels and streams in blocks of three hours then follows a Gumbel distribution (Abrams 2010), whose
upper half is fitted: its tail falls by e with every σ. One over the rate is the recurrence interval.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from aggregator.detect.zones import LEVELS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
BLOCK = 36  # buckets: crossings less than 3 hours apart are one alarm
BLOCKS_A_WEEK = 56
CROSSINGS = 5.0  # a week: how often chance reaches the foot of the scale
WEIGHTS = (0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.5, 2.5)  # of the crossings, per level: the nation is the last
STRONG = 13.0  # times as seldom as suspected
LEAST_SCALE = 0.3  # nats: no level's scale is steeper, however few crossings were seen
FOOT = 6.0  # nats: null weeks are scanned down to here; every level's u lies above it


@dataclass(frozen=True, slots=True)
class Calibration:
    """How scores turn into recurrence intervals.

    foot, scale: u and s in nats per level; height, spread: S that chance reaches five times a week, and σ; weeks: null
    weeks behind it, no longer interval is claimed; baseline: the hash of the baseline that it was made from ("": a
    table made elsewhere); budget: false alarms a week that are put up with.
    """

    foot: tuple[float, ...]
    scale: tuple[float, ...]
    height: float
    spread: float
    weeks: int
    baseline: str = ""
    budget: float = 1.0

    @property
    def calibrated(self) -> bool:
        """False while a table stands in that was not made from a baseline of this store."""
        return bool(self.baseline)

    def standard(self, score: Floats | float, level: Ints | int) -> Floats:
        """Return S of scores in zones of those levels."""
        standard: Floats = (np.asarray(score) - np.asarray(self.foot)[level]) / np.asarray(self.scale)[level]
        return standard

    def recurrence_weeks(self, standard: float) -> float:
        """Return the weeks between two values as high as S by chance alone, at most the null weeks behind it."""
        return min(float(np.exp(min((standard - self.height) / self.spread, 60.0))) / CROSSINGS, float(self.weeks))

    def reached_in(self, weeks: float) -> float:
        """Return the S that chance reaches once in that many weeks."""
        return self.height + self.spread * float(np.log(weeks * CROSSINGS))

    @property
    def suspected(self) -> float:
        """Return the S from which on something is suspected."""
        return self.reached_in(1.0 / self.budget)

    @property
    def strong(self) -> float:
        """Return the S from which on it is strong."""
        return self.reached_in(STRONG / self.budget)

    def floor(self, standard: float) -> Floats:
        """Return the score in nats per level that stands for S."""
        return np.asarray(self.foot) + np.asarray(self.scale) * standard

    def to_json(self) -> str:
        """Return the calibration as text, without the budget, which is a setting."""
        return json.dumps({k: v for k, v in asdict(self).items() if k != "budget"}, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Calibration:
        """Read what to_json wrote."""
        values = json.loads(text)
        return Calibration(**{**values, "foot": tuple(values["foot"]), "scale": tuple(values["scale"])})


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


# Made from the null weeks of the shipped scenario; stands in until the worker has calibrated its own baseline.
SHIPPED = Calibration(
    foot=(10.90, 12.25, 12.91, 13.11, 13.20, 12.89, 10.72, 7.53),
    scale=(0.92, 1.06, 1.55, 1.31, 1.21, 1.08, 1.14, 0.94),
    height=1.71,
    spread=0.97,
    weeks=16,
)
