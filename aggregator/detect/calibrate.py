"""Scores -> how seldom chance alone would reach them, anywhere in the country. Pure.

Large zones and small ones reach different scores by chance (Walther 2022), so a score is first put on the scale of its
level: S = (F − u) / s, where chance crosses u about five times a week and exceeds it by s on average. (The nation gets
more of these crossings than a level of small zones: it is one zone, and faults of all customers matter most.) The
highest S of all levels and streams in blocks of three hours then follows a Gumbel distribution (Abrams 2010), whose
upper half is fitted (tail.py): its tail falls by e with every σ. One over the rate is the recurrence interval.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
CROSSINGS = 5.0  # a week: how often chance reaches the foot of the scale
STRONG = 13.0  # times as seldom as suspected
ANEW_AFTER = timedelta(days=7)


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


# Made from the null weeks of the shipped scenario; stands in until the worker has calibrated its own baseline.
SHIPPED = Calibration(
    foot=(10.90, 12.25, 12.91, 13.11, 13.20, 12.89, 10.72, 7.53),
    scale=(0.92, 1.06, 1.55, 1.31, 1.21, 1.08, 1.14, 0.94),
    height=1.71,
    spread=0.97,
    weeks=16,
)
