"""One look: counts and coverage -> hotspots -> incidents and their changes; live, replayed or over files. Pure.

What a look needs beyond the counts (report times, who stands behind a window) it asks of `Reports`, which the store
answers in the live pass and arrays answer for files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect import span
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import Calibration
from aggregator.detect.coverage import Coverage
from aggregator.detect.cube import Cells, bucket_number, to_timedelta
from aggregator.detect.evidence import Course, Evidence, weigh
from aggregator.detect.fit import History, fit
from aggregator.detect.hotspot import find_hotspots
from aggregator.detect.incident import MERGE_WITHIN, claims, match, step
from aggregator.detect.trust import Part, stands_without
from aggregator.detect.zones import LEVELS, Zones
from aggregator.frames import BUCKET
from aggregator.model import ALL, Hotspot, Incident, Provider, Region, Stream, Transition

Floats = npt.NDArray[np.float64]
Places = Sequence[str] | None  # None: the nation

HISTORY = timedelta(days=28)
AROUND_ALARMS = timedelta(hours=3)  # masked on both sides of an incident when the baseline learns
SEARCH_BEFORE = timedelta(hours=3)  # how far before a hotspot's window its onset is looked for
TAKES_PART = 2.0  # times the expected reports that make a provider part of an incident of all


class Reports(Protocol):
    """What a look asks of the reports behind the counts."""

    def parts(self, hotspot: Hotspot) -> Sequence[Part]:
        """Return the parts that a hotspot must not stand on alone: a block, a copied text, guessed places."""

    def times(self, stream: Stream, regions: Places, since: datetime, until: datetime) -> Floats:
        """Return the seconds since the epoch of the counted reports in [since, until), ascending."""


@dataclass(frozen=True, slots=True)
class Learned:
    """What a day's looks share: the baseline and what each source usually brings of each provider."""

    prepared: span.Prepared
    usual: pd.DataFrame  # provider, source, count

    @property
    def baseline(self) -> Baseline:
        """Return the baseline."""
        return self.prepared.baseline


@dataclass(frozen=True, slots=True)
class Country:
    """Where and about whom reports come: the regions in the order of the zones, and the providers known beforehand."""

    regions: Sequence[Region]
    providers: Mapping[str, Provider]
    zones: Zones

    @property
    def offered(self) -> list[Stream]:
        """Return the streams of what the providers sell, whether anything was heard of them or not."""
        return [Stream(p.id, s) for p in self.providers.values() for s in (ALL, *p.services)]


def learn(
    country: Country,
    counts: Mapping[Stream, Cells],
    usual: pd.DataFrame,
    listening: Coverage,
    past: Sequence[Incident],
    *,
    until: datetime,
    history: timedelta = HISTORY,
) -> Learned:
    """Learn the baseline from the `history` before `until`, alarmed stretches left out. listening: who was, in it."""
    span_of = History(bucket_number(until - history), bucket_number(until), counts, listening, masks(past))
    baseline = fit(span_of, country.regions, country.providers, until.date(), country.offered)
    return Learned(span.prepare(baseline, country.zones), usual)


def masks(past: Sequence[Incident]) -> dict[Stream, list[tuple[int, int]]]:
    """Return the stretches of buckets, per stream, in which an incident ran or nearly did."""
    found: dict[Stream, list[tuple[int, int]]] = {}
    for incident in past:
        if incident.state != "withdrawn":
            low = bucket_number(incident.onset - AROUND_ALARMS)
            high = bucket_number((incident.ended_at or incident.updated_at) + AROUND_ALARMS)
            found.setdefault(incident.stream, []).append((low, high))
    return found


def looks_back_to(at: datetime, known: Sequence[Incident]) -> datetime:
    """Return since when a look at `at` needs to know who was listening; the counts of the last day are enough."""
    onsets = [i.onset - SEARCH_BEFORE for i in known if i.state != "withdrawn"]
    taken_back = [i.ended_at for i in known if i.state == "withdrawn" and i.ended_at]
    return min([at - to_timedelta(span.LONGEST) - SEARCH_BEFORE, *onsets, *taken_back])


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look at `at` sees: the streams' cells, who was listening, and the reports behind them."""

    at: datetime
    learned: Learned
    coverage: Coverage
    streams: Mapping[Stream, Cells]
    reports: Reports
    limits: Calibration
    counts: pd.DataFrame  # CUBE of the last day, from which the cells are: with the sources

    @property
    def span(self) -> span.Span:
        """Return the span of the one tick."""
        return span.at(bucket_number(self.at), self.learned.prepared, self.coverage)


def look(seen: Sight, known: Sequence[Incident]) -> tuple[list[Hotspot], list[Incident], list[Transition]]:
    """Return the hotspots of a look, the incidents that changed or go on, and their changes of state."""
    running = [i for i in known if i.ended_at is None]
    hotspots = [h for h in find_hotspots(seen.span, seen.streams, seen.limits, running) if _is_trusted(seen, h)]
    return hotspots, *_advance(seen, hotspots, known)


def _is_trusted(seen: Sight, hotspot: Hotspot) -> bool:
    """Say whether a hotspot still stands when any one of the parts that may be no witnesses is left out."""
    baseline = seen.learned.baseline
    phi = baseline.of(hotspot.stream).phi_effective
    uncertain = baseline.inverse_r(hotspot.stream, hotspot.regions or None)
    return all(stands_without(hotspot, phi, uncertain, part, seen.limits) for part in seen.reports.parts(hotspot))


def _advance(
    seen: Sight, hotspots: Sequence[Hotspot], known: Sequence[Incident]
) -> tuple[list[Incident], list[Transition]]:
    taken = {i.incident_id for i in known}
    kept_up = [_kept_up(seen, incident) for incident in known]
    alive = [i for i in kept_up if i.ended_at is None or seen.at - i.ended_at <= MERGE_WITHIN]
    advanced, transitions = [], []
    for incident, hotspot in match(hotspots, alive, seen.at):
        result = _step(seen, incident, hotspot, known, taken)
        if result:
            advanced.append(result[0])
            taken.add(result[0].incident_id)
            transitions += [result[1]] if result[1] else []
    return advanced, transitions


def _kept_up(seen: Sight, incident: Incident) -> Incident:
    """Return a withdrawn incident as one that ends now while its reports go on: they stay its own."""
    if incident.state != "withdrawn" or incident.ended_at is None or incident.ended_at > seen.at:
        return incident
    course = _course(seen, *_where(incident), floor_to(incident.ended_at, BUCKET))
    return replace(incident, ended_at=seen.at) if claims(course, incident.peak_ratio) else incident


def _step(
    seen: Sight,
    incident: Incident | None,
    hotspot: Hotspot | None,
    known: Sequence[Incident],
    taken: Collection[str],
) -> tuple[Incident, Transition | None] | None:
    if incident and incident.state == "withdrawn":
        return None  # a person has decided; what goes on of it opens nothing new
    begun = incident.first_alarm_at if incident else seen.at
    last_end = _last_end(known, begun, *_where(incident or hotspot))
    evidence = _evidence(seen, incident, hotspot, last_end)
    if hotspot and incident is None and last_end and evidence.score < _least(seen.limits, hotspot):
        return None  # a long window still holds what has ended; since then there is nothing
    return step(
        incident,
        hotspot,
        evidence,
        seen.at,
        seen.limits,
        cold=seen.learned.baseline.cold,
        taken=taken,
        providers=_providers(seen, hotspot) if hotspot else (),
    )


def _least(limits: Calibration, hotspot: Hotspot) -> float:
    """Return the nats from which on something is suspected in a zone of the hotspot's level."""
    return float(limits.floor(limits.suspected)[LEVELS.index(hotspot.level)])


def _last_end(known: Sequence[Incident], begun: datetime, stream: Stream, regions: Places) -> datetime | None:
    """Return when the last incident there ended before `begun`: its reports are not counted twice."""
    found = [
        other.ended_at
        for other in known
        if other.ended_at and other.ended_at < begun and other.stream == stream
        if set(other.regions) & set(regions or ()) or not (other.regions or regions)
    ]
    return max(found, default=None)


def _evidence(seen: Sight, known: Incident | None, hotspot: Hotspot | None, last_end: datetime | None) -> Evidence:
    """Weigh an incident, or the hotspot that may become one; a hotspot clearer than all before gives the footprint.

    last_end: an incident does not begin before its predecessor ended.
    """
    clearer = hotspot and (known is None or hotspot.standard > known.standard)
    stream, regions = _where(hotspot if clearer else known)
    start = min(thing for thing in (known and known.onset, hotspot and hotspot.start) if thing)
    since = floor_to((known.onset if known else start) - SEARCH_BEFORE, BUCKET)
    if last_end:
        since, start = max(since, floor_to(last_end, BUCKET)), max(start, last_end)
    return weigh(_course(seen, stream, regions, since), known, start)


def _course(seen: Sight, stream: Stream, regions: Places, since: datetime) -> Course:
    """Return what the reports of a stream did from `since`, a full five minutes, to now."""
    buckets = np.arange(bucket_number(since), bucket_number(seen.at))
    heard = seen.coverage.heard(stream.provider, bucket_number(since), bucket_number(seen.at))
    baseline = seen.learned.baseline
    return Course(
        since,
        seen.at,
        seen.reports.times(stream, regions, since, seen.at),
        baseline.expected(stream, regions, buckets, heard),
        heard,
        baseline.of(stream).phi,
        baseline.inverse_r(stream, regions),
    )


def _where(thing: Incident | Hotspot | None) -> tuple[Stream, tuple[str, ...] | None]:
    if thing is None:
        raise ValueError("neither an incident nor a hotspot")
    return thing.stream, thing.regions or None


def _providers(seen: Sight, hotspot: Hotspot) -> tuple[str, ...]:
    """Return who takes part: in the stream of all providers those with clearly more reports than expected."""
    if hotspot.stream.provider != ALL:
        return (hotspot.stream.provider,)
    start, end = bucket_number(hotspot.start), bucket_number(hotspot.end)
    inside = np.flatnonzero(np.isin(seen.learned.prepared.zones.regions, hotspot.regions))
    found = []
    for stream, cells in seen.streams.items():
        if stream.service == ALL and stream.provider != ALL:
            window = cells.between(start, end)
            own = window.where(np.isin(window.region, inside)) if hotspot.regions else window
            heard = seen.coverage.heard(stream.provider, start, end)
            usual = seen.learned.baseline.expected(stream, hotspot.regions or None, np.arange(start, end), heard)
            if own.count.sum() > TAKES_PART * usual.sum():
                found.append(stream.provider)
    return tuple(sorted(found))
