"""SIGTERM and Ctrl-C: the first asks to end in order, a second one ends at once; and the end of who started us. I/O."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

LOOK: Final = 0.25  # seconds between two looks of who waits for the end
GRACE: Final = 60.0  # seconds in which who is let go ends what it has in hand


class Stop:
    """Whether it is time to end."""

    def __init__(self) -> None:
        self._told = False  # no Event: a signal may come while its lock is held
        self._wake: Callable[[], object] = lambda: None

    def wakes(self, wake: Callable[[], object]) -> None:
        """Have `wake` called when it is time, to end a wait that does not look at this."""
        self._wake = wake

    def is_set(self) -> bool:
        """Say whether it is time."""
        return self._told

    def wait(self) -> None:
        """Return when it is time."""
        while not self._told:
            time.sleep(LOOK)

    def now(self) -> None:
        """Say that it is time."""
        self._told = True
        self._wake()


@contextmanager
def stopped_by_signal() -> Iterator[Stop]:
    """Give what SIGTERM and Ctrl-C set; only the main thread hears them. The second leaves without a word to anybody.

    Nothing is lost by that: what was answered is stored.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def hear(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.now()

    before = {number: signal.signal(number, hear) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stopped_when_let_go(stop: Stop) -> None:
    """Have `stop` told when standard input ends, as it does when who holds its other end does; GRACE later, leave.

    Nothing is lost by that either: what this had in hand goes to whoever is left.
    """

    def hear() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        stop.now()
        time.sleep(GRACE)
        os._exit(1)

    threading.Thread(target=hear, daemon=True).start()
