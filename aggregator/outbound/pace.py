"""When a feed that fails is asked again: longer and longer pauses, a circuit that opens, Retry-After. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal

from aggregator.feedmodel import FeedState

OPENS_AFTER: Final = 5  # failures in a row
OPEN_FOR: Final = timedelta(minutes=30)  # at least; then one try says whether it closes
LONGEST: Final = timedelta(hours=1)
LONGEST_WISH: Final = timedelta(days=1)  # of a Retry-After
Circuit = Literal["closed", "open", "half_open"]


def after_failure(
    before: FeedState, now: datetime, every: timedelta, *, retry_after: float = 0.0, chance: float = 0.5
) -> FeedState:
    """Return the state after one more failure.

    The first is tried again at the next turn, then each pause is twice the one before, up to an hour. chance: 0 to 1,
    makes the pause a quarter shorter to a quarter longer, so that feeds that fell together do not come back together.
    """
    failures = before.failures + 1
    pause = min(every * 2 ** min(failures - 1, 20), max(LONGEST, every)) if failures > 1 else timedelta(0)
    if failures >= OPENS_AFTER:
        pause = max(pause, OPEN_FOR)
    pause *= 0.75 + 0.5 * chance
    wish = min(timedelta(seconds=retry_after), LONGEST_WISH)
    return FeedState(failures, before.failing_since or now, now + max(pause, wish))


def is_due(state: FeedState, now: datetime) -> bool:
    """Say whether a feed may be asked now."""
    return state.not_before is None or now >= state.not_before


def circuit(state: FeedState, now: datetime) -> Circuit:
    """Return whether the feed is asked (closed), left alone (open), or asked once to see (half open)."""
    if state.failures < OPENS_AFTER:
        return "closed"
    return "half_open" if is_due(state, now) else "open"
