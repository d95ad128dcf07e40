"""Counts of a minute in the memory of this process, by a clock that nobody sets: for Flask-Limiter. I/O."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import ClassVar, Final

from limits.storage import Storage

SWEEP: Final = 4096  # counts at least that are begun between two looks for those whose time is over


class SteadyStorage(Storage):
    """A memory of fixed windows, as `memory://` is, without a thread of its own and without the time of day.

    With that one a clock that was set back by an hour kept everybody out for an hour whose minute was full.
    """

    STORAGE_SCHEME: ClassVar[list[str]] = ["steady"]  # type: ignore[misc]

    def __init__(
        self, uri: str | None = None, *, wrap_exceptions: bool = False, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(uri, wrap_exceptions)
        self._lock, self._monotonic = threading.Lock(), monotonic
        self._counts: dict[str, tuple[int, float]] = {}  # count, end of its time
        self._begun = 0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a storage of this kind may raise: nothing of its own."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the count of `key`, which begins anew `expiry` seconds after its first, and return it."""
        now = self._monotonic()
        with self._lock:
            count, end = self._counts.get(key, (0, 0.0))
            if end <= now:
                self._sweep(now)
                count, end = 0, now + expiry
            self._counts[key] = count + amount, end
            return count + amount

    def _sweep(self, now: float) -> None:
        self._begun += 1
        if self._begun >= max(SWEEP, len(self._counts)):  # else the more there are, the longer each would wait
            self._begun = 0
            self._counts = {key: (count, end) for key, (count, end) in self._counts.items() if end > now}

    def get(self, key: str) -> int:
        """Return the count of `key`."""
        with self._lock:
            count, end = self._counts.get(key, (0, 0.0))
        return count if end > self._monotonic() else 0

    def get_expiry(self, key: str) -> float:
        """Return when the time of `key` is over, by the clock of this storage."""
        with self._lock:
            return self._counts.get(key, (0, self._monotonic()))[1]

    def check(self) -> bool:
        """Say that it is there."""
        return True

    def reset(self) -> int:
        """Begin all counts anew and return how many there were."""
        with self._lock:
            number, self._counts = len(self._counts), {}
        return number

    def clear(self, key: str) -> None:
        """Begin the count of `key` anew."""
        with self._lock:
            self._counts.pop(key, None)
