"""The time, handed to whoever needs it. The command makes one Clock; nothing else asks the system."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


class Clock(Protocol):
    """Tells the time (aware UTC) and waits."""

    @property
    def simulated(self) -> bool:
        """True where the time is not the world's: everything shown then says so."""

    def now(self) -> datetime:
        """Return the present, aware, UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait for that many of this clock's seconds."""


class SystemClock:
    """The real time."""

    simulated = False

    def now(self) -> datetime:
        """Return the present, aware, UTC."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


class SimulatedClock:
    """A time that stands still until it is set, or runs `speed` times as fast as life once started."""

    simulated = True

    def __init__(self, start: datetime, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._at = _utc(start)
        self._speed = 0.0
        self._monotonic = monotonic
        self._since = monotonic()

    def now(self) -> datetime:
        """Return the simulated present, aware, UTC."""
        return self._at + timedelta(seconds=(self._monotonic() - self._since) * self._speed)

    def set(self, at: datetime) -> None:
        """Put the hands to `at` (aware; ValueError when it has no zone)."""
        self._at, self._since = _utc(at), self._monotonic()

    def run(self, speed: float) -> None:
        """Let time pass at `speed` times the pace of life (0 stops it)."""
        self.set(self.now())
        self._speed = speed

    def sleep(self, seconds: float) -> None:
        """Wait for that many simulated seconds; a clock that stands still is moved on instead."""
        if self._speed:
            time.sleep(seconds / self._speed)
        else:
            self.set(self.now() + timedelta(seconds=seconds))


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no zone")
    return moment.astimezone(UTC)


def floor_to(moment: datetime, step: timedelta) -> datetime:
    """Return the last full `step` (counted from the epoch, UTC) at or before `moment`."""
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return epoch + (moment - epoch) // step * step
