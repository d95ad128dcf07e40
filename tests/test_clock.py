"""The clocks: both tell aware UTC; the simulated one stands, is set, runs at a pace and waits at that pace."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.clock import BERLIN, SimulatedClock, SystemClock, floor_to

NOON = datetime(2017, 5, 13, 12, tzinfo=UTC)


class Hand:
    """A stand-in for the system's monotonic seconds."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_the_system_clock_tells_the_worlds_time_in_utc() -> None:
    before = datetime.now(UTC)
    now = SystemClock().now()
    assert before <= now <= datetime.now(UTC)
    assert now.utcoffset() == timedelta(0)
    assert not SystemClock().simulated


def test_the_system_clock_waits() -> None:
    clock = SystemClock()
    before = clock.now()
    clock.sleep(0.02)
    assert clock.now() - before >= timedelta(seconds=0.019)


def test_a_simulated_clock_says_so() -> None:
    assert SimulatedClock(NOON).simulated


def test_a_simulated_clock_stands_still_until_it_runs() -> None:
    hand = Hand()
    clock = SimulatedClock(NOON, monotonic=hand)
    hand.seconds = 100
    assert clock.now() == NOON


def test_a_running_clock_goes_at_its_speed() -> None:
    hand = Hand()
    clock = SimulatedClock(NOON, monotonic=hand)
    hand.seconds = 100
    clock.run(60)
    hand.seconds = 110
    assert clock.now() == NOON + timedelta(minutes=10)


def test_a_change_of_speed_makes_no_jump() -> None:
    hand = Hand()
    clock = SimulatedClock(NOON, monotonic=hand)
    clock.run(60)
    hand.seconds = 10
    clock.run(1)
    assert clock.now() == NOON + timedelta(minutes=10)
    hand.seconds = 20
    assert clock.now() == NOON + timedelta(minutes=10, seconds=10)
    clock.run(0)
    hand.seconds = 1000
    assert clock.now() == NOON + timedelta(minutes=10, seconds=10)


def test_setting_a_running_clock_puts_its_hands_there_and_it_goes_on() -> None:
    hand = Hand()
    clock = SimulatedClock(NOON, monotonic=hand)
    clock.run(2)
    hand.seconds = 50
    clock.set(NOON)
    assert clock.now() == NOON
    hand.seconds = 51
    assert clock.now() == NOON + timedelta(seconds=2)


def test_waiting_moves_a_clock_that_stands() -> None:
    clock = SimulatedClock(NOON)
    clock.sleep(90)
    assert clock.now() == NOON + timedelta(seconds=90)


def test_waiting_on_a_running_clock_takes_the_shorter_real_time() -> None:
    clock = SimulatedClock(NOON)
    real = SystemClock()
    clock.run(1000)
    before = real.now()
    clock.sleep(20)
    assert clock.now() >= NOON + timedelta(seconds=19)
    assert real.now() - before < timedelta(seconds=5)


def test_other_zones_are_told_as_utc() -> None:
    clock = SimulatedClock(datetime(2017, 5, 13, 14, tzinfo=BERLIN))
    assert clock.now() == NOON
    assert clock.now().tzinfo is UTC


def test_a_time_without_zone_is_refused() -> None:
    naive = NOON.replace(tzinfo=None)
    with pytest.raises(ValueError, match="has no zone"):
        SimulatedClock(naive)
    with pytest.raises(ValueError, match="has no zone"):
        SimulatedClock(NOON).set(naive)


def test_floor_takes_the_last_full_step() -> None:
    five = timedelta(minutes=5)
    assert floor_to(NOON + timedelta(minutes=9, seconds=59), five) == NOON + timedelta(minutes=5)
    assert floor_to(NOON, five) == NOON


def test_floor_takes_any_zone_and_tells_utc() -> None:
    half = datetime(2017, 5, 13, 14, 3, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    assert floor_to(half, timedelta(hours=1)) == datetime(2017, 5, 13, 8, tzinfo=UTC)


@given(
    st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year > 1),
    st.timedeltas(timedelta(seconds=1), timedelta(days=7)),
)
def test_floor_is_below_by_less_than_a_step_and_stays(moment: datetime, step: timedelta) -> None:
    floor = floor_to(moment, step)
    assert timedelta(0) <= moment - floor < step
    assert floor_to(floor, step) == floor
