"""r0 is found again in histories whose levels were drawn with it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from aggregator.detect.baseline import R_LOCAL, R_NATION, StreamBaseline
from aggregator.detect.cube import Cells
from aggregator.detect.scatter import LEAST, MOST, with_scatter
from aggregator.model import ALL, Stream

STREAM = Stream("o2", "mobile")
HOURS, LANDS, DISTRICTS = 672, 4, 20
LAND = np.arange(DISTRICTS) % LANDS
WEEK = np.tile(np.arange(168).repeat(12), HOURS // 168)


@dataclass(frozen=True)
class History:
    """What fit has seen of a stream: nothing blind, no hour scaled down."""

    cells: Cells
    plain: Cells
    exposure: np.ndarray


def history(rate: float, local: float, nation: float, seed: int = 1) -> tuple[StreamBaseline, History]:
    """Draw hours whose national level has variance `nation`, and those of its Länder `local`."""
    rng = np.random.default_rng(seed)
    each = np.full(DISTRICTS, rate / DISTRICTS)
    drift = np.repeat(rng.normal(1, nation**0.5, HOURS // 6), 6)
    off = rng.normal(1, local**0.5, (LANDS, HOURS))
    mean = each[:, None] * drift * off[LAND]
    count = rng.poisson(np.maximum(mean, 0))
    region, hour = np.nonzero(count)
    bucket = hour * 12 + rng.integers(0, 12, len(hour))
    cells = Cells(region.astype(np.int64), bucket.astype(np.int64), count[region, hour].astype(np.float64))
    one = np.ones(DISTRICTS)
    level = StreamBaseline(each, 1000 * one, rate, 1.0, np.ones(168), one)
    return level, History(cells, cells, np.ones(HOURS * 12))


def found(level: StreamBaseline, seen: History, stream: Stream = STREAM) -> StreamBaseline:
    return with_scatter({stream: level}, {stream: seen}, WEEK, LAND)[stream]


def test_a_drifting_nation_and_uneven_lands_are_measured() -> None:
    made = found(*history(400.0, local=0.012, nation=0.06))
    # the profile of a real fit takes a quarter of the drift for usual; here it took nothing
    assert 1 / made.r_nation == pytest.approx(0.06 * 4 / 3, rel=0.3)
    assert 1 / made.r_local == pytest.approx(0.012, rel=0.25)


def test_steady_levels_are_called_steady_but_never_certain() -> None:
    made = found(*history(400.0, local=0.0, nation=0.0))
    assert made.r_local == MOST["local"]
    assert R_NATION < made.r_nation <= MOST["nation"]


def test_wild_levels_are_bounded() -> None:
    made = found(*history(400.0, local=0.2, nation=0.8))
    assert (made.r_local, made.r_nation) == (LEAST["local"], LEAST["nation"])


def test_a_fault_that_nobody_noticed_is_no_scatter() -> None:
    level, seen = history(400.0, local=0.0, nation=0.0)
    count = np.where((seen.cells.region == 3) & (seen.cells.bucket // 12 % 100 == 50), 200.0, seen.cells.count)
    cells = replace(seen.cells, count=count)
    assert found(level, History(cells, cells, seen.exposure)).r_local > 2 * R_LOCAL


def test_few_reports_leave_the_starting_values() -> None:
    made = found(*history(0.2, local=0.0, nation=0.0))
    assert made.r_local == pytest.approx(R_LOCAL, rel=0.15)
    assert made.r_nation == pytest.approx(R_NATION, rel=0.3)


def test_wider_streams_are_not_counted_twice() -> None:
    made = found(*history(400.0, local=0.2, nation=0.8), stream=Stream("o2", ALL))
    assert (made.r_local, made.r_nation) == (R_LOCAL, R_NATION)


def test_an_empty_history_leaves_the_starting_values() -> None:
    level, _ = history(1.0, 0.0, 0.0)
    nothing = Cells(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    made = found(level, History(nothing, nothing, np.zeros(HOURS * 12)))
    assert (made.r_local, made.r_nation) == (R_LOCAL, R_NATION)
