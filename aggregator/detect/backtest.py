"""Reports of a past time -> the incidents that looking at every step would have found, never peeking ahead. Pure.

The looks are those of the live pass (tick.py). A day is first scanned at once for moments at which anything reaches the
threshold; the looks in between would find nothing and change nothing, and are left out unless an incident is running.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect.calendar import BUCKET_SECONDS
from aggregator.detect.calibrate import Calibration
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import (
    NOT_LOCATED,
    Cells,
    bucket_number,
    bucket_start,
    by_stream,
    count_cube,
    joined,
    merged,
)
from aggregator.detect.hotspot import worth_a_scan
from aggregator.detect.scan import scan
from aggregator.detect.span import LONGEST, Prepared, Span, field_of
from aggregator.detect.tick import Country, Floats, Learned, Places, Sight, learn, look
from aggregator.detect.trust import Part
from aggregator.frames import BUCKET, CUBE, empty
from aggregator.model import ALL, Hotspot, Incident, Stream

Ints = npt.NDArray[np.int64]
Places32 = npt.NDArray[np.int32]
DAY = timedelta(days=1)
STILL_MATTERS = timedelta(days=2)
LEEWAY = 1e-3  # nats: sums of many ticks and of one differ in the last digits


@dataclass(frozen=True, slots=True)
class ReportLog:
    """The counted reports of one stream: when observed and when known (seconds since the epoch), and where."""

    observed: Floats  # ascending
    received: Floats
    region: Places32  # place in the list of regions, -1 = not located

    def where(self, keep: npt.NDArray[np.bool_]) -> ReportLog:
        """Return the reports marked in `keep`; all of them as they are, for they may be millions."""
        return self if keep.all() else ReportLog(self.observed[keep], self.received[keep], self.region[keep])


@dataclass(frozen=True, slots=True)
class Log:
    """The counted reports of all streams, as far as they were known at `as_of` (seconds)."""

    regions: Mapping[str, int]
    streams: Mapping[Stream, ReportLog]
    as_of: float = np.inf

    def parts(self, hotspot: Hotspot) -> Sequence[Part]:
        """Return nothing: a file says neither from which address nor with which words a report came."""
        del hotspot
        return ()

    def times(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> Floats:
        """Return the seconds since the epoch of the counted reports in [since, until), ascending."""
        log = self.streams[stream]
        low, high = np.searchsorted(log.observed, [since.timestamp(), until.timestamp()])
        keep = log.received[low:high] <= self.as_of
        if regions is not None:
            keep &= np.isin(log.region[low:high], [self.regions[r] for r in regions if r in self.regions])
        return log.observed[low:high][keep]


@dataclass(frozen=True, slots=True)
class Past:
    """Everything that a backtest looks at: cells and reports of all streams, and who was listening."""

    cells: Mapping[Stream, Cells]
    log: Log
    coverage: Coverage
    usual: pd.DataFrame
    begin: datetime
    end: datetime


def read_past(reports: pd.DataFrame, regions: Sequence[str]) -> Past:
    """Lay out reports. reports: FILED of which at least one is counted; listened to from the first to the last."""
    counted = reports[reports["counted"]].sort_values("observed_at", kind="stable", ignore_index=True)
    begin = floor_to(counted["observed_at"].iloc[0].to_pydatetime(), BUCKET)
    end = floor_to(counted["observed_at"].iloc[-1].to_pydatetime(), BUCKET) + BUCKET
    first, buckets = bucket_number(begin), (end - begin) // BUCKET
    usual = counted.groupby(["provider", "source"], observed=True).size().rename("count").reset_index()
    place = {name: number for number, name in enumerate(regions)}
    return Past(
        _cells(counted, regions),
        Log(place, dict(_logs(counted, place))),
        Coverage(first, buckets, {ALL: np.ones(buckets)}),
        usual,
        begin,
        end,
    )


def _cells(counted: pd.DataFrame, regions: Sequence[str]) -> dict[Stream, Cells]:
    """Count reports that are in order of time, some days' worth at once: a cube of half a year is large."""
    days = np.searchsorted(counted["observed_at"], _cuts(counted["observed_at"]))
    parts = [by_stream(count_cube(counted[low:high]), regions) for low, high in pairwise(days)]
    found = {stream: [part[stream] for part in parts if stream in part] for part in parts for stream in part}
    return {stream: joined(found[stream]) for stream in sorted(found, key=lambda s: (s.provider, s.service))}


def _cuts(observed: pd.Series) -> pd.DatetimeIndex:
    """Return midnights, from that before the first to that after the last."""
    first, last = observed.iloc[0].floor("D"), observed.iloc[-1].floor("D") + pd.Timedelta(DAY)
    return pd.date_range(first, last, freq="D")


def _logs(counted: pd.DataFrame, place: Mapping[str, int]) -> Iterator[tuple[Stream, ReportLog]]:
    observed, received = (_seconds(counted[name]) for name in ("observed_at", "received_at"))
    own_place = [place.get(name, NOT_LOCATED) for name in counted["region"].cat.categories]
    region = np.array(own_place, dtype=np.int32)[counted["region"].cat.codes]
    everything = ReportLog(observed, observed if np.array_equal(observed, received) else received, region)
    provider, service = counted["provider"].cat, counted["service"].cat
    yield Stream(ALL, ALL), everything
    for code in np.unique(provider.codes):
        own = (provider.codes == code).to_numpy()
        of_provider, name = everything.where(own), str(provider.categories[code])
        yield Stream(name, ALL), of_provider
        services = service.codes.to_numpy()[own]
        for kind in np.unique(services):
            yield Stream(name, str(service.categories[kind])), of_provider.where(services == kind)


def _seconds(times: pd.Series) -> Floats:
    return times.astype("int64").to_numpy(np.float64) / 1e6


@dataclass(frozen=True, slots=True)
class Plan:
    """How a backtest goes: what it learns from, how often it looks, and how thresholds come from a baseline."""

    history: timedelta
    step: timedelta
    limits: Callable[[Prepared], Calibration]


def backtest(
    country: Country, past: Past, plan: Plan, progress: Callable[[datetime], None] = lambda at: None
) -> list[Incident]:
    """Return all incidents that looks at every step after the first `history` would have found, by first alarm.

    Thresholds are made once, from the first baseline. progress: called with each day that is done.
    """
    incidents: dict[str, Incident] = {}
    limits: Calibration | None = None
    start = past.begin + plan.history
    while start <= past.end:
        until = floor_to(start, DAY) + DAY
        learned = _learn(country, past, plan, list(incidents.values()), start)
        limits = limits or plan.limits(learned.prepared)
        ticks = _ticks(start, min(until, past.end + BUCKET), plan.step)
        hot = _hot(past, learned, limits, ticks)
        for at in ticks:
            known = [i for i in incidents.values() if i.ended_at is None or at - i.ended_at <= STILL_MATTERS]
            if at in hot or any(i.ended_at is None for i in known):
                _, advanced, _ = look(_see(past, learned, limits, at), known)
                incidents |= {i.incident_id: i for i in advanced}
        progress(start)
        start = until
    return sorted(incidents.values(), key=lambda i: (i.first_alarm_at, i.incident_id))


def _ticks(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    first = floor_to(start + step - timedelta.resolution, step)
    return [first + n * step for n in range(max(-(-(end - first) // step), 0))]


def _learn(country: Country, past: Past, plan: Plan, known: Sequence[Incident], at: datetime) -> Learned:
    until = max(floor_to(at, DAY), past.begin + plan.history)
    cells = {stream: _known(past, stream, until, plan.history) for stream in past.cells}
    return learn(country, cells, past.usual, past.coverage, known, until=until, history=plan.history)


def _known(past: Past, stream: Stream, at: datetime, back: timedelta) -> Cells:
    """Return the stream's cells before `at` without the reports that were not known yet."""
    log, now = past.log.streams[stream], at.timestamp()
    low, high = np.searchsorted(log.observed, [(at - back).timestamp(), now])
    late = low + np.flatnonzero(log.received[low:high] > now)
    cells = past.cells[stream].between(0, bucket_number(at))
    if not len(late):
        return cells
    missing = Cells(log.region[late], log.observed[late].astype(np.int64) // BUCKET_SECONDS, np.full(len(late), -1.0))
    left = merged([cells, missing])
    return left.where(left.count > 0)


def _hot(past: Past, learned: Learned, limits: Calibration, ticks: Sequence[datetime]) -> set[datetime]:
    """Return the ticks at which anything in any stream reaches the threshold; all of them where reports come late."""
    if not ticks or _any_late(past):
        return set(ticks)
    first, last = bucket_number(ticks[0]), bucket_number(ticks[-1])
    span = Span(first, last - first + 1, learned.prepared, past.coverage)
    found: set[datetime] = set()
    for stream, cells in past.cells.items():
        if worth_a_scan(span, stream, past.cells):
            windows = scan(field_of(span, stream, cells), limits.floor(limits.suspected) - LEEWAY)
            found |= {bucket_start(span.first + int(tick)) for tick in np.unique(windows.tick)}
    return found & set(ticks)


def _any_late(past: Past) -> bool:
    """Say whether any report was known later than the end of its five minutes."""
    everything = past.log.streams[Stream(ALL, ALL)]
    return bool((everything.received > (everything.observed // BUCKET_SECONDS + 1) * BUCKET_SECONDS).any())


def _see(past: Past, learned: Learned, limits: Calibration, at: datetime) -> Sight:
    back = LONGEST * BUCKET
    streams = {stream: _known(past, stream, at, back) for stream in past.cells}
    log = Log(past.log.regions, past.log.streams, at.timestamp())
    return Sight(at, learned, past.coverage, streams, log, limits, empty(CUBE))
