"""How many reports one line, one address block and all together may send: 429 before the store is asked. I/O.

The limits are generous: a mobile carrier's gateway is one block and speaks for thousands. A flood is not kept out by
them, it is left out of the counts by the detection; they keep the house from being busy with one sender alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final
from wsgiref.types import WSGIEnvironment

from flask import Flask, abort, request
from flask_limiter import Limiter
from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError

from aggregator.cleaning import address_block, address_line
from aggregator.errors import SettingsError
from aggregator.instance import Instance
from aggregator.web.senders import address_of
from aggregator.web.shared import SharedStorage, reach
from aggregator.web.steady import SteadyStorage

STEADY: Final = SteadyStorage.STORAGE_SCHEME[0]
SHARED: Final = SharedStorage.STORAGE_SCHEME[0]
PREFIX: Final = "netzlage"
READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
BREACHED: Final = "netzlage.breached"  # of an environ that was counted: the limit that it is too many for, or None


@dataclass(frozen=True, slots=True)
class Count:
    """Those who are counted together, and what they may send. of: address -> their name, None: they are not counted."""

    scope: str
    items: Sequence[RateLimitItem]
    of: Callable[[str], str | None]


class Limits:
    """Counts what is sent (POST and the like) in memory or in the Redis or Valkey of the settings.

    Flask-Limiter brings storage and strategy; which of its limits holds for a request it would find out anew each
    time, a third of all that the answer to a report takes, so that is done here: the same three hold for all.
    """

    def __init__(self, app: Flask, instance: Instance) -> None:
        self._key = blake2b(instance.key, digest_size=32).digest()
        settings = instance.settings
        self._limiter = Limiter(
            lambda: self._block(address_of(request.environ)),
            storage_uri=f"{SHARED if settings.redis_url else STEADY}://",
            storage_options={"url": settings.redis_url} if settings.redis_url else {},
            strategy="fixed-window",
            enabled=settings.rate_limits,
        )
        self._counts = (
            Count("block", parse_many(settings.rate_limit_block), self._block),
            Count("line", parse_many(settings.rate_limit_line), self._line),
            Count("all", parse_many(settings.rate_limit_all), lambda _address: "all"),
        )
        app.extensions.setdefault("limiter", set()).add(self._limiter)  # it finds itself there and adds no hooks
        try:
            self._limiter.init_app(app)
        except ConfigurationError as error:
            raise _unusable(error) from None
        if settings.rate_limits:
            app.before_request(self._look)

    def _look(self) -> None:
        """Turn the present request away with 429 where it is one too many."""
        if request.method not in READING and self.breached(request.environ):
            abort(429)

    def breached(self, environ: WSGIEnvironment) -> RateLimitItem | None:
        """Count a request, once however often it is asked about, and return the limit for which it is one too many."""
        if not self._limiter.enabled:
            return None
        if BREACHED not in environ:
            environ[BREACHED] = self._hit(address_of(environ))
        found: RateLimitItem | None = environ[BREACHED]
        return found

    def _hit(self, address: str) -> RateLimitItem | None:
        for count in self._counts:
            name = count.of(address)
            if name is None:
                continue
            for item in count.items:
                if not self._limiter.limiter.hit(item, PREFIX, count.scope, name):
                    return item
        return None

    def _block(self, address: str) -> str:
        return self._hidden(address_block(address))

    def _line(self, address: str) -> str | None:
        """Return what stands for a line; None of IPv4: behind one address may be a whole house or carrier."""
        return self._hidden(address_line(address)) if ":" in address else None

    def _hidden(self, network: str) -> str:
        """Return what stands for a network, so that no address lies in the memory of a Redis."""
        return blake2b(network.encode(), key=self._key, digest_size=12).hexdigest()

    def wait(self) -> int:
        """Return after how many seconds at most the present request, which was one too many, may come again."""
        breached: RateLimitItem | None = request.environ.get(BREACHED)
        return breached.get_expiry() if breached else 1

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
