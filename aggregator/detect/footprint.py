"""The best zone -> the districts that it stands on: its best part, and of that a piece that can stand alone. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csgraph

from aggregator.detect.baseline import R_LOCAL
from aggregator.detect.scan import Tables, conditional, drift
from aggregator.detect.score import clumping, nb1
from aggregator.detect.zones import Zones

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
TINY = 1e-12


def find_footprint(zones: Zones, tables: Tables, zone: int, column: int, *, threshold: float, by_share: bool) -> Ints:
    """Return the regions (places, ascending) of a zone below the nation whose window of `column` stands out.

    Two cities far from each other inside one large circle are two things: where the best part falls into pieces
    and some are alarms by themselves, the best of these is the footprint, and the rest is left for the next look.
    """
    best = refine(tables, zones.indices(zone), column)
    pieces = split(zones, best)
    if len(pieces) == 1:
        return best
    alone = [(score_of(tables, piece, column, by_share=by_share), piece) for piece in pieces]
    score, piece = max(alone, key=lambda pair: pair[0])
    return piece if score >= threshold else best


def refine(tables: Tables, zone: Ints, column: int) -> Ints:
    """Return the best-scoring part of `zone`: its regions by c/b, the best prefix (fast subset scan, Neill 2012)."""
    rate, shape = tables.level.rate[zone], tables.level.shape[zone]
    count, expected = tables.count[zone, column], tables.expected[zone, column]
    order = np.argsort(-count / np.maximum(expected, TINY), kind="stable")
    c, b = np.cumsum(count[order]), np.maximum(np.cumsum(expected[order]), TINY)
    total = np.maximum(np.cumsum(rate[order]), TINY)
    inverse_r = 1 / R_LOCAL + np.cumsum((rate**2 / shape)[order]) / total**2
    best = int(np.argmax(nb1(c, b, k=clumping(tables.level.phi, b, inverse_r))))
    return np.sort(zone[order[: best + 1]])


def split(zones: Zones, regions: Ints) -> list[Ints]:
    """Return the pieces of `regions` that hang together over near regions."""
    near = zones.near[regions][:, regions]
    pieces, label = csgraph.connected_components(near, directed=False)
    return [regions[label == piece] for piece in range(pieces)]


def figures(tables: Tables, regions: Ints, column: int, *, by_share: bool) -> tuple[float, float]:
    """Return the reports of `regions` in the window of `column` and what was expected after drift (or by share)."""
    count = tables.count[regions].sum(axis=0)
    usual = tables.expected[regions].sum(axis=0)
    expected = conditional(usual, tables) if by_share else drift(usual, count, tables)
    return float(count[column]), float(expected[column])


def score_of(tables: Tables, regions: Ints, column: int, *, by_share: bool) -> float:
    """Return the score of `regions` together in the window of `column`."""
    count, expected = figures(tables, regions, column, by_share=by_share)
    rate, shape = tables.level.rate[regions], tables.level.shape[regions]
    inverse_r = 1 / R_LOCAL + float((rate**2 / shape).sum()) / max(float(rate.sum()) ** 2, TINY)
    k = clumping(tables.level.phi, np.array([expected]), inverse_r)
    return float(nb1(np.array([count]), np.array([max(expected, TINY)]), k=k)[0])
