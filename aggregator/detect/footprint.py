"""The best zone -> the districts that it stands on: its best part, and of that a piece that can stand alone. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csgraph
from scipy.special import betaln

from aggregator.detect.scan import figures
from aggregator.detect.score import clumping, nb1
from aggregator.detect.span import DURATIONS, TINY, Field
from aggregator.detect.zones import Zones

Ints = npt.NDArray[np.int64]


def find_footprint(field: Field, zone: int, column: int, *, threshold: float, by_share: bool) -> Ints:
    """Return the regions (places, ascending) of a zone below the nation whose window of `column` stands out.

    Two cities far from each other inside one large circle are two things: where the best part falls into pieces
    and some are alarms by themselves (threshold: nats of a district), the best of these is the footprint, and the rest
    is left for the next look.
    """
    zones = field.span.zones
    best = refine(field, zones.indices(zone), column)
    pieces = split(zones, best)
    if len(pieces) == 1:
        return best
    alone = [(figures(field, column, piece, by_share=by_share).score, piece) for piece in pieces]
    score, piece = max(alone, key=lambda pair: pair[0])
    return piece if score >= threshold else best


def refine(field: Field, zone: Ints, column: int) -> Ints:
    """Return the best part of `zone`: its regions by c/b, the best prefix (fast subset scan, Neill 2012).

    A part of m of n regions must be better by ln C(n, m), the nats that choosing it among as many others is worth: else
    every district that happened to send nothing would drop out.
    """
    rate, shape = field.rate[zone], field.level.shape[zone]
    window = field.window(DURATIONS[column])
    count, expected = window.effective[zone], window.expected[zone]
    order = np.argsort(-count / np.maximum(expected, TINY), kind="stable")
    c, b = np.cumsum(count[order]), np.maximum(np.cumsum(expected[order]), TINY)
    total = np.maximum(np.cumsum(rate[order]), TINY)
    inverse_r = 1 / field.level.r_local + np.cumsum((rate**2 / shape)[order]) / total**2
    size = np.arange(1, len(zone) + 1)
    choices = -betaln(size + 1, len(zone) - size + 1) - np.log(len(zone) + 1)
    best = int(np.argmax(nb1(c, b, k=clumping(field.level.phi_effective, b, inverse_r)) - choices))
    return np.sort(zone[order[: best + 1]])


def split(zones: Zones, regions: Ints) -> list[Ints]:
    """Return the pieces of `regions` that hang together over near regions."""
    near = zones.near[regions][:, regions]
    pieces, label = csgraph.connected_components(near, directed=False)
    return [regions[label == piece] for piece in range(pieces)]
