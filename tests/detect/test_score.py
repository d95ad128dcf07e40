"""The statistics against published check values and against one another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.detect.scan import ROOM
from aggregator.detect.score import MIN_K, clumping, ebp, kulldorff, nb1

COUNTS = st.integers(1, 2000)
MEANS = st.floats(0.01, 1000)


def values(*numbers: float) -> np.ndarray:
    return np.array(numbers, dtype=np.float64)


@given(COUNTS, MEANS, st.floats(1e-3, 10))
def test_nb1_is_the_sum_over_the_reports(c: int, b: float, k: float) -> None:
    i = np.arange(c)
    direct = np.log((c + i * k) / (b + i * k)).sum() - (c - b) * np.log1p(k) / k if c > b else 0.0
    assert nb1(values(c), values(b), k=k)[0] == pytest.approx(direct, rel=1e-9, abs=1e-7)


@given(COUNTS, MEANS)
def test_nb1_without_clumping_is_ebp(c: int, b: float) -> None:
    k = clumping(1.0, values(b), 0.0)
    assert k[0] == MIN_K
    effect = MIN_K * c**2 / b  # what so small a k changes by right
    assert nb1(values(c), values(b), k=k)[0] == pytest.approx(ebp(values(c), values(b))[0], rel=1e-9, abs=1e-7 + effect)


@given(COUNTS, MEANS, st.floats(0.01, 5))
def test_clumping_raises_a_score_by_less_than_the_room_that_the_scan_leaves(c: int, b: float, k: float) -> None:
    assert nb1(values(c), values(b), k=k)[0] <= ebp(values(c), values(b))[0] + ROOM


@given(COUNTS, MEANS)
def test_no_score_is_given_below_the_expected(c: int, b: float) -> None:
    below = values(min(c, int(b)))
    assert ebp(below, values(b))[0] == 0
    assert nb1(below, values(b), k=0.5)[0] == 0


def test_kulldorff_knows_only_shares() -> None:
    c, b = values(10, 20), values(2, 8)
    once = kulldorff(c, b, total_c=100, total_b=50)
    assert kulldorff(c, b * 3, total_c=100, total_b=150) == pytest.approx(once)
    assert kulldorff(values(4), values(2), total_c=100, total_b=50)[0] == 0
