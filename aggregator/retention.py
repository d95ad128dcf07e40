"""How long what is known of persons is kept, and what takes it away in time. Joins the rooms of the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aggregator.clock import floor_to
from aggregator.keyring import oldest_day
from aggregator.store import Store, daykeys, feeds, forgetting, partitions, quarantine, runs, versions

DAY: Final = timedelta(days=1)
REPORTERS: Final = timedelta(hours=24)
COMMENTS: Final = timedelta(days=90)
PLACES: Final = timedelta(days=30)  # after which of a PLZ only the district is left
AHEAD: Final = 3  # days
RUNS: Final = timedelta(days=90)  # of feeds; nothing of persons is in them, they only grow
PAYLOADS: Final = feeds.KEPT
REJECTED: Final = quarantine.KEPT


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How many of each were taken away."""

    keys: int
    reporters: int
    blocks: int
    places: int
    comments: int
    payloads: int
    rejected: int
    reports: int = 0


def make_room(store: Store, now: datetime) -> int:
    """Make the partitions of the days to come on PostgreSQL, and return how many were not there yet."""
    with store.write() as connection:
        return len(partitions.make(connection, [now + n * DAY for n in range(AHEAD + 1)]))


def forget(store: Store, now: datetime, *, keep_reports: int = 0) -> Forgotten:
    """Take away everything whose time is over at `now`. Done twice, it changes nothing the second time.

    keep_reports: days after which the reports themselves go, their counts excepted; 0: never.

    Blocks get their numbers once their day (UTC) is over, and comments go by whole days: then nothing that came under
    the same name is left out.
    """
    today = floor_to(now.astimezone(UTC), DAY)
    with store.write() as connection:
        keys = daykeys.throw_away(connection, oldest_day(now))
    forgetting.forget_counted(store, now - REPORTERS)
    payloads, rejected = tidy(store, now)
    found = Forgotten(
        keys=keys,
        reporters=forgetting.clear_reporters(store, now - REPORTERS),
        blocks=forgetting.number_blocks(store, today),
        places=forgetting.coarsen_places(store, now - PLACES),
        comments=forgetting.forget_comments(store, today + DAY - COMMENTS),
        payloads=payloads,
        rejected=rejected,
        reports=forgetting.drop_reports(store, today - keep_reports * DAY) if keep_reports else 0,
    )
    store.fold()
    return found


def tidy(store: Store, now: datetime) -> tuple[int, int]:
    """Delete payloads after 7 days, rejected items after 30 and old versions; return how many of the first two."""
    with store.write() as connection:
        versions.forget(connection, now)
        runs.forget(connection, now - RUNS)
        return feeds.forget_payloads(connection, now), quarantine.forget(connection, now)
