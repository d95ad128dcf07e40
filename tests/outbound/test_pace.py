"""When a feed that fails is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from aggregator.feedmodel import FeedState
from aggregator.outbound.pace import LONGEST, OPENS_AFTER, after_failure, circuit, is_due

NOON = datetime(2017, 5, 13, 12, 0, tzinfo=UTC)
EVERY = timedelta(minutes=1)


def pauses(failures: int, **values: float) -> list[timedelta]:
    state, found = FeedState(), []
    for _ in range(failures):
        state = after_failure(state, NOON, EVERY, **values)
        assert state.not_before
        found.append(state.not_before - NOON)
    return found


def test_after_the_first_failure_the_next_turn_then_each_pause_is_twice_the_one_before_up_to_an_hour() -> None:
    minutes = [pause / EVERY for pause in pauses(9)]
    assert minutes == [0, 2, 4, 8, 30, 32, 60, 60, 60]  # from the fifth on the circuit is open, half an hour at least


def test_chance_makes_a_pause_a_quarter_shorter_to_a_quarter_longer() -> None:
    assert pauses(2, chance=0.0)[1] == 1.5 * EVERY
    assert pauses(2, chance=1.0)[1] == 2.5 * EVERY


def test_what_the_server_wishes_is_obeyed_up_to_a_day() -> None:
    assert pauses(1, retry_after=7200) == [timedelta(hours=2)]
    assert pauses(1, retry_after=10**9) == [timedelta(days=1)]


def test_the_circuit_opens_after_five_failures_is_tried_once_and_closes_when_that_goes_well() -> None:
    state = FeedState()
    for _ in range(OPENS_AFTER):
        assert circuit(state, NOON) == "closed"
        state = after_failure(state, NOON, EVERY)
    assert (circuit(state, NOON), is_due(state, NOON)) == ("open", False)
    later = NOON + timedelta(hours=1)
    assert (circuit(state, later), is_due(state, later)) == ("half_open", True)
    assert state.failing_since == NOON
    assert is_due(FeedState(), NOON)


@given(failures=st.integers(1, 200), chance=st.floats(0, 1), seconds=st.integers(1, 7 * 86400))
def test_no_pause_is_ever_longer_than_five_quarters_of_an_hour_or_of_the_feeds_own_pace(
    failures: int, chance: float, seconds: int
) -> None:
    every = timedelta(seconds=seconds)
    state = after_failure(FeedState(failures, NOON, NOON), NOON, every, chance=chance)
    assert state.not_before
    assert timedelta(0) <= state.not_before - NOON <= 1.25 * max(LONGEST, every)
