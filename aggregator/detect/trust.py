"""Does a hotspot stand without its largest block, its commonest text, the places guessed from addresses? Pure.

A window that stands on one address block or one copied text is a flood, not a fault. A mobile carrier's gateway is one
block too, but on every day: what counts is how much more of the window it holds than of a usual day.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from aggregator.detect.calibrate import Calibration
from aggregator.detect.score import clumping, nb1
from aggregator.detect.zones import LEVELS
from aggregator.model import Hotspot

FLOOD = 20  # reports of one block or text in a stream before it is taken out of the counts
SURPLUS = 0.25  # by how much the share of a flood exceeds the usual share of the largest block
LEAST_SHARE = 0.2  # no block of a smaller share dominates anything


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a window's reports: how many, and which share of the reports it usually is."""

    reports: int
    usual: float


def is_flood(size: int, total: float, usual: float) -> bool:
    """Say whether `size` of a stream's `total` reports, that share a block or a text, are more than its usual share."""
    if size < FLOOD or total <= 0:
        return False
    expected = max(usual, LEAST_SHARE)
    return size / total > expected + SURPLUS + 3 * sqrt(expected * (1 - expected) / total)


def matters(hotspot: Hotspot, size: int) -> bool:
    """Say whether a part of that many reports may be larger than usual, whatever is usual."""
    return size / max(hotspot.observed, 1) > LEAST_SHARE


def stands_without(hotspot: Hotspot, phi: float, inverse_r: float, part: Part, limits: Calibration) -> bool:
    """Say whether the rest of the window is still suspected, against what is usual without the part.

    Where the part is no larger than usual nothing is taken out. phi: of the effective counts.
    """
    share = part.reports / max(hotspot.observed, 1)
    if share <= max(part.usual, LEAST_SHARE):
        return True
    left, usual = max(1.0 - share, 0.0), max(1.0 - part.usual, 1e-6)
    count, expected = hotspot.effective * left, max(hotspot.effective_expected * usual, 1e-12)
    k = clumping(phi, np.array([expected]), inverse_r)
    score = float(nb1(np.array([count]), np.array([expected]), k=k)[0])
    return score >= float(limits.floor(limits.suspected)[LEVELS.index(hotspot.level)])
