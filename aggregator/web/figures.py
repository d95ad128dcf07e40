"""The store -> what pages show: curves with the band of the usual, the map, who spoke, who listened. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy import stats

from aggregator.clock import floor_to
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import INTERIM
from aggregator.detect.coverage import Coverage, cover
from aggregator.detect.cube import NO_CELLS, bucket_number, by_stream
from aggregator.draw.map import District, Value
from aggregator.draw.series import STEP, Series, Word
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import ALL, FeedRun, Filter, Incident, Statement, Stream
from aggregator.store import Connection, baselines, cube, runs, statements

Floats = npt.NDArray[np.float64]
PER_BAR = STEP // BUCKET
ENOUGH = 3.0  # reports expected in 3 hours from which on "nothing conspicuous" can be said of a district
LOOK_BACK = timedelta(hours=3)
BEFORE = timedelta(hours=12)  # how long before the onset a provider's words still belong to an incident


@lru_cache(maxsize=4)
def _read(blob: bytes) -> Baseline:
    return Baseline.from_bytes(blob)


def baseline_at(connection: Connection, at: datetime) -> Baseline | None:
    """Return the baseline in force at `at`, None before the first look."""
    kept = baselines.load(connection, at)
    return _read(kept[1]) if kept else None


@dataclass(frozen=True, slots=True)
class Part:
    """A stream in some districts (None: the nation) from `start` until before `end`, as known at `as_of`."""

    stream: Stream
    regions: Sequence[str] | None
    start: datetime
    end: datetime
    as_of: datetime | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """A series and how many reports it shows."""

    series: Series
    total: int


def curve(
    connection: Connection,
    instance: Instance,
    asked: Part,
    *,
    incident: Incident | None = None,
    said: Sequence[Word] = (),
) -> Curve:
    """Return the reports of a part per 15 minutes, and what is usual. A bar is None where nobody listened in it."""
    start = floor_to(asked.start, STEP)
    bars = max(1, -(-(asked.end - start) // STEP))
    part = Part(asked.stream, asked.regions, start, start + bars * STEP, asked.as_of)
    counts = _counts(connection, instance, part)
    provider = part.stream.provider
    heard = coverage(connection, provider, start, part.end, part.as_of).heard(
        provider, bucket_number(start), bucket_number(part.end)
    )
    passed = np.arange(bars * PER_BAR) < bucket_number(asked.end) - bucket_number(start)
    deaf = ((heard == 0) & passed).reshape(bars, PER_BAR).all(axis=1)
    low, high = _band(baseline_at(connection, asked.end), part, heard)
    shown = tuple(None if quiet and not count else int(count) for quiet, count in zip(deaf, counts, strict=True))
    onset = (incident.onset_earliest, incident.onset, incident.onset_latest) if incident else None
    kind = "usual" if incident is None else "strong" if incident.score >= INTERIM.strong else "suspected"
    return Curve(Series(start, shown, low, high, onset, tuple(said), kind), int(counts.sum()))


def _counts(connection: Connection, instance: Instance, part: Part) -> Floats:
    stream = part.stream
    f = Filter(stream.provider, stream.service, since=part.start, until=part.end, as_of=part.as_of)
    cells = by_stream(cube.frame(connection, f), list(instance.catalogue.regions)).get(Stream(ALL, ALL), NO_CELLS)
    if part.regions is not None:
        inside = [i for i, region in enumerate(instance.catalogue.regions) if region in set(part.regions)]
        cells = cells.where(np.isin(cells.region, inside))
    bar = (cells.bucket - bucket_number(part.start)) // PER_BAR
    bars = (part.end - part.start) // STEP
    return np.bincount(bar, weights=cells.count, minlength=bars).astype(np.float64)


def observed(connection: Connection, instance: Instance, part: Part) -> int:
    """Return the counted reports of a part; its ends go to full quarters of an hour."""
    start = floor_to(part.start, STEP)
    end = start + -(-(part.end - start) // STEP) * STEP
    return int(_counts(connection, instance, Part(part.stream, part.regions, start, end, part.as_of)).sum())


def usual(baseline: Baseline, part: Part) -> float:
    """Return the reports of a part that would be usual; its ends go to full quarters of an hour."""
    start = floor_to(part.start, STEP)
    buckets = np.arange(bucket_number(start), bucket_number(part.end))
    return float(baseline.expected(part.stream, part.regions, buckets).sum())


def coverage(
    connection: Connection, provider: str, start: datetime, until: datetime, as_of: datetime | None = None
) -> Coverage:
    """Return who was listening to `provider` in [start, until)."""
    usual = cube.totals(connection, Filter(provider=provider if provider != ALL else "", until=until))
    listening = cube.listening(connection, start, until, as_of)
    return cover(listening, usual, bucket_number(start), bucket_number(until))


def _band(baseline: Baseline | None, part: Part, heard: Floats) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the 2.5 % and 97.5 % points of the usual count of each bar (negative binomial)."""
    bars = len(heard) // PER_BAR
    if baseline is None:
        return (0.0,) * bars, (0.0,) * bars
    buckets = np.arange(bucket_number(part.start), bucket_number(part.end))
    expected = baseline.expected(part.stream, part.regions, buckets, np.where(heard > 0, heard, 1.0))
    mean = np.maximum(expected.reshape(bars, PER_BAR).sum(axis=1), 1e-9)
    spread = np.maximum(baseline.spread(part.stream, mean, part.regions), 1.0001)
    low, high = (np.asarray(stats.nbinom.ppf(q, mean / (spread - 1), 1 / spread)) for q in (0.025, 0.975))
    return tuple(low.tolist()), tuple(high.tolist())


def expected_by_district(baseline: Baseline | None, at: datetime) -> dict[str, float]:
    """Return the reports of all providers that 3 hours up to `at` would usually bring, per district."""
    if baseline is None:
        return {}
    buckets = np.arange(bucket_number(at - LOOK_BACK), bucket_number(at))
    level, stream = baseline.of(Stream(ALL, ALL)), Stream(ALL, ALL)
    hours = float(baseline.hourly(stream, buckets).sum(axis=1).mean())
    return dict(zip(baseline.regions, (level.rate * hours).tolist(), strict=True))


def map_values(
    connection: Connection, instance: Instance, open_incidents: Sequence[Incident], at: datetime
) -> dict[str, Value]:
    """Return the value of every district: strong or suspected with an incident, else whether one could be seen."""
    usual = expected_by_district(baseline_at(connection, at), at)
    heard = coverage(connection, ALL, at - timedelta(minutes=30), at).of(ALL)
    deaf = not len(heard) or float(heard.mean()) < 0.5
    values: dict[str, Value] = {}
    for region in instance.catalogue.regions:
        values[region] = "blind" if deaf else "nothing" if usual.get(region, 0.0) >= ENOUGH else "few"
    for incident in sorted(open_incidents, key=lambda i: i.state == "strong"):
        for region in incident.regions:
            values[region] = "strong" if incident.state == "strong" else "suspected"
    return values


def districts(
    instance: Instance, values: dict[str, Value], open_incidents: Sequence[Incident], words: dict[Value, str]
) -> dict[str, District]:
    """Return what the map says of each district: of one with an incident the link leads there."""
    of = {region: i.incident_id for i in reversed(open_incidents) for region in i.regions}
    return {
        region: District(
            value,
            f"{instance.catalogue.regions[region].name}: {words[value]}",
            f"/vorfall/{of[region]}" if region in of else f"/region/{region}",
        )
        for region, value in values.items()
    }


def words_of_the_provider(
    connection: Connection, incident: Incident, until: datetime, as_of: datetime | None = None
) -> list[Statement]:
    """Return what was said about the incident's service from shortly before its onset until `until`, oldest first."""
    found: list[Statement] = []
    for provider in incident.providers:
        f = Filter(provider=provider, service=incident.service, since=incident.onset - BEFORE, until=until, as_of=as_of)
        found += statements.find(connection, f)
    return sorted(found, key=lambda s: s.said_at)


def listened_to_statements(connection: Connection) -> datetime | None:
    """Return until when any feed of statements was heard, None if there is none."""
    heard = [run.finished_at for run in _latest(connection) if run.kind == "statements" and run.outcome in GOOD]
    return max(heard, default=None)


GOOD = ("ok", "not_modified")


def _latest(connection: Connection) -> list[FeedRun]:
    return list(runs.latest(connection).values())


def sources_heard(connection: Connection) -> tuple[int, int]:
    """Return how many feeds were heard at their last run, and how many there are."""
    latest = _latest(connection)
    return sum(run.outcome in GOOD for run in latest), len(latest)
