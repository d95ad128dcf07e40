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
