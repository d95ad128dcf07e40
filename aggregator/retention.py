"""How long what is known of persons is kept, and what takes it away in time. Joins the rooms of the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from aggregator.clock import floor_to
from aggregator.keyring import oldest_day
from aggregator.store import Store, daykeys, feeds, forgetting, quarantine, runs, versions

DAY: Final = timedelta(days=1)
REPORTERS: Final = timedelta(hours=24)
COMMENTS: Final = timedelta(days=90)
PLACES: Final = timedelta(days=30)  # after which of a PLZ only the district is left
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


def forget(store: Store, now: datetime) -> Forgotten:
    """Take away everything whose time is over at `now`. Done twice, it changes nothing the second time.

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
    )
    store.fold()
    return found


def tidy(store: Store, now: datetime) -> tuple[int, int]:
    """Delete payloads after 7 days, rejected items after 30 and old versions; return how many of the first two."""
    with store.write() as connection:
        versions.forget(connection, now)
        runs.forget(connection, now - RUNS)
        return feeds.forget_payloads(connection, now), quarantine.forget(connection, now)
