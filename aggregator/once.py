"""Which reports count: one person counts once per provider and service in six hours, in the order of arrival. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

ONCE_IN: Final = timedelta(hours=6)


def is_near(counted: list[datetime], observed_at: datetime) -> bool:
    """Say whether one of the times `counted` lies less than six hours from `observed_at`."""
    return any(abs(observed_at - time) < ONCE_IN for time in counted)


def is_first(counted: list[datetime], observed_at: datetime) -> bool:
    """Say whether a report counts, and remember it then. counted: when their other reports that count were."""
    if is_near(counted, observed_at):
        return False
    counted.append(observed_at)
    return True
