"""How many reports one address block and all together may send: 429 before the store is asked. I/O."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from typing import Final

from aggregator.cleaning import address_block

WINDOW: Final = timedelta(minutes=1)
A_BLOCK: Final = 120  # reports a window: a mobile carrier's gateway speaks for thousands
ALL: Final = 6000


class Limits:
    """Counts the reports of the present window, in this process; threads may share it."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._start: datetime | None = None

    def wait(self, address: str, at: datetime) -> int:
        """Count one report from `address` at `at`; return 0, or in how many seconds to come again."""
        if not self._on:
            return 0
        with self._lock:
            if self._start is None or not self._start <= at < self._start + WINDOW:
                self._start = at
                self._counts.clear()
            block = address_block(address)
            self._counts.update((block, "*"))
            if self._counts[block] <= A_BLOCK and self._counts["*"] <= ALL:
                return 0
            return max(1, round((self._start + WINDOW - at).total_seconds()))
