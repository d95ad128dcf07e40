"""The baseline finds the level that was put in, and says where it knows nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from aggregator.detect.baseline import Baseline
from aggregator.detect.calendar import hours_of_week
from aggregator.detect.coverage import cover
from aggregator.detect.cube import bucket_number, by_stream
from aggregator.detect.fit import History, fit
from aggregator.frames import CUBE, empty
from aggregator.model import ALL, Stream
from tests.detect.world import DAY, HISTORY, IDS, LOUD, PROVIDERS, REGIONS, learn, listened, reports, usual, weights

DAY_OF_BUCKETS = np.arange(bucket_number(DAY), bucket_number(DAY) + 288)


def test_the_level_of_the_nation_and_of_a_district_is_found() -> None:
    baseline = learn(usual())
    assert baseline.expected(LOUD, None, DAY_OF_BUCKETS).sum() == pytest.approx(720, rel=0.05)
    assert baseline.expected(LOUD, IDS[:1], DAY_OF_BUCKETS).sum() == pytest.approx(20, rel=0.15)
    assert not baseline.cold


def test_districts_add_up_to_the_located_nation() -> None:
    baseline = learn(usual())
    one_by_one = sum(baseline.expected(LOUD, [region], DAY_OF_BUCKETS).sum() for region in IDS)
    assert one_by_one == pytest.approx(baseline.expected(LOUD, IDS, DAY_OF_BUCKETS).sum())


def test_the_hour_of_the_week_is_learned() -> None:
    evenings = pd.concat([reports(LOUD, DAY - timedelta(days=d, hours=4), 2, 60, seed=d, where=IDS) for d in range(28)])
    baseline = learn(pd.concat([usual(), evenings]))
    by_hour = baseline.expected(LOUD, None, DAY_OF_BUCKETS).reshape(24, 12).sum(axis=1)
    assert by_hour[20:22].mean() > 1.8 * by_hour[2:18].mean()


def test_reports_that_come_in_clumps_raise_phi() -> None:
    calm = usual()
    clumped = calm.assign(count=calm["count"] * 3)
    assert learn(calm).of(LOUD).phi == pytest.approx(1.0, abs=0.1)
    assert learn(clumped).of(LOUD).phi == pytest.approx(3.0, rel=0.15)


def test_an_outage_in_the_history_does_not_become_normal() -> None:
    storm = reports(LOUD, DAY - timedelta(days=3), 3, 900, seed=5, where=IDS)
    with_storm = learn(pd.concat([usual(), storm])).of(LOUD).nation_rate
    assert with_storm == pytest.approx(learn(usual()).of(LOUD).nation_rate, rel=0.03)


def test_an_alarmed_stretch_is_masked_in_the_stream_and_in_those_that_contain_it() -> None:
    cube = pd.concat([usual(), reports(LOUD, DAY - timedelta(days=5), 48, 300, seed=6, where=IDS)])
    start, end = bucket_number(DAY - HISTORY), bucket_number(DAY)
    coverage = cover(listened(DAY - HISTORY, DAY), weights(cube), start, end)
    mask = {LOUD: [(bucket_number(DAY - timedelta(days=5)), bucket_number(DAY - timedelta(days=3)))]}
    cells = by_stream(cube[cube["bucket"] < DAY], IDS)
    masked = fit(History(start, end, cells, coverage, mask), REGIONS, PROVIDERS, date(2017, 5, 12), [])
    plain = fit(History(start, end, cells, coverage, {}), REGIONS, PROVIDERS, date(2017, 5, 12), [])
    for stream, level in ((LOUD, 30), (Stream("loud", ALL), 30), (Stream(ALL, ALL), 33)):
        assert masked.of(stream).nation_rate == pytest.approx(level, rel=0.05)
        assert plain.of(stream).nation_rate > 1.3 * level


def test_hours_that_nobody_listened_to_do_not_lower_the_level() -> None:
    half = listened(DAY - HISTORY / 2, DAY)
    cube = usual()
    heard = cube[cube["bucket"] >= DAY - HISTORY / 2]
    assert learn(heard, half).of(LOUD).nation_rate == pytest.approx(30, rel=0.05)


def test_a_short_history_is_cold_and_leans_on_the_catalogue() -> None:
    nothing = learn(empty(CUBE), listened(DAY - timedelta(days=1), DAY))
    assert nothing.cold
    assert nothing.of(LOUD).nation_rate > 0
    assert nothing.of(Stream("never", "heard")).nation_rate > 0


def test_no_expected_count_is_ever_zero_or_not_a_number() -> None:
    baseline = learn(empty(CUBE), listened(DAY - timedelta(hours=1), DAY))
    for stream in (LOUD, Stream("quiet", ALL), Stream(ALL, ALL), Stream("never", "heard")):
        expected = baseline.expected(stream, IDS[:1], DAY_OF_BUCKETS)
        assert np.isfinite(expected).all()
        assert (expected > 0).all()


def test_a_baseline_reads_what_it_wrote_and_writes_the_same_bytes() -> None:
    baseline = learn(usual())
    again = Baseline.from_bytes(baseline.to_bytes())
    assert again.to_bytes() == baseline.to_bytes()
    assert again.expected(LOUD, IDS[:3], DAY_OF_BUCKETS) == pytest.approx(
        baseline.expected(LOUD, IDS[:3], DAY_OF_BUCKETS)
    )


def test_a_holiday_is_a_sunday_only_in_the_laender_that_keep_it() -> None:
    corpus_christi = bucket_number(datetime(2017, 6, 15, 10, tzinfo=UTC))  # 12:00 in Germany, a Thursday
    hamburg, bayern = hours_of_week(np.array([corpus_christi]), ["02", "09"])[:, 0]
    assert (hamburg, bayern) == (3 * 24 + 12, 6 * 24 + 12)


def test_the_hour_of_the_week_follows_the_clock_change() -> None:
    before = bucket_number(datetime(2017, 3, 26, 0, 30, tzinfo=UTC))
    hours = hours_of_week(np.array([before, before + 12]), ["02"])[0]
    assert hours.tolist() == [6 * 24 + 1, 6 * 24 + 3]
