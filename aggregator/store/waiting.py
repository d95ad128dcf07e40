"""How those wait whose reports are stored together, and how they go on. I/O."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from aggregator.model import Report
from aggregator.record import End

Sent = Report | End


@dataclass(slots=True, eq=False)
class Ticket:
    """One that waits to be called: at a lock that is held till then, half the work of an Event.

    Those of a group call each other, one at a time. Called all at once they would stand in each other's way at the
    interpreter's lock, and in that of the writer, which has the next group to store.
    """

    sent: Sent
    new: bool = False
    error: Exception | None = None
    is_settled: bool = False  # it is known what became of it
    after: Ticket | None = None  # the next of its group
    _has_left: bool = False
    _pending: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._pending.acquire()

    def settle(self, new: bool = False, error: Exception | None = None) -> None:
        """Say what became of it, to be called."""
        self.new, self.error, self.is_settled = new, error, True

    def wait(self, seconds: float) -> bool:
        """Wait so long at most and say whether it was called; for the one that waits alone."""
        if not self._pending.acquire(timeout=max(0.0, seconds)):
            return False
        self._pending.release()
        return True

    def call(self) -> None:
        """Let who waits go on; one who has left without waiting for it calls nobody, so the next is called."""
        called: Ticket | None = self
        while called is not None:
            called._pending.release()
            if not called._has_left or not called._pending.acquire(blocking=False):
                return
            called = called.after

    def leave(self) -> None:
        """Call the next of the group, if called oneself. Of `call` and this one gets the lock: it calls the next."""
        self._has_left = True
        if self._pending.acquire(blocking=False) and self.after is not None:
            self.after.call()


def call_all(group: Sequence[Ticket]) -> None:
    """Let those who wait for the settled `group` go on, one after the other."""
    for ticket, after in pairwise(group):
        ticket.after = after
    if group:
        group[0].call()
