"""When it began."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aggregator.detect.cube import bucket_number
from aggregator.detect.onset import find_onset

FIRST = datetime(2017, 5, 13, 6, tzinfo=UTC)


def onset_of(minutes: np.ndarray, expected_an_hour: float = 0.5, hours: int = 4) -> tuple[float, float, float]:
    times = np.sort(FIRST.timestamp() + minutes * 60)
    expected = np.full(hours * 12, expected_an_hour / 12)
    onset = find_onset(times, expected, bucket_number(FIRST), phi=1.0, inverse_r=1 / 60)
    assert onset
    start, earliest, latest = ((t - FIRST) / timedelta(minutes=1) for t in (onset.start, onset.earliest, onset.latest))
    return start, earliest, latest


@pytest.mark.parametrize("seed", range(10))
def test_a_steady_fault_is_dated_to_ten_minutes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    minutes = np.concatenate([rng.uniform(0, 240, 2), rng.uniform(100, 240, 60)])
    start, earliest, latest = onset_of(minutes)
    assert abs(start - 100) <= 10
    assert earliest <= start <= latest


def test_an_early_lone_report_is_not_the_beginning() -> None:
    start, _, _ = onset_of(np.array([5.0, *np.linspace(150, 238, 30)]))
    assert start == 150


def test_no_report_no_onset() -> None:
    assert find_onset(np.empty(0), np.full(12, 0.1), 0, phi=1.0, inverse_r=0.0) is None


def test_as_many_as_usual_is_no_onset() -> None:
    times = FIRST.timestamp() + np.array([60.0, 1800.0])
    assert find_onset(times, np.full(12, 5.0), bucket_number(FIRST), phi=1.0, inverse_r=0.0) is None
