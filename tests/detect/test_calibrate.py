"""From scores to recurrence intervals: the scale, the tail, the cap, the budget."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from aggregator.detect.calibrate import CROSSINGS, STRONG, Calibration
from aggregator.detect.tail import BLOCKS_A_WEEK, FOOT, WEIGHTS, block_maxima, calibrate
from aggregator.detect.zones import LEVELS

WEEKS = 400
# Levels whose tails begin at different heights and fall at different rates
PLACE, SLOPE = np.linspace(8.0, 12.0, len(LEVELS)), np.linspace(0.8, 1.6, len(LEVELS))


def maxima(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return PLACE + SLOPE * rng.gumbel(size=(WEEKS * BLOCKS_A_WEEK, len(LEVELS)))


def test_what_is_promised_once_a_week_comes_once_a_week_in_other_weeks() -> None:
    limits = calibrate(maxima(1))
    highest = limits.standard(maxima(2), np.arange(len(LEVELS))).max(axis=1)
    for weeks in (1.0, 13.0):
        alarms = int((highest >= limits.reached_in(weeks)).sum())
        assert alarms == pytest.approx(WEEKS / weeks, rel=0.3)


def test_levels_with_different_tails_are_told_apart() -> None:
    limits = calibrate(maxima(1))
    crossings = (maxima(2) >= np.asarray(limits.foot)).sum(axis=0) / WEEKS
    assert crossings == pytest.approx(CROSSINGS * np.array(WEIGHTS), rel=0.15)


def test_the_interval_grows_with_the_score_and_ends_at_the_weeks_looked_at() -> None:
    limits = replace(calibrate(maxima(1)), weeks=52)
    values = [limits.recurrence_weeks(s) for s in np.linspace(-3, 30, 50)]
    assert values == sorted(values)
    assert values[-1] == 52
    assert limits.recurrence_weeks(limits.reached_in(7.0)) == pytest.approx(7.0)


def test_one_setting_moves_both_thresholds() -> None:
    limits = calibrate(maxima(1))
    bold = replace(limits, budget=4.0)
    assert bold.suspected < limits.suspected
    assert limits.recurrence_weeks(limits.strong) == pytest.approx(STRONG)
    assert bold.recurrence_weeks(bold.strong) == pytest.approx(STRONG / 4)


def test_a_calibration_reads_what_it_wrote() -> None:
    limits = calibrate(maxima(1), "abc")
    assert Calibration.from_json(limits.to_json()) == limits
    assert limits.calibrated
    assert not calibrate(maxima(1)).calibrated


def test_quiet_weeks_without_a_single_crossing_still_give_finite_thresholds() -> None:
    limits = calibrate(np.full((BLOCKS_A_WEEK, len(LEVELS)), FOOT))
    assert np.isfinite([*limits.foot, *limits.scale, limits.suspected, limits.strong]).all()
    assert limits.suspected < limits.strong


def test_the_highest_of_each_three_hours_is_kept() -> None:
    tick, level = np.array([0, 35, 36, 40]), np.array([0, 0, 0, 7])
    highest = block_maxima(tick, level, np.array([9.0, 11.0, 8.0, 7.0]), 2)
    assert highest[:, 0].tolist() == [11.0, 8.0]
    assert highest[1, 7] == 7.0
    assert highest[0, 7] == FOOT
