"""Counts of a minute: they begin anew when it is over, go with no clock of the wall, and do not pile up."""

from __future__ import annotations

from limits import RateLimitItemPerMinute
from limits.strategies import FixedWindowRateLimiter

from aggregator.web.steady import SWEEP, SteadyStorage


class Hand:
    """A stopwatch that is turned by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_minute_that_is_full_is_over_after_a_minute() -> None:
    hand = Hand()
    limiter = FixedWindowRateLimiter(SteadyStorage(monotonic=hand))
    twice = RateLimitItemPerMinute(2)
    assert [limiter.hit(twice, "a") for _ in range(3)] == [True, True, False]
    assert limiter.hit(twice, "b")
    hand.at += 59.9
    assert not limiter.hit(twice, "a")
    hand.at += 0.2
    assert limiter.hit(twice, "a")


def test_those_whose_minute_is_over_are_forgotten() -> None:
    hand = Hand()
    storage = SteadyStorage(monotonic=hand)
    for number in range(SWEEP - 1):
        storage.incr(str(number), 60)
    hand.at += 61
    storage.incr("new", 60)
    assert storage.get("new") == 1
    assert storage.reset() == 1
