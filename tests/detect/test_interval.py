"""Ranges against published values."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.detect.interval import ratio_interval, usual_range


def test_the_interval_of_a_ratio_is_that_of_a_poisson_count() -> None:
    assert ratio_interval(10, 2.0) == pytest.approx((4.795 / 2, 18.390 / 2), abs=1e-3)  # Garwood 1936
    assert ratio_interval(0, 2.0)[0] == 0


def test_the_usual_range_holds_95_of_100_counts() -> None:
    low, high = usual_range(np.array([0.01, 10.0, 10.0]), np.array([1.0, 1.0, 3.0]))
    assert low.tolist()[:2] == [0, 4]
    assert high.tolist()[:2] == [0, 17]
    assert high[2] > high[1]


def test_a_count_that_clumps_is_worth_as_many_reports_as_would_scatter_like_it() -> None:
    assert ratio_interval(40, 2.0, 4.0) == pytest.approx((4.795 * 2, 18.390 * 2), abs=4e-3)
    low, high = ratio_interval(1378, 31.6, 1.4 + 1378 / 25)  # the nation: its level is uncertain by a fifth
    assert low < 0.75 * 1378 / 31.6
    assert high > 1.4 * 1378 / 31.6
    assert ratio_interval(7, 2.0, 0.5) == ratio_interval(7, 2.0)
