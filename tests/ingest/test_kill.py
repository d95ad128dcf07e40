"""The worker killed hard while it polls: afterwards everything is there once. The full bar is benchmarks/feeds_kill."""

from __future__ import annotations

from tests.benchmarks.feeds_kill import run


def test_after_kills_in_the_middle_of_a_poll_each_item_is_stored_once_and_the_cube_agrees() -> None:
    found = run(items=4000, kills=2, seed=3)
    assert (found.stored, found.distinct, found.cube) == (4000, 4000, 4000)
