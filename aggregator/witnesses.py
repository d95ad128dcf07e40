"""The reports behind the counts, as the store knows them: their times, who stands behind them, what is a flood. I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect.tick import Floats, Places
from aggregator.detect.trust import FLOOD, Part, is_flood, matters
from aggregator.frames import BUCKET, CUBE, conform
from aggregator.model import Filter, Hotspot, Stream
from aggregator.store import Connection, crowds, reported, reports
from aggregator.store.crowds import BLOCK, TEXT, Crowd
from aggregator.store.reported import Reported

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
    """The reports behind the counts, as far as they were known by `as_of` (None: now).

    blocks, texts: those since `since`, read once for all that a look asks.
    """

    connection: Connection
    as_of: datetime | None
    usual: Usual
    since: datetime
    blocks: Reported
    texts: Reported

    def times(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> Floats:
        """Return the seconds since the epoch of the counted reports in [since, until), ascending."""
        late = self.blocks.times(stream, regions, since, until)
        if since >= self.since:
            return late
        early = reports.times(self.connection, stream, regions, since, min(until, self.since), self.as_of)
        return np.concatenate([early, late])

    def parts(self, hotspot: Hotspot) -> Sequence[Part]:
        """Return the largest block, the commonest text and, of a region, the places guessed from addresses.

        Those too small to matter are left out: what is usual of them need not be asked.
        """
        stream, regions = hotspot.stream, hotspot.regions or None
        window = stream, regions, hotspot.start, hotspot.end
        found = []
        if matters(hotspot, block := self.blocks.most(*window)):
            found.append(Part(block, self.usual_block(stream)))
        if matters(hotspot, text := self.texts.most(*window)):
            found.append(Part(text, 0.0))
        if regions and matters(hotspot, by_address := self.blocks.placed_by_address(*window)):
            found.append(Part(by_address, self._usually_guessed(hotspot)))
        return found

    def _usually_guessed(self, hotspot: Hotspot) -> float:
        of, since = hotspot.stream, hotspot.start - GUESSED_OVER
        before = Filter(of.provider, of.service, since=since, until=hotspot.start, as_of=self.as_of)
        return crowds.guessed(self.connection, before, hotspot.regions)

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
        large = list((self.blocks if kind == BLOCK else self.texts).crowds(since, until, FLOOD))
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


def see(  # noqa: PLR0917 - the question in the order it is asked
    connection: Connection,
    since: datetime,
    until: datetime,
    as_of: datetime | None,
    usual: Usual,
    without: Sequence[str] = (),
) -> Witnesses:
    """Read the reports in [since, until), but for those of the ids in `without`."""
    window = Filter(since=since, until=until, as_of=as_of)
    blocks, texts = (reported.read(connection, kind, window, without) for kind in (BLOCK, TEXT))
    return Witnesses(connection, as_of, usual, since, blocks, texts)


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
