"""The counted reports of a stretch of time, read once: what a look asks of them is answered without the store. I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt
import pandas as pd
from sqlalchemy import Connection, Select, case, func, select

from aggregator.model import ALL, Filter, Stream
from aggregator.store import packed
from aggregator.store.crowds import BLOCK, LEAST_TEXT, Crowd
from aggregator.store.schema import EPOCH, MICROSECOND, comments, reports
from aggregator.store.select import any_of, conditions

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Places = Sequence[str] | None  # None: the nation, the reports that could not be located included


@dataclass(frozen=True, slots=True)
class Reported:
    """Reports, each with what it may share with others: its address block, or its text.

    streams: where the rows of each are, in order of time; at: microseconds since the epoch; region: place in `regions`;
    value: place in `values`, 0 = none; by_address: whether it was placed by its address.
    """

    kind: str
    streams: Mapping[Stream, slice]
    regions: Sequence[str]
    values: Sequence[str]
    at: Ints
    region: npt.NDArray[np.integer]
    value: npt.NDArray[np.int32]
    by_address: npt.NDArray[np.bool_]

    def times(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> Floats:
        """Return when the reports in [since, until) were observed: seconds since the epoch, ascending."""
        found = np.sort(self.at[self._rows(stream, regions, since, until)], kind="stable")
        return np.asarray(found / 1e6, dtype=np.float64)

    def most(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> int:
        """Return how many of the reports in [since, until) share one block (text), at most."""
        return int(self._sizes(self._rows(stream, regions, since, until)).max(initial=0))

    def placed_by_address(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> int:
        """Return how many of the reports in [since, until) were placed by their address."""
        return int(self.by_address[self._rows(stream, regions, since, until)].sum())

    def crowds(self, since: datetime, until: datetime, least: int) -> Iterator[Crowd]:
        """Yield the blocks (texts) that at least `least` reports of a stream share, of those in [since, until)."""
        for stream in sorted(self.streams, key=lambda s: (s.provider, s.service)):
            rows = self._rows(stream, None, since, until)
            if len(rows) >= least:
                sizes = self._sizes(rows)
                for place in np.flatnonzero(sizes >= least).tolist():
                    yield Crowd(stream, self.kind, self.values[place], int(sizes[place]))

    def _sizes(self, rows: Ints) -> Ints:
        """Return how many of the rows have each value; those without are none."""
        sizes = np.bincount(self.value[rows], minlength=1)
        sizes[0] = 0
        return sizes

    def _rows(self, wide: Stream, regions: Places, since: datetime, until: datetime) -> Ints:
        ends = [(moment - EPOCH) // MICROSECOND for moment in (since, until)]
        parts = [np.empty(0, np.int64)]
        for own in self._within(wide):
            low, high = np.searchsorted(self.at[own], ends) + own.start
            parts.append(np.arange(low, high))
        rows = np.concatenate(parts)
        return rows if regions is None else rows[np.isin(self.regions, list(regions))[self.region[rows]]]

    def _within(self, wide: Stream) -> list[slice]:
        if ALL not in {wide.provider, wide.service}:
            return [self.streams[wide]] if wide in self.streams else []
        return [
            own
            for s, own in self.streams.items()
            if wide.provider in {ALL, s.provider} and wide.service in {ALL, s.service}
        ]


def read(connection: Connection, kind: str, f: Filter, without: Sequence[str] = ()) -> Reported:
    """Return the counted reports that fit `f`, of kind TEXT those with a long one. without: report ids."""
    query = _query(kind).where(reports.c.counted, *conditions(reports, f, "observed_at", "received_at"))
    if without:
        query = query.where(~any_of(connection, reports.c.report_id, without))
    return _laid_out(kind, packed.frame(connection, query))


def _query(kind: str) -> Select[tuple[str, str, datetime, str, str, int]]:
    c = reports.c
    value = c.block if kind == BLOCK else comments.c.comment
    guessed = case((c.place_source == "ip", 1), else_=0)
    query = select(
        c.provider, c.service, c.observed_at, c.region, value.label("value"), guessed.label("by_address")
    ).select_from(reports)
    if kind == BLOCK:
        return query
    text = comments.c.comment
    return query.join(comments, comments.c.report_id == c.report_id).where(func.length(text) >= LEAST_TEXT)


def _laid_out(kind: str, rows: pd.DataFrame) -> Reported:
    """Bring the rows into the order of streams and time; where they come in order of time, that takes no sorting."""
    service = rows["service"].cat.codes.to_numpy(np.int64)
    services = len(rows["service"].cat.categories)
    stream = rows["provider"].cat.codes.to_numpy(np.int64) * max(services, 1) + service
    stream = stream.astype(
        np.min_scalar_type(int(stream.max(initial=0)))
    )  # two bytes are sorted much faster than eight
    by_time = np.argsort(rows["observed_at"].to_numpy(), kind="stable")
    order = by_time[np.argsort(stream[by_time], kind="stable")]
    number, start, size = np.unique(stream[order], return_index=True, return_counts=True)
    names = rows["provider"].cat.categories, rows["service"].cat.categories
    streams = [Stream(*(of[i] for of, i in zip(names, divmod(n, services), strict=True))) for n in number.tolist()]
    named = np.arange(1, len(rows["value"].cat.categories) + 1, dtype=np.int32)
    named[rows["value"].cat.categories == ""] = 0
    return Reported(
        kind,
        {one: slice(low, low + many) for one, low, many in zip(streams, start.tolist(), size.tolist(), strict=True)},
        list(rows["region"].cat.categories),
        ["", *rows["value"].cat.categories],
        rows["observed_at"].to_numpy()[order],
        rows["region"].cat.codes.to_numpy()[order],
        named[rows["value"].cat.codes.to_numpy()[order]],
        rows["by_address"].to_numpy(np.bool_)[order],
    )
