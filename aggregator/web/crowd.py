"""How many long files are made at once: each holds a thread of the server, slow readers for half a minute. I/O."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from werkzeug.exceptions import ServiceUnavailable

AT_ONCE: Final = 2  # they keep a core busy each; of 16 threads
AGAIN: Final = 10  # seconds


class Crowded(ServiceUnavailable):
    """There is no seat."""

    def __init__(self) -> None:
        super().__init__("Too many long files are being made; come again in a few seconds.", retry_after=AGAIN)


class Seat:
    """The right to make a long file, given back once, however often it is left."""

    def __init__(self, leave: Callable[[], object] = lambda: None) -> None:
        self._leave: Callable[[], object] | None = leave

    def leave(self) -> None:
        """Give it back."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave()


class Seats:
    """So many seats."""

    def __init__(self, number: int = AT_ONCE) -> None:
        self._free = threading.BoundedSemaphore(number)

    def take(self) -> Seat:
        """Return a seat; Crowded where there is none."""
        if not self._free.acquire(blocking=False):
            raise Crowded
        return Seat(self._free.release)
