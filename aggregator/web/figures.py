"""The store -> what pages show: curves with the band of the usual, the map, who spoke, who listened. I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import STRONG, Calibration
from aggregator.detect.coverage import BLIND_BELOW, Coverage, cover
from aggregator.detect.cube import NO_CELLS, Cells, bucket_number, by_stream
from aggregator.detect.incident import is_public
from aggregator.detect.interval import usual_range
from aggregator.detect.silence import speaks
from aggregator.detect.span import TINY
from aggregator.detect.usual import read_baseline
from aggregator.draw.map import District, Value
from aggregator.draw.series import STEP, Series, Word
from aggregator.draw.svg import MANNERS
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import ALL, FeedRun, Filter, Incident, Statement, Stream
from aggregator.store import Connection, Store, baselines, cube, incidents, runs, sources, statements
from aggregator.web.desk import with_names
from aggregator.web.language import present
from aggregator.web.promise import in_force

Floats = npt.NDArray[np.float64]
EVERYTHING = Stream(ALL, ALL)
LOOK_BACK = timedelta(hours=3)
LATELY = timedelta(minutes=30)
BEFORE = timedelta(hours=12)  # how long before the onset a provider's words still belong to an incident
AFTER = timedelta(days=3)  # how long after its end
USUAL_SOURCES = timedelta(days=28)  # what the sources brought in that time tells whose silence matters
HOUR = timedelta(hours=1)
HEARD = ("ok", "not_modified")


@dataclass(frozen=True, slots=True)
class View:
    """What one page is drawn from: the store at the time `at`, with what was known at `as_of` (None: now)."""

    connection: Connection
    instance: Instance
    at: datetime
    as_of: datetime | None
    baseline: Baseline | None  # None before the first look
    usual: pd.DataFrame  # provider, source, count
    judged: Calibration  # in force at `at`


def view(
    connection: Connection,
    instance: Instance,
    at: datetime,
    as_of: datetime | None = None,
    *,
    of: Incident | None = None,
) -> View:
    """Open the view of a page; its instance knows the names of the providers that open feeds brought.

    of: what is usual, and whose silence matters, is taken from the time of that incident: both change with the years.
    """
    then = min(at, of.ended_at) if of and of.ended_at else at
    kept = baselines.load(connection, then)
    usual = _brought(instance.store, floor_to(then, HOUR))
    instance = replace(instance, catalogue=with_names(connection, instance.catalogue))
    judged = in_force(connection, instance, at)
    return View(connection, instance, at, as_of, _read(kept[1]) if kept else None, usual, judged)


@lru_cache(maxsize=16)
def _brought(store: Store, until: datetime) -> pd.DataFrame:
    """Return what each source brought of each provider in the four weeks before a full hour.

    Kept, for it counts four weeks of the cube and tells whose silence matters: that does not change within the hour.
    """
    with store.read() as connection:
        return cube.totals(connection, Filter(since=until - USUAL_SOURCES, until=until))


@lru_cache(maxsize=4)
def _read(blob: bytes) -> Baseline | None:
    return read_baseline(blob)


@dataclass(frozen=True, slots=True)
class Part:
    """A stream in some districts (None: the nation) from `start` until before `end`."""

    stream: Stream
    regions: Sequence[str] | None
    start: datetime
    end: datetime
    step: timedelta = STEP  # that a bar is wide


@dataclass(frozen=True, slots=True)
class Curve:
    """A series and how many reports it shows."""

    series: Series
    total: int


def curve(view: View, asked: Part, *, incident: Incident | None = None, said: Sequence[Word] = ()) -> Curve:
    """Return the reports of a part per bar, and what is usual. A bar is None where nobody listened in it."""
    part = _whole_bars(asked)
    first, last = bucket_number(part.start), bucket_number(part.end)
    counts = _counts(view, part, asked.end)
    heard = coverage(view, part.start, part.end).heard(part.stream.provider, first, last)
    passed = np.arange(len(heard)) < bucket_number(asked.end) - first
    deaf = ((heard == 0) & passed).reshape(-1, part.step // BUCKET).all(axis=1)
    low, high = _band(view.baseline, part, heard)
    shown = tuple(None if quiet and not count else int(count) for quiet, count in zip(deaf, counts, strict=True))
    onset = (incident.onset_earliest, incident.onset, incident.onset_latest) if incident else None
    kind = "usual" if incident is None else "strong" if was_strong(view, incident) else "suspected"
    series = Series(part.start, shown, low, high, onset, tuple(said), kind, MANNERS[present()], part.step)
    return Curve(series, int(counts.sum()))


def was_strong(view: View, incident: Incident) -> bool:
    """Say whether the incident was strong at its height, by the budget in force.

    Where "strong" is seldomer than anything the null weeks can speak of, no interval is claimed that is as long: then
    the score itself decides, as it does in detection.
    """
    least = STRONG / view.judged.budget
    if least > view.judged.weeks:
        return is_public(incident, view.judged)
    return not incident.cold and not incident.held and (incident.recurrence_weeks or 0.0) >= least


def count(view: View, part: Part) -> int:
    """Return the reports of a part whose ends are ends of buckets."""
    return int(_cells(view, part).count.sum())


def _whole_bars(part: Part) -> Part:
    start = floor_to(part.start, part.step)
    bars = max(1, -(-(part.end - start) // part.step))
    return Part(part.stream, part.regions, start, start + bars * part.step, part.step)


def _cells(view: View, part: Part) -> Cells:
    stream, regions = part.stream, view.instance.catalogue.regions
    f = Filter(stream.provider, stream.service, since=part.start, until=part.end, as_of=view.as_of)
    cells = by_stream(cube.frame(view.connection, f), list(regions)).get(Stream(ALL, ALL), NO_CELLS)
    if part.regions is not None:
        inside = [i for i, region in enumerate(regions) if region in set(part.regions)]
        cells = cells.where(np.isin(cells.region, inside))
    return cells


def _counts(view: View, part: Part, end: datetime | None = None) -> Floats:
    """Return the reports per bar; end: what was reported from then on is left out of the last."""
    cells = _cells(view, replace(part, end=end or part.end))
    bar = (cells.bucket - bucket_number(part.start)) // (part.step // BUCKET)
    return np.bincount(bar, weights=cells.count, minlength=(part.end - part.start) // part.step).astype(np.float64)


def _band(baseline: Baseline | None, part: Part, heard: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    bars = (part.end - part.start) // part.step
    if baseline is None:
        return (0.0,) * bars, (0.0,) * bars
    buckets = np.arange(bucket_number(part.start), bucket_number(part.end))
    share = np.where(heard > 0, heard, 1.0)
    mean, variance = np.zeros(bars), np.zeros(bars)
    for stream in _known(baseline, part.stream):
        of_it = baseline.expected(stream, part.regions, buckets, share).reshape(bars, -1).sum(axis=1)
        mean += of_it
        variance += of_it * baseline.spread(stream, of_it, part.regions)
    low, high = usual_range(mean, variance / np.maximum(mean, TINY))
    return tuple(low.tolist()), tuple(high.tolist())


def _known(baseline: Baseline, stream: Stream) -> list[Stream]:
    """Return the streams with a level that make up `stream`: of a service of all providers those of each."""
    if stream.provider != ALL or stream.service == ALL:
        return [stream]
    return [s for s in baseline.streams if s.service == stream.service]


def coverage(view: View, start: datetime, end: datetime) -> Coverage:
    """Return who was listening in [start, end)."""
    listening = cube.listening(view.connection, start, end, view.as_of)
    told = sources.covers(view.connection)
    return cover(listening, view.usual, bucket_number(start), bucket_number(end), covers=told)


def compare(view: View, part: Part) -> tuple[int, float]:
    """Return the reports of a part and those that would be usual; its ends go to full quarters of an hour."""
    whole = _whole_bars(part)
    return int(_counts(view, whole).sum()), usual(view, replace(part, start=whole.start))


def usual(view: View, part: Part) -> float:
    """Return how many reports of a part would be usual; its ends are ends of buckets."""
    if view.baseline is None:
        return 0.0
    buckets = np.arange(bucket_number(part.start), bucket_number(part.end))
    known = _known(view.baseline, part.stream)
    return sum(float(view.baseline.expected(stream, part.regions, buckets).sum()) for stream in known)


def map_values(
    view: View, shown: Sequence[Incident], at: datetime, stream: Stream = EVERYTHING, *, late: bool = False
) -> dict[str, Value]:
    """Return the value of every district at `at`: that of an incident, else whether one could be seen at all.

    stream: of what nothing conspicuous is said where that can be said; late: it was not looked for of late.
    """
    telling = _telling(view, at, stream)
    quiet: Value = "blind" if late or deaf(view, at, stream.provider) else "nothing"
    values: dict[str, Value] = {
        region: quiet if quiet == "blind" or region in telling else "few" for region in view.instance.catalogue.regions
    }
    told = [incident for incident in shown if incident.state != "withdrawn"]
    for incident in sorted(told, key=lambda i: (i.state == "strong", i.standard)):
        for region in incident.regions:
            values[region] = "strong" if was_strong(view, incident) else "suspected"
    return values


def deaf(view: View, at: datetime, provider: str = ALL) -> bool:
    """Say whether in the half hour before `at` less than half was heard of what usually tells of `provider`."""
    return not heard(view, provider, at - LATELY, at)


def heard(view: View, provider: str, start: datetime, end: datetime) -> bool:
    """Say whether at least half was heard in [start, end) of what usually tells of `provider`."""
    return float(coverage(view, start, end).of(provider).mean()) >= BLIND_BELOW


def _telling(view: View, at: datetime, stream: Stream) -> set[str]:
    """Return the districts of which the 3 hours before `at` say something when nothing comes, about all of a stream."""
    known = _known(view.baseline, stream) if view.baseline else []
    if view.baseline is None or not known:
        return set()
    buckets = np.arange(bucket_number(at - LOOK_BACK), bucket_number(at))
    judged = in_force(view.connection, view.instance, at)
    telling = np.all([speaks(view.baseline, one, buckets, judged) for one in known], axis=0)
    return {region for region, tells in zip(view.baseline.regions, telling, strict=True) if tells}


def districts(
    instance: Instance, values: Mapping[str, Value], shown: Sequence[Incident], words: Mapping[Value, str]
) -> dict[str, District]:
    """Return what the map says of each district: of one with an incident the link leads there."""
    of = {region: i.incident_id for i in reversed(shown) for region in i.regions}
    return {
        region: District(
            value,
            f"{instance.catalogue.regions[region].name}: {words[value]}",
            f"/vorfall/{of[region]}" if region in of else f"/region/{region}",
        )
        for region, value in values.items()
    }


def beside(view: View, incident: Incident) -> list[Incident]:
    """Return the incident and those that went on at its end (or now), for the map; it is the last."""
    end = incident.ended_at or view.at
    found = incidents.find(view.connection, Filter(since=end, until=end + timedelta(seconds=1), as_of=view.as_of))
    return [*(i for i in found if i.incident_id != incident.incident_id and i.state != "withdrawn"), incident]


def words_of_the_provider(view: View, incident: Incident, *, taken_back: bool = False) -> list[Statement]:
    """Return what was said about the incident, oldest first; what holds, or only what was taken_back.

    What names it; and what names none and is about its service, from shortly before its onset to days after its end.
    """
    since, until = incident.onset - BEFORE, min(view.at, (incident.ended_at or view.at) + AFTER) + timedelta(seconds=1)
    found = statements.of_incident(view.connection, incident.incident_id, view.as_of, taken_back=taken_back)
    for provider in incident.providers:
        f = Filter(provider, incident.service, since=since, until=until, as_of=view.as_of)
        about = statements.find(view.connection, f, taken_back=taken_back)
        found += [said for said in about if not said.incident_id]
    return sorted(found, key=lambda s: (s.said_at, s.statement_id))


def listened_to_statements(connection: Connection) -> datetime | None:
    """Return until when any feed of statements was heard, None if there is none."""
    heard = [run.finished_at for run in _latest(connection) if run.kind == "statements" and run.outcome in HEARD]
    return max(heard, default=None)


def sources_heard(connection: Connection) -> tuple[int, int]:
    """Return how many feeds were heard at their last run, and how many there are."""
    latest = _latest(connection)
    return sum(run.outcome in HEARD for run in latest), len(latest)


def _latest(connection: Connection) -> list[FeedRun]:
    return list(runs.latest(connection).values())
