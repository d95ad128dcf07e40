"""Is what a feed sent what it claims to be? Most of it unreadable, dates swapped, a window overrun. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from aggregator.model import FeedRun, RawReport, Rejected
from aggregator.normalise import AHEAD, NotAReport, moment
from ingest.parsers import Feed

# Reasons that speak of the form, or of a clock: an item with one of these may hide a report that we do not see.
FORM: Final = frozenset(
    {"missing_field", "bad_time", "future_time", "bad_number", "bad_coordinates", "bad_field", "unknown_service"}
)
SLACK: Final = timedelta(days=1)


def believed(feed: Feed, run: FeedRun, rejects: Sequence[Rejected], oldest: datetime | None) -> FeedRun:
    """Return the run as it is to be stored: one most of whose items cannot be read has not listened.

    rejects: some of the rejected. oldest: the time of the oldest item that was read.
    """
    return _most_readable(_whole_window(feed, run, oldest), rejects)


def _most_readable(run: FeedRun, rejects: Sequence[Rejected]) -> FeedRun:
    unread = Counter({reason: count for reason, count in run.rejected.items() if reason in FORM})
    if 2 * unread.total() <= run.fetched:
        return run
    reason, count = unread.most_common(1)[0]
    example = next((item for item in rejects if item.reason == reason), None)
    field = f" (field {example.field})" if example and example.field else ""
    detail = f" For instance: {example.detail}" if example else ""
    error = f"{count} of {run.fetched} items cannot be read: {reason}{field}.{detail}"
    return replace(run, outcome="changed", error=error, listened_from=None, listened_until=None, gap_from=None)


def _whole_window(feed: Feed, run: FeedRun, oldest: datetime | None) -> FeedRun:
    """Move the beginning to the oldest item where a window full of new items shows that older ones may be lost."""
    full = feed.window and run.fetched >= feed.window and not run.duplicate and oldest
    if not full or not run.listened_from or not run.listened_until or not oldest or oldest <= run.listened_from:
        return run
    begin = min(oldest, run.listened_until)
    return replace(run, listened_from=begin, gap_from=run.gap_from or run.listened_from)


def unswapped(raws: Iterable[RawReport], feed: Feed, now: datetime) -> list[RawReport | Rejected]:
    """Return the reports, those rejected whose day and month are most likely swapped.

    That is: the date is out of what one look can see, and with day and month the other way round it is not.
    """
    since, until = now - feed.lookback - SLACK, now + AHEAD
    return [_swapped(raw, since, until) or raw for raw in raws]


def _swapped(raw: RawReport, since: datetime, until: datetime) -> Rejected | None:
    try:
        at = moment(raw.observed_at, "observed_at")
    except NotAReport:
        return None  # the one door says so
    if at is None or since <= at <= until or at.day > 12 or at.day == at.month:
        return None
    other = at.astimezone(UTC).replace(month=at.day, day=at.month)
    if not since <= other <= until:
        return None
    said = f"observed_at {at:%Y-%m-%d} is {other:%Y-%m-%d} with day and month swapped; mend date_format."
    return Rejected("bad_time", said, "observed_at", raw.where)
