"""The scan: many ticks at once find what single ticks find, and figures repeat the score."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, bucket_number, by_stream
from aggregator.detect.nullweeks import MONDAY, WEEK, make_week
from aggregator.detect.scan import figures, scan
from aggregator.detect.span import DURATIONS, Prepared, Span, at, field_of, prepare
from aggregator.detect.zones import LEVELS
from aggregator.model import ALL, Stream
from tests.detect.world import DAY, IDS, LOUD, NOW, learn, reports, usual, zones

LOW = np.full(len(LEVELS), 3.0)


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(learn(usual()), zones())


@pytest.fixture(scope="module")
def cells() -> Cells:
    storm = reports(LOUD, NOW - timedelta(hours=1), 3, 25, seed=9, where=IDS[14:16])
    return by_stream(pd.concat([usual(), storm]), IDS)[LOUD]


def heard(first: int, buckets: int) -> Coverage:
    return Coverage(first, buckets, {ALL: np.ones(buckets)})


@pytest.mark.parametrize("by_share", [False, True])
def test_a_day_at_once_finds_what_each_look_finds(prepared: Prepared, cells: Cells, by_share: bool) -> None:
    first, ticks = bucket_number(NOW) - 10, 30
    coverage = heard(bucket_number(DAY - timedelta(days=3)), 2000)
    together = scan(field_of(Span(first, ticks, prepared, coverage), LOUD, cells), LOW, by_share=by_share)
    assert len(together.score) > 100
    for tick in range(ticks):
        alone = scan(field_of(at(first + tick, prepared, coverage), LOUD, cells), LOW, by_share=by_share)
        mine = together.tick == tick
        found = sorted(zip(together.zone[mine], together.column[mine], together.score[mine].round(3), strict=True))
        assert found == sorted(zip(alone.zone, alone.column, alone.score.round(3), strict=True))


def test_the_figures_of_a_zone_repeat_its_score(prepared: Prepared, cells: Cells) -> None:
    coverage = heard(bucket_number(DAY - timedelta(days=3)), 2000)
    field = field_of(at(bucket_number(NOW), prepared, coverage), LOUD, cells)
    found = scan(field, LOW)
    best = int(np.argmax(np.where(found.zone == field.span.zones.nation, 0, found.score)))
    seen = figures(field, int(found.column[best]), field.span.zones.indices(int(found.zone[best])))
    assert seen.effective <= seen.reports
    # a zone's 1/r leans to the nation's with its share; a footprint's does not: equal but for that
    assert seen.score == pytest.approx(found.score[best], rel=0.05)


def test_no_window_below_the_floor_and_none_with_fewer_than_three(prepared: Prepared, cells: Cells) -> None:
    coverage = heard(bucket_number(DAY - timedelta(days=3)), 2000)
    field = field_of(at(bucket_number(NOW), prepared, coverage), LOUD, cells)
    found = scan(field, LOW)
    assert (found.score >= 3.0).all()
    for zone, column in zip(found.zone[:50], found.column[:50], strict=True):
        regions = None if zone == field.span.zones.nation else field.span.zones.indices(int(zone))
        assert figures(field, int(column), regions).effective >= 3.0 - 1e-4


def test_holidays_of_one_land_only_change_what_is_expected_there(prepared: Prepared, cells: Cells) -> None:
    # 6 January is a holiday in the south only: the Länder's hours differ, and the scan still works exactly
    first = bucket_number(NOW.replace(month=1, day=6))
    field = field_of(
        at(first, prepared, heard(first - 2000, 4000)), LOUD, Cells(cells.region, cells.bucket, cells.count)
    )
    assert field.usual[-1] > 0


def test_a_null_week_is_the_same_each_time_and_wider_streams_add_up(prepared: Prepared) -> None:
    one, again = (make_week(prepared.baseline, np.random.default_rng(5)) for _ in range(2))
    for stream, own in one.items():
        assert own.bucket.tolist() == again[stream].bucket.tolist()
        assert own.count.tolist() == again[stream].count.tolist()
    narrow = sum(own.count.sum() for stream, own in one.items() if stream.service != ALL)
    assert one[Stream(ALL, ALL)].count.sum() == narrow
    usual_a_week = prepared.baseline.of(LOUD).nation_rate * 8 * 24
    assert one[LOUD].count.sum() == pytest.approx(usual_a_week, rel=0.25)


def test_null_weeks_clump_as_the_reports_did(prepared: Prepared) -> None:
    level = prepared.baseline.of(LOUD)
    assert level.clumps.sum() == pytest.approx(1.0)
    week = make_week(prepared.baseline, np.random.default_rng(1))[LOUD]
    assert week.bucket.min() >= MONDAY - 288
    assert week.bucket.max() < MONDAY + WEEK
    assert len(DURATIONS) == 13
