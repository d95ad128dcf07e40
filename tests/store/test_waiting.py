"""Those of a group call each other: nobody is left waiting, nobody is called twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from aggregator.store.waiting import Ticket, call_all
from tests.making import report


def group(size: int) -> list[Ticket]:
    tickets = [Ticket(report(str(number))) for number in range(size)]
    for ticket in tickets:
        ticket.settle(new=True)
    return tickets


def test_each_is_called_when_the_one_before_has_left() -> None:
    first, second, third = group(3)
    call_all([first, second, third])
    assert (first.wait(0), second.wait(0), third.wait(0)) == (True, False, False)
    first.leave()
    assert (second.wait(0), third.wait(0)) == (True, False)
    second.leave()
    assert third.wait(0)
    third.leave()


def test_one_who_has_left_keeps_nobody_waiting() -> None:
    first, second, third, fourth = group(4)
    second.leave()
    call_all([first, second, third, fourth])
    third.leave()
    first.leave()
    assert fourth.wait(0)


def test_the_first_may_have_left_too() -> None:
    first, second = group(2)
    first.leave()
    call_all([first, second])
    assert second.wait(0)
    call_all([])


def at_once(both: threading.Barrier, act: Callable[[], None]) -> None:
    both.wait()
    act()


def test_who_leaves_at_the_moment_of_being_called_calls_the_next_once() -> None:
    """A lock that is released twice raises."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(500):
            first, second = group(2)
            both = threading.Barrier(2)
            first.after = second
            leaving = pool.submit(at_once, both, first.leave)
            calling = pool.submit(at_once, both, first.call)
            leaving.result()
            calling.result()
            assert second.wait(0)
