"""The key that persons are hashed with now: a new one each day, the old one for six hours more, then none. I/O."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from typing import Final

from aggregator.errors import StoreBusy
from aggregator.once import ONCE_IN
from aggregator.persons import Persons
from aggregator.store import Store, daykeys

DAY: Final = timedelta(days=1)
PATIENCE: Final = 1.0  # seconds that others wait while one makes the key of a new day


def oldest_day(now: datetime) -> date:
    """Return the oldest day (UTC) whose key may be there at `now`: so that six hours are six hours over midnight."""
    return (now - ONCE_IN).astimezone(UTC).date()


class Keyring:
    """Gives the keys of the present day out; threads and processes that share a store get the same.

    A key of the store alone opens nothing: it is joined with `secret`, which is not in the store.
    """

    def __init__(self, store: Store, secret: bytes) -> None:
        self._store, self._secret = store, secret
        self._lock = threading.Lock()
        self._known: dict[date, bytes] = {}

    def at(self, now: datetime) -> Persons:
        """Return who hashes persons at `now` (aware). Raises StoreError."""
        today = now.astimezone(UTC).date()
        if not self._lock.acquire(timeout=PATIENCE):
            raise StoreBusy("the key of the day is waited for")
        try:
            if today not in self._known:
                self._learn(today)
            oldest = oldest_day(now)
            self._known = {day: key for day, key in self._known.items() if oldest <= day <= today}
            before = self._known.get(today - DAY)
            return Persons(self._joined(self._known[today]), self._joined(before) if before else None)
        finally:
            self._lock.release()

    def _learn(self, today: date) -> None:
        """Ask the store for the keys, and make that of today if there is none; a lock keeps nobody from reading."""
        with self._store.read() as connection:
            key, former = daykeys.find(connection, today), daykeys.find(connection, today - DAY)
        if key is None:
            with self._store.write() as connection:
                key = daykeys.make(connection, today)
        self._known[today] = key
        if former:
            self._known[today - DAY] = former

    def _joined(self, key: bytes) -> bytes:
        return blake2b(key, key=blake2b(self._secret).digest(), digest_size=32).digest()
