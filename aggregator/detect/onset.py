"""Report times -> when it began: the start that makes the rest least likely, and the starts nearly as good. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.score import clumping, nb1

Floats = npt.NDArray[np.float64]
NEARLY = 2.0  # nats below the maximum that still count as possible
MINUTE = 60


@dataclass(frozen=True, slots=True)
class Onset:
    """The likeliest start and the earliest and latest within 2 nats of it, to the minute, UTC."""

    start: datetime
    earliest: datetime
    latest: datetime


def find_onset(times: Floats, expected: Floats, first_bucket: int, *, phi: float, inverse_r: float) -> Onset | None:
    """Return the onset of what lasts until now.

    times: seconds since the epoch of the reports, ascending, none before the first bucket; expected: reports per
    5-minute bucket from `first_bucket` to now. None where no start leaves more reports than expected.
    """
    minutes = np.unique(times // MINUTE * MINUTE)
    if not len(minutes):
        return None
    count = (len(times) - np.searchsorted(times, minutes)).astype(np.float64)
    edges = (first_bucket + np.arange(len(expected) + 1)) * BUCKET_SECONDS
    until = np.concatenate([[0.0], np.cumsum(expected)])
    mean = np.maximum(until[-1] - np.interp(minutes, edges, until), 1e-9)
    score = nb1(count, mean, k=clumping(phi, mean, inverse_r))
    if score.max() <= 0:
        return None
    near = minutes[score >= score.max() - NEARLY]
    return Onset(_moment(minutes[int(np.argmax(score))]), _moment(near[0]), _moment(near[-1]))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
