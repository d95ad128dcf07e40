"""Silence says something only where more than the usual would have been noticed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from aggregator.detect import silence
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import SHIPPED
from aggregator.detect.cube import bucket_number
from aggregator.detect.silence import limits_in, speaks
from aggregator.model import Stream
from tests.detect.world import LOUD, NOW, REGIONS, learn, usual

BUCKETS = np.arange(bucket_number(NOW - timedelta(hours=3)), bucket_number(NOW))


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    return learn(usual())


def louder(baseline: Baseline, factor: float) -> Baseline:
    level = baseline.of(LOUD)
    more = replace(level, rate=level.rate * factor, shape=level.shape * factor, nation_rate=level.nation_rate * factor)
    return replace(baseline, streams={**baseline.streams, LOUD: more})


def test_where_more_reports_are_usual_more_can_be_said(baseline: Baseline) -> None:
    told = [int(speaks(louder(baseline, f), LOUD, BUCKETS, SHIPPED).sum()) for f in (0.01, 1, 100)]
    assert told == sorted(told)
    assert told[0] == 0
    assert told[2] == len(REGIONS)


def test_a_stricter_threshold_leaves_less_to_be_said(baseline: Baseline) -> None:
    some = louder(baseline, 4)
    told = [int(speaks(some, LOUD, BUCKETS, replace(SHIPPED, budget=b)).sum()) for b in (5.0, 0.001)]
    assert told[0] >= told[1]
    assert speaks(some, LOUD, BUCKETS, replace(SHIPPED, foot=(1e6,) * 8)).sum() == 0


def test_what_is_called_telling_would_have_been_noticed(baseline: Baseline, monkeypatch: pytest.MonkeyPatch) -> None:
    some = louder(baseline, 6)
    at_four = speaks(some, LOUD, BUCKETS, SHIPPED)
    monkeypatch.setattr(silence, "TIMES", 8.0)
    assert (speaks(some, LOUD, BUCKETS, SHIPPED) | ~at_four).all()  # more of it is noticed there too


def test_without_a_basis_for_comparison_nothing_can_be_said(baseline: Baseline) -> None:
    cold = replace(louder(baseline, 100), hours=24.0)
    assert not speaks(cold, LOUD, BUCKETS, SHIPPED).any()
    assert limits_in(cold, REGIONS, SHIPPED, int(BUCKETS[-1]), [REGIONS[0].id]) is None


def test_the_limit_of_a_place_is_of_its_busiest_stream(baseline: Baseline) -> None:
    place = max(REGIONS, key=lambda region: region.population).id
    end = int(BUCKETS[-1])
    day = limits_in(baseline, REGIONS, SHIPPED, end, [place])
    assert day is not None
    index = [region.id for region in REGIONS].index(place)
    busiest = max((s for s in baseline.streams if s.service != "all"), key=lambda s: baseline.of(s).rate[index])
    assert day.stream == busiest
    assert 0 < day.found[0].half < day.found[0].nearly_all
    more = limits_in(louder(baseline, 20), REGIONS, SHIPPED, end, [place])
    assert more is not None
    assert more.found[0].half > day.found[0].half  # where more is usual, more is needed


def test_a_stream_never_heard_of_says_nothing(baseline: Baseline) -> None:
    assert not speaks(baseline, Stream("nobody", "tv"), BUCKETS, SHIPPED).any()
