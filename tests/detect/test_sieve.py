"""The sieve leaves out only streams in which a scan would find nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.cube import Cells, by_stream
from aggregator.detect.scan import scan
from aggregator.detect.sieve import promising
from aggregator.detect.span import Span, field_of
from aggregator.detect.tail import FOOT
from aggregator.detect.zones import LEVELS
from aggregator.model import Stream
from tests.detect.world import DAY, IDS, LOUD, NOW, look, reports, usual

FULL, BETWEEN = NOW, NOW - timedelta(minutes=25)
LOW = np.full(len(LEVELS), FOOT / 2)  # where most streams have a window
THRESHOLD = SHIPPED.floor(SHIPPED.suspected)


def streams_of(cube: pd.DataFrame, at: datetime) -> dict[Stream, Cells]:
    return by_stream(cube[(cube["bucket"] >= DAY - timedelta(days=1)) & (cube["bucket"] < at)], IDS)


def best(span: Span, stream: Stream, cells: Cells) -> float:
    return float(scan(field_of(span, stream, cells), LOW).score.max(initial=0.0))


@pytest.mark.parametrize("at", [FULL, BETWEEN], ids=["full hour", "between"])
@pytest.mark.parametrize("seed", range(1, 5))
def test_a_stream_is_kept_while_a_scan_finds_its_best_window(seed: int, at: datetime) -> None:
    month, many = DAY - timedelta(days=27), [Stream(f"p{i}", "mobile") for i in range(6)]
    start = at - timedelta(hours=1)
    district = reports(many[1], start, 1, 4 + 3 * seed, seed=seed, where=IDS[seed : seed + 1])
    nation = reports(many[4], start, 1, 20 * seed, seed=seed + 9, where=IDS)
    quiet = [reports(s, month, 27 * 24 + 12, 2.0**i, seed=50 * seed + i, where=IDS) for i, s in enumerate(many)]
    cube = pd.concat([usual(seed), *quiet, district, nation])
    span, streams = look(cube, at), streams_of(cube, at)
    tried = 0
    for stream, cells in streams.items():
        floor = np.full(len(LEVELS), best(span, stream, cells) - 1e-6)
        if floor[0] > 0 and len(scan(field_of(span, stream, cells), floor).tick):
            assert stream in promising(span, streams, floor)
            tried += 1
    assert tried > 2


def test_quiet_streams_are_left_out_but_for_those_asked_for() -> None:
    cube = usual()
    span, streams = look(cube, BETWEEN), streams_of(cube, BETWEEN)
    assert set(promising(span, streams, THRESHOLD)) == set()
    assert set(promising(span, streams, THRESHOLD, always=[LOUD])) == {LOUD}


def test_the_field_of_a_stream_that_is_kept_is_the_one_to_scan() -> None:
    cube = pd.concat([usual(), reports(LOUD, NOW - timedelta(hours=1), 1, 24, seed=7, where=IDS[14:15])])
    span, streams = look(cube), streams_of(cube, NOW)
    field = promising(span, streams, THRESHOLD)[LOUD]
    one, other = scan(field, THRESHOLD), scan(field_of(span, LOUD, streams[LOUD]), THRESHOLD)
    assert one.score.tolist() == other.score.tolist() != []
