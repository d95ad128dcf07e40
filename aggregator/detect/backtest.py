"""Reports of a past time -> the incidents that looking at every step would have found, never peeking ahead. Pure.

The looks are those of the live pass (tick.py). A day is first scanned at once for moments at which anything reaches the
threshold; the looks in between would find nothing and change nothing, and are left out unless an incident is running.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
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
from aggregator.detect.hotspot import find_hotspots, worth_a_scan
from aggregator.detect.scan import scan
from aggregator.detect.span import LONGEST, Prepared, Span, field_of
from aggregator.detect.tick import Country, Floats, Learned, Places, Sight, learn, look
from aggregator.detect.trust import Part
from aggregator.frames import BUCKET, CUBE, empty
from aggregator.model import ALL, Hotspot, Incident, Stream

Ints = npt.NDArray[np.int64]
Numbers = npt.NDArray[np.signedinteger]  # 32 bits hold any region, and these may be millions
DAY = timedelta(days=1)
STILL_MATTERS = timedelta(days=2)
LEEWAY = 1e-3  # nats: sums of many ticks and of one differ in the last digits


@dataclass(frozen=True, slots=True)
class ReportLog:
    """The counted reports of one stream: when observed and when known (seconds since the epoch), and where."""

    observed: Floats  # ascending
    received: Floats
    region: Numbers  # place in the list of regions, -1 = not located

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
    """Everything that a backtest looks at: cells and reports of all streams, and who was listening.

    late: some report was known later than the end of its five minutes.
    """

    cells: Mapping[Stream, Cells]
    log: Log
    coverage: Coverage
    usual: pd.DataFrame
    begin: datetime
    end: datetime
    late: bool


def read_past(reports: pd.DataFrame, regions: Sequence[str]) -> Past:
    """Lay out reports. reports: FILED of which at least one is counted; listened to from the first to the last."""
    counted = reports[reports["counted"]].sort_values("observed_at", kind="stable", ignore_index=True)
    begin = floor_to(counted["observed_at"].iloc[0].to_pydatetime(), BUCKET)
    end = floor_to(counted["observed_at"].iloc[-1].to_pydatetime(), BUCKET) + BUCKET
    first, buckets = bucket_number(begin), (end - begin) // BUCKET
    usual = counted.groupby(["provider", "source"], observed=True).size().rename("count").reset_index()
    place = {name: number for number, name in enumerate(regions)}
    streams = dict(logs(counted, place))
    return Past(
        _cells(counted, regions),
        Log(place, streams),
        Coverage(first, buckets, {ALL: np.ones(buckets)}),
        usual,
        begin,
        end,
        any_late(streams[Stream(ALL, ALL)]),
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


def logs(counted: pd.DataFrame, place: Mapping[str, int]) -> Iterator[tuple[Stream, ReportLog]]:
    """Yield the log of each stream that has a report. counted: rows of REPORTS or FILED; place: number of a region."""
    ordered = counted.sort_values("observed_at", kind="stable")
    observed, received = (_seconds(ordered[name]) for name in ("observed_at", "received_at"))
    provider, service, regions = (ordered[name].astype("category").cat for name in ("provider", "service", "region"))
    own_place = [place.get(str(name), NOT_LOCATED) for name in regions.categories]
    region = np.array(own_place, dtype=np.int32)[regions.codes]
    everything = ReportLog(observed, observed if np.array_equal(observed, received) else received, region)
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
    for start, ticks in days(past.begin, past.end, plan):
        learned = learn_day(country, past, plan, list(incidents.values()), start)
        limits = limits or plan.limits(learned.prepared)
        hot = stands_out(past, learned, limits, ticks)
        incidents |= follow(past, learned, limits, Day(ticks, hot), incidents)
        progress(start)
    return by_alarm(incidents.values())


def by_alarm(incidents: Iterable[Incident]) -> list[Incident]:
    """Return the incidents in the order of their first alarms."""
    return sorted(incidents, key=lambda i: (i.first_alarm_at, i.incident_id))


def days(begin: datetime, end: datetime, plan: Plan) -> Iterator[tuple[datetime, list[datetime]]]:
    """Yield the beginning and the looks of each day (UTC) of a past that is learned from for `history` first."""
    start = begin + plan.history
    while start <= end:
        until = floor_to(start, DAY) + DAY
        yield start, _ticks(start, min(until, end + BUCKET), plan.step)
        start = until


def _ticks(start: datetime, end: datetime, step: timedelta) -> list[datetime]:
    first = floor_to(start + step - timedelta.resolution, step)
    return [first + n * step for n in range(max(-(-(end - first) // step), 0))]


def learn_day(country: Country, past: Past, plan: Plan, known: Sequence[Incident], at: datetime) -> Learned:
    """Return what the looks of the day of `at` share; the incidents `known` are left out of what is usual."""
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
    missing = Cells(
        log.region[late].astype(np.int64),
        log.observed[late].astype(np.int64) // BUCKET_SECONDS,
        np.full(len(late), -1.0),
    )
    left = merged([cells, missing])
    return left.where(left.count > 0)


def stands_out(
    past: Past, learned: Learned, limits: Calibration, ticks: Sequence[datetime], *, part: int = 0, of: int = 1
) -> set[datetime]:
    """Return the ticks at which anything in any stream reaches the threshold; the parts 0 to of - 1 together.

    Where reports come late each tick is looked at with what was known by then; else a day is scanned at once.
    """
    if not ticks:
        return set()
    if past.late:
        return {at for at in ticks[part::of] if _any_hotspot(_see(past, learned, limits, at))}
    first, last = bucket_number(ticks[0]), bucket_number(ticks[-1])
    span = Span(first, last - first + 1, learned.prepared, past.coverage)
    found: set[datetime] = set()
    for stream, cells in list(past.cells.items())[part::of]:
        if worth_a_scan(span, stream, past.cells):
            windows = scan(field_of(span, stream, cells), limits.floor(limits.suspected) - LEEWAY)
            found |= {bucket_start(span.first + int(tick)) for tick in np.unique(windows.tick)}
    return found & set(ticks)


def _any_hotspot(seen: Sight) -> bool:
    return bool(find_hotspots(seen.span, seen.streams, seen.limits))


@dataclass(frozen=True, slots=True)
class Day:
    """The looks of a day, and those among them at which something stands out."""

    ticks: Sequence[datetime]
    hot: Container[datetime]


def follow(
    past: Past, learned: Learned, limits: Calibration, day: Day, before: Mapping[str, Incident]
) -> dict[str, Incident]:
    """Look where something stands out or an incident runs; return the incidents that are new, or other than `before`.

    The other looks would find nothing and change nothing.
    """
    changed: dict[str, Incident] = {}
    for at in day.ticks:
        known = [i for i in {**before, **changed}.values() if i.ended_at is None or at - i.ended_at <= STILL_MATTERS]
        if at in day.hot or any(i.ended_at is None for i in known):
            _, advanced, _ = look(_see(past, learned, limits, at), known)
            changed |= {i.incident_id: i for i in advanced}
    return changed


def any_late(log: ReportLog) -> bool:
    """Say whether any report was known later than the end of its five minutes."""
    return bool((log.received > (log.observed // BUCKET_SECONDS + 1) * BUCKET_SECONDS).any())


def _see(past: Past, learned: Learned, limits: Calibration, at: datetime) -> Sight:
    back = LONGEST * BUCKET
    streams = {stream: _known(past, stream, at, back) for stream in past.cells}
    log = Log(past.log.regions, past.log.streams, at.timestamp())
    return Sight(at, learned, past.coverage, streams, log, limits, empty(CUBE))
