"""The reports behind the counts, as the store knows them: their times, who stands behind them, what is a flood. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect.tick import Floats, Places
from aggregator.detect.trust import FLOOD, Part, is_flood
from aggregator.frames import BUCKET, CUBE, conform
from aggregator.model import Filter, Hotspot, Stream
from aggregator.store import Connection, crowds, reports
from aggregator.store.crowds import BLOCK, TEXT, Crowd

GUESSED_OVER = timedelta(days=7)  # how long back the usual share of guessed places is judged
DAY = timedelta(days=1)
KEYS = ["provider", "service", "region", "bucket", "source"]

Members = dict[str, tuple[str, str, str, datetime, str]]  # report id -> provider, service, region, time, source


@dataclass(frozen=True, slots=True)
class Usual:
    """The usual share of the largest block of each stream, asked once a day."""

    day: datetime
    shares: dict[Stream, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The reports behind the counts, as far as they were known by `as_of` (None: now)."""

    connection: Connection
    as_of: datetime | None
    usual: Usual
    left_out: tuple[str, ...] = ()  # ids of the reports that a flood is made of

    def times(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> Floats:
        """Return the seconds since the epoch of the counted reports in [since, until), ascending."""
        return reports.times(self.connection, stream, regions, since, until, self.as_of, without=self.left_out)

    def parts(self, hotspot: Hotspot) -> Sequence[Part]:
        """Return the largest block, the commonest text and, of a region, the places guessed from addresses."""
        stream, regions = hotspot.stream, hotspot.regions or None
        window = Filter(stream.provider, stream.service, since=hotspot.start, until=hotspot.end, as_of=self.as_of)
        made = crowds.makeup(self.connection, window, regions, self.left_out)
        found = [Part(made.block, self.usual_block(stream)), Part(made.text, 0.0)]
        if regions and made.by_address:
            before = replace(window, since=hotspot.start - GUESSED_OVER, until=hotspot.start)
            past = crowds.makeup(self.connection, before, regions)
            found.append(Part(made.by_address, past.by_address / past.total if past.total else 0.0))
        return found

    def usual_block(self, stream: Stream) -> float:
        """Return the share that the largest block of a stream holds on a usual day."""
        if stream not in self.usual.shares:
            f = Filter(stream.provider, stream.service, since=self.usual.day, as_of=self.as_of)
            self.usual.shares[stream] = crowds.usual_block(self.connection, f)
        return self.usual.shares[stream]

    def floods(self, counts: pd.DataFrame, since: datetime, until: datetime) -> list[Crowd]:
        """Return the blocks and texts that hold far more of a stream than usual. counts: CUBE of [since, until).

        A block has another name each day (UTC), so what it holds is compared with its day alone: else a flood over
        midnight would be two of half the size.
        """
        found: list[Crowd] = []
        for start, end in days_of(since, until):
            found += self._floods_of(BLOCK, counts, start, end, [])
        return found + self._floods_of(TEXT, counts, since, until, found)

    def _floods_of(
        self, kind: str, counts: pd.DataFrame, since: datetime, until: datetime, known: Sequence[Crowd]
    ) -> list[Crowd]:
        """Return the floods of one kind, the largest first: each is measured without those before it and `known`."""
        window = Filter(since=since, until=until, as_of=self.as_of)
        large = crowds.crowds(self.connection, kind, window, FLOOD)
        if not large:
            return []
        within = counts[(counts["bucket"] >= since) & (counts["bucket"] < until)]
        left = Counter(within.groupby(["provider", "service"], observed=True)["count"].sum().to_dict())
        for crowd in known:
            left[crowd.stream.provider, crowd.stream.service] -= crowd.size
        found = []
        for crowd in sorted(large, key=lambda c: (-c.size, c.value)):
            stream = crowd.stream.provider, crowd.stream.service
            usual = self.usual_block(crowd.stream) if kind == BLOCK else 0.0
            if is_flood(crowd.size, float(max(left[stream], crowd.size)), usual):
                found.append(crowd)
                left[stream] -= crowd.size
        return found

    def members(self, floods: Sequence[Crowd], since: datetime, until: datetime) -> Members:
        """Return the reports of the floods in [since, until), by id so that none is there twice."""
        window = Filter(since=since, until=until, as_of=self.as_of)
        return {
            report_id: (flood.stream.provider, flood.stream.service, *member)
            for flood in floods
            for report_id, member in crowds.members(self.connection, flood, window).items()
        }


def days_of(since: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Cut [since, until) at each midnight (UTC)."""
    while since < until:
        midnight = floor_to(since, DAY) + DAY
        yield since, min(midnight, until)
        since = midnight


def without(counts: pd.DataFrame, gone: Members) -> pd.DataFrame:
    """Return CUBE without those reports."""
    if not gone:
        return counts
    taken = pd.DataFrame(list(gone.values()), columns=KEYS).assign(count=-1)
    taken["bucket"] = pd.to_datetime(taken["bucket"], utc=True).dt.floor(BUCKET)
    left = pd.concat([counts[[*KEYS, "count"]], taken])
    left = left.groupby(KEYS, observed=True, sort=True)["count"].sum().reset_index()
    return conform(left[left["count"] > 0].sort_values("bucket", kind="stable", ignore_index=True), CUBE)
