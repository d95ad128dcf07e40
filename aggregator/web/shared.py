"""Counts of a minute that all processes share, in a Redis or Valkey; while it is away each counts for itself. I/O."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any, ClassVar, Final

from limits.errors import ConfigurationError, StorageError
from limits.storage import Storage, storage_from_string

from aggregator.web.steady import SteadyStorage

WAIT: Final = 2  # seconds that it may take before each process counts for itself
AGAIN: Final = 5.0  # seconds between two questions whether it is back
AWAY: Final = "senders are counted by each process for itself: the Redis does not answer"
log = logging.getLogger("netzlage.web")


def reach(url: str) -> Storage:
    """Return the Redis or Valkey at `url`, asked once and not for long; it is not reached before it is asked."""
    try:
        from redis.backoff import NoBackoff  # noqa: PLC0415 # optional extra: of those who share counts
        from redis.retry import Retry  # noqa: PLC0415 # optional extra
    except ModuleNotFoundError:
        raise ConfigurationError("the package redis is not installed") from None
    patience = {"socket_connect_timeout": WAIT, "socket_timeout": WAIT, "retry": Retry(NoBackoff(), 0)}
    return storage_from_string(url, wrap_exceptions=True, **patience)  # type: ignore[arg-type, return-value]


class SharedStorage(Storage):
    """The counts of the Redis at `url`; in the memory of this process from a failure on until it answers again.

    Flask-Limiter's own way to do so fails of two requests that meet a dead Redis at the same time the second.
    """

    STORAGE_SCHEME: ClassVar[list[str]] = ["shared"]  # type: ignore[misc]

    def __init__(
        self,
        uri: str | None = None,
        *,
        url: str,
        wrap_exceptions: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(uri, wrap_exceptions)
        self._there, self._here = reach(url), SteadyStorage(monotonic=monotonic)
        self._lock, self._monotonic = threading.Lock(), monotonic
        self._away_until: float | None = None  # None: it answers

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a storage of this kind may raise: nothing of its own."""
        return ValueError

    @property
    def trouble(self) -> str:
        """What is wrong, in words without addresses; "": nothing."""
        return AWAY if self._away_until is not None else ""

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the count of `key`, which begins anew `expiry` seconds after its first, and return it."""
        return int(self._asked(lambda storage: storage.incr(key, math.ceil(expiry), amount)))

    def get(self, key: str) -> int:
        """Return the count of `key`."""
        return int(self._asked(lambda storage: storage.get(key)))

    def get_expiry(self, key: str) -> float:
        """Return when the time of `key` is over, by the clock of the storage that counts."""
        return float(self._asked(lambda storage: storage.get_expiry(key)))

    def check(self) -> bool:
        """Say whether the counts are shared at this moment."""
        return self._there.check()

    def reset(self) -> int | None:
        """Begin the counts of this process anew; those that are shared are not its own."""
        return self._here.reset()

    def clear(self, key: str) -> None:
        """Begin the count of `key` anew."""
        self._here.clear(key)
        self._asked(lambda storage: storage.clear(key))

    def _asked(self, question: Callable[[Storage], Any]) -> Any:
        if not self._is_its_turn():
            return question(self._here)
        try:
            found = question(self._there)
        except StorageError as error:
            self._lost(error)
            return question(self._here)
        self._back()
        return found

    def _is_its_turn(self) -> bool:
        """Say whether the Redis is asked: always while it answers, else by one request now and then."""
        with self._lock:
            if self._away_until is None:
                return True
            now = self._monotonic()
            if now < self._away_until:
                return False
            self._away_until = now + AGAIN
            return True

    def _lost(self, error: StorageError) -> None:
        with self._lock:
            known, self._away_until = self._away_until is not None, self._monotonic() + AGAIN
        if not known:
            log.warning("%s (%s)", AWAY, " ".join(str(error.storage_error).split()))

    def _back(self) -> None:
        with self._lock:
            known, self._away_until = self._away_until is not None, None
        if known:
            log.warning("the Redis answers again: senders are counted together")
