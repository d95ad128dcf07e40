"""How many reports one line, one address block and all together may send: 429 before the store is asked. I/O.

The limits are generous: a mobile carrier's gateway is one block and speaks for thousands. A flood is not kept out by
them, it is left out of the counts by the detection; they keep the house from being busy with one sender alone.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from flask import Flask, request
from flask_limiter import ApplicationLimit, Limiter
from limits.errors import ConfigurationError

from aggregator.cleaning import address_block, address_line
from aggregator.errors import SettingsError
from aggregator.instance import Instance
from aggregator.web.shared import SharedStorage, reach
from aggregator.web.steady import SteadyStorage

STEADY: Final = SteadyStorage.STORAGE_SCHEME[0]
SHARED: Final = SharedStorage.STORAGE_SCHEME[0]
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Limits:
    """Counts what is sent (POST and the like) in memory or in the Redis or Valkey of the settings."""

    def __init__(self, app: Flask, instance: Instance, address: Callable[[], str]) -> None:
        self._key, self._address = blake2b(instance.key, digest_size=32).digest(), address
        settings = instance.settings
        block, line, everyone = settings.rate_limit_block, settings.rate_limit_line, settings.rate_limit_all
        self._limiter = Limiter(
            self._block,
            application_limits=[
                ApplicationLimit(block, key_function=self._block, scope="block"),
                ApplicationLimit(line, key_function=self._line, scope="line", exempt_when=lambda: ":" not in address()),
                ApplicationLimit(everyone, key_function=lambda: "all", scope="all"),
            ],
            storage_uri=f"{SHARED if settings.redis_url else STEADY}://",
            storage_options={"url": settings.redis_url} if settings.redis_url else {},
            strategy="fixed-window",
            key_prefix="netzlage",
            enabled=settings.rate_limits,
        )
        self._limiter.request_filter(lambda: request.method in READING)
        try:
            self._limiter.init_app(app)
        except ConfigurationError as error:
            raise _unusable(error) from None

    def _block(self) -> str:
        return self._hidden(address_block(self._address()))

    def _line(self) -> str:
        return self._hidden(address_line(self._address()))

    def _hidden(self, network: str) -> str:
        """Return what stands for a network, so that no address lies in the memory of a Redis."""
        return blake2b(network.encode(), key=self._key, digest_size=12).hexdigest()

    def wait(self) -> int:
        """Return after how many seconds at most the present request, which was one too many, may come again."""
        breached = self._limiter.current_limit
        return breached.limit.get_expiry() if breached else 1

    @property
    def trouble(self) -> str:
        """What is wrong with the counting, in words without addresses; "": nothing."""
        return getattr(self._limiter.storage, "trouble", "") if self._limiter.enabled else ""


def check_redis(redis_url: str) -> None:
    """Raise SettingsError where a Redis is named that does not answer."""
    if not redis_url:
        return
    try:
        there = reach(redis_url).check()
    except ConfigurationError as error:
        raise _unusable(error) from None
    if not there:
        raise SettingsError(
            "redis_url names a Redis that does not answer, so each process counts for itself; start it or mend the URL."
        )


def _unusable(error: ConfigurationError) -> SettingsError:
    why = " ".join(str(error).split())
    return SettingsError(f"Setting redis_url cannot be used ({why}); write redis://HOST:6379/0.")
