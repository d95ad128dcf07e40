"""The nation's level of late: what the hours before a window say of it."""

from __future__ import annotations

import numpy as np
import pytest

from aggregator.detect.baseline import R_NATION as R
from aggregator.detect.drift import LAG, LEAST, MEMORY, MOST, PROFILE, REACH, ahead, follow

USUAL = np.full(200, 5.0)
HOUR = np.array([12])


def level_after(times: float, buckets: int = 200) -> float:
    """The level before the last bucket, after that many buckets at `times` the usual."""
    count = USUAL.copy()
    count[-buckets:] *= times
    return float(follow(count, USUAL, 1.0, R)[0][-1])


def test_usual_hours_leave_the_level_at_one() -> None:
    level, _ = follow(USUAL, USUAL, 1.2, R)
    assert level == pytest.approx(np.ones(201))


def test_a_day_above_the_usual_raises_what_is_expected_and_one_below_lowers_it() -> None:
    assert 1.0 < level_after(1.2) < 1.2
    assert 0.8 < level_after(0.8) < 1.0


def test_few_reports_say_little_of_the_level() -> None:
    few = follow(USUAL * 1.2 / 100, USUAL / 100, 1.0, R)
    many = follow(USUAL * 1.2, USUAL, 1.0, R)
    assert few[0][-1] < many[0][-1]
    assert few[1][-1] == pytest.approx(1 / R, rel=0.1)
    assert many[1][-1] < few[1][-1]


def test_neither_a_fault_of_hours_nor_a_deaf_feed_becomes_what_is_expected() -> None:
    assert level_after(50.0) == MOST
    assert level_after(0.0) == LEAST


def test_what_is_more_than_six_hours_old_no_longer_counts() -> None:
    count = USUAL.copy()
    count[: 200 - REACH] *= 30
    assert follow(count, USUAL, 1.0, R)[0][-1] == pytest.approx(1.0)


def test_buckets_that_nobody_heard_say_nothing() -> None:
    deaf = np.where(np.arange(200) >= 150, 0.0, USUAL)
    level, uncertain = follow(deaf, deaf, 1.0, R)
    assert level == pytest.approx(np.ones(201))
    assert uncertain[200] > uncertain[150]


def test_the_further_ahead_the_less_is_left_of_a_drift() -> None:
    durations = np.array([1, 12, 36, 144])
    mean, inverse_r = ahead(np.full(4, 1.2), np.full(4, 0.01), durations, R)
    assert (np.diff(mean) < 0).all()
    assert 1.0 < mean[-1] < mean[0] < 1.2
    assert (inverse_r > PROFILE / R).all()


def test_a_window_of_a_day_is_held_against_the_usual_day() -> None:
    mean, inverse_r = ahead(np.array([1.4]), np.array([0.01]), np.array([288]), R)
    assert mean[0] == 1.0
    assert inverse_r[0] == pytest.approx(1 / R)


def test_the_variance_ahead_is_that_of_drawn_drifts() -> None:
    rng, keep = np.random.default_rng(3), np.exp(-1 / MEMORY)
    known = 0.1
    paths = np.full((40_000, LAG + 12 + 1), known)
    for bucket in range(1, LAG + 12 + 1):
        paths[:, bucket] = keep * paths[:, bucket - 1] + rng.normal(0, R**-0.5 * np.sqrt(1 - keep**2), len(paths))
    means = 1 + paths[:, -12:].mean(axis=1)
    mean, inverse_r = ahead(np.array([1 + known]), np.array([0.0]), HOUR, R)
    assert mean[0] == pytest.approx(means.mean(), abs=0.003)
    assert inverse_r[0] * mean[0] ** 2 - PROFILE / R == pytest.approx(means.var(), rel=0.03)
