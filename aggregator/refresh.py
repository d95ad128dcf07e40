"""Stored counts -> hotspots -> incidents, stored: one detection pass. Joins the pure core and the store. I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pandas as pd

from aggregator.clock import floor_to
from aggregator.detect import span
from aggregator.detect.baseline import Baseline
from aggregator.detect.calibrate import SHIPPED, Calibration
from aggregator.detect.coverage import Coverage, cover
from aggregator.detect.cube import Cells, bucket_number, by_stream, to_timedelta
from aggregator.detect.evidence import Course, Evidence, weigh
from aggregator.detect.fit import History, fit
from aggregator.detect.hotspot import find_hotspots
from aggregator.detect.incident import MERGE_WITHIN, match, step
from aggregator.detect.zones import LEVELS, make_zones
from aggregator.frames import BUCKET
from aggregator.instance import Instance
from aggregator.model import ALL, Filter, Hotspot, Incident, Stream, Transition
from aggregator.store import Connection, baselines, cube, incidents, reports

HISTORY = timedelta(days=28)
AROUND_ALARMS = timedelta(hours=3)  # masked on both sides of an incident when the baseline learns
SEARCH_BEFORE = timedelta(hours=3)  # how far before a hotspot's window its onset is looked for
HEARTBEAT = timedelta(minutes=10)  # a longer gap between two passes means that the site was not listening
OWN_DOORS = ("form", "api")  # sources that are heard whenever we run
TAKES_PART = 2.0  # times the expected reports that make a provider part of an incident of all


@dataclass(frozen=True, slots=True)
class Learned:
    """What a day's passes share: the baseline and what each source usually brings of each provider."""

    prepared: span.Prepared
    usual: pd.DataFrame

    @property
    def baseline(self) -> Baseline:
        """Return the baseline."""
        return self.prepared.baseline


@dataclass(frozen=True, slots=True)
class Sight:
    """What one pass sees at `at`, counting only what was known by `as_of` (None: now)."""

    at: datetime
    as_of: datetime | None
    learned: Learned
    coverage: Coverage
    moment: span.Span
    streams: dict[Stream, Cells]


class Detection:
    """Detection passes over one store; keeps the zones and the baseline of the day between them."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._regions = list(instance.catalogue.regions.values())
        self._zones = make_zones(self._regions)
        self._learned: Learned | None = None

    def refresh(self, as_of: datetime | None = None) -> list[Incident]:
        """Look once, at the last full five minutes, and return the incidents that are not over, by score.

        as_of: look at that time, with what was known by then; then nothing is stored unless it is later than
        every look before. Looking twice at the same time changes nothing.
        """
        at = floor_to(as_of or self._instance.clock.now(), BUCKET)
        with self._instance.store.read() as connection:
            last, _ = incidents.hotspots(connection)
            known = incidents.find(connection, Filter(since=at - timedelta(days=2), until=at, as_of=as_of))
        self._keep_heartbeat(last, at, as_of)
        with self._instance.store.read() as connection:
            sight = self._look(connection, at, as_of, known)
            running = [i for i in known if i.ended_at is None]
            hotspots = find_hotspots(sight.moment, sight.streams, SHIPPED, running)
            advanced, transitions = _advance(connection, sight, hotspots, known)
        if as_of is None or last is None or at > last:
            self._save(sight, hotspots, advanced, transitions)
        return sorted((i for i in advanced if i.ended_at is None), key=lambda i: (-i.standard, i.incident_id))

    def _keep_heartbeat(self, last: datetime | None, at: datetime, as_of: datetime | None) -> None:
        if as_of is not None or last is None or not timedelta(0) < at - last <= HEARTBEAT:
            return
        with self._instance.store.write() as connection:
            for door in OWN_DOORS:
                cube.listen(connection, door, last, at)

    def _look(self, connection: Connection, at: datetime, as_of: datetime | None, known: Sequence[Incident]) -> Sight:
        learned = self._learn(connection, at, as_of)
        since = min(
            [
                at - to_timedelta(span.LONGEST) - SEARCH_BEFORE,
                *(i.onset - SEARCH_BEFORE for i in known if i.state != "withdrawn"),
            ]
        )
        listening = cube.listening(connection, since, at, as_of)
        counts = cube.frame(connection, Filter(since=at - to_timedelta(span.LONGEST), until=at, as_of=as_of))
        coverage = cover(listening, learned.usual, bucket_number(since), bucket_number(at))
        moment = span.at(bucket_number(at), learned.prepared, coverage)
        return Sight(at, as_of, learned, coverage, moment, by_stream(counts, self._zones.regions))

    def _learn(self, connection: Connection, at: datetime, as_of: datetime | None) -> Learned:
        """Return what is learned from the 28 days before the day (UTC) of `at`; fitted once a day."""
        day = at.astimezone(UTC).date()
        if self._learned and self._learned.baseline.day == day and as_of is None:
            return self._learned
        learned = self._fit(connection, day, as_of)
        if as_of is None:
            self._learned = learned
            with self._instance.store.write() as writing:
                baselines.save(writing, day, learned.baseline.to_bytes())
        return learned

    def _fit(self, connection: Connection, day: date, as_of: datetime | None) -> Learned:
        until = datetime.combine(day, time(), UTC)
        since = until - HISTORY
        counts = cube.frame(connection, Filter(since=since, until=until, as_of=as_of))
        usual = counts.groupby(["provider", "source"])["count"].sum().reset_index()
        start, end = bucket_number(since), bucket_number(until)
        coverage = cover(cube.listening(connection, since, until, as_of), usual, start, end)
        past = incidents.find(connection, Filter(since=since, until=until, as_of=as_of))
        cells = by_stream(counts, self._zones.regions)
        catalogue = self._instance.catalogue
        offered = [Stream(p.id, s) for p in catalogue.providers.values() for s in (ALL, *p.services)]
        history = History(start, end, cells, coverage, _masks(past))
        baseline = fit(history, self._regions, catalogue.providers, day, offered)
        return Learned(span.prepare(baseline, self._zones), usual)

    def _save(
        self, sight: Sight, hotspots: Sequence[Hotspot], advanced: list[Incident], transitions: list[Transition]
    ) -> None:
        with self._instance.store.write() as connection:
            incidents.save(connection, advanced, transitions)
            incidents.save_hotspots(connection, sight.at, hotspots)


def _masks(past: Sequence[Incident]) -> dict[Stream, list[tuple[int, int]]]:
    masks: dict[Stream, list[tuple[int, int]]] = {}
    for incident in past:
        if incident.state != "withdrawn":
            low = bucket_number(incident.onset - AROUND_ALARMS)
            high = bucket_number((incident.ended_at or incident.updated_at) + AROUND_ALARMS)
            masks.setdefault(incident.stream, []).append((low, high))
    return masks


def _advance(
    connection: Connection, sight: Sight, hotspots: Sequence[Hotspot], known: Sequence[Incident]
) -> tuple[list[Incident], list[Transition]]:
    taken = {i.incident_id for i in known}
    alive = [i for i in known if i.ended_at is None or sight.at - i.ended_at <= MERGE_WITHIN]
    advanced, transitions = [], []
    for incident, hotspot in match(hotspots, alive, sight.at):
        if incident and incident.state == "withdrawn":
            continue  # a person has decided; what goes on of it opens nothing new
        begun = incident.first_alarm_at if incident else sight.at
        last_end = _last_end(known, begun, *_where(incident or hotspot))
        evidence = _evidence(connection, sight, incident, hotspot, last_end)
        if hotspot and incident is None and last_end and evidence.score < _least(SHIPPED, hotspot):
            continue  # a long window still holds what has ended; since then there is nothing
        result = step(
            incident,
            hotspot,
            evidence,
            sight.at,
            SHIPPED,
            cold=sight.learned.baseline.cold,
            taken=taken,
            providers=_providers(sight, hotspot) if hotspot else (),
        )
        if result:
            advanced.append(result[0])
            taken.add(result[0].incident_id)
            transitions += [result[1]] if result[1] else []
    return advanced, transitions


def _least(limits: Calibration, hotspot: Hotspot) -> float:
    """Return the nats from which on something is suspected in a zone of the hotspot's level."""
    return float(limits.floor(limits.suspected)[LEVELS.index(hotspot.level)])


def _last_end(
    known: Sequence[Incident], begun: datetime, stream: Stream, regions: Sequence[str] | None
) -> datetime | None:
    """Return when the last incident there ended before `begun`: its reports are not counted twice."""
    found = [
        other.ended_at
        for other in known
        if other.ended_at and other.ended_at < begun and other.stream == stream
        if set(other.regions) & set(regions or ()) or not (other.regions or regions)
    ]
    return max(found, default=None)


def _evidence(
    connection: Connection, sight: Sight, known: Incident | None, hotspot: Hotspot | None, last_end: datetime | None
) -> Evidence:
    """Weigh an incident, or the hotspot that may become one; a hotspot clearer than all before gives the footprint.

    last_end: an incident does not begin before its predecessor ended.
    """
    clearer = hotspot and (known is None or hotspot.standard > known.standard)
    stream, regions = _where(hotspot if clearer else known)
    start = min(thing for thing in (known and known.onset, hotspot and hotspot.start) if thing)
    since = floor_to((known.onset if known else start) - SEARCH_BEFORE, BUCKET)
    if last_end:
        since, start = max(since, floor_to(last_end, BUCKET)), max(start, last_end)
    times = reports.times(connection, stream, regions, since, sight.at, sight.as_of)
    buckets = np.arange(bucket_number(since), bucket_number(sight.at))
    heard = sight.coverage.heard(stream.provider, int(buckets[0]), int(buckets[-1]) + 1)
    baseline = sight.learned.baseline
    course = Course(
        since,
        sight.at,
        np.array([t.timestamp() for t in times]),
        baseline.expected(stream, regions, buckets, heard),
        heard,
        baseline.of(stream).phi,
        baseline.inverse_r(stream, regions),
    )
    return weigh(course, known, start)


def _where(thing: Incident | Hotspot | None) -> tuple[Stream, tuple[str, ...] | None]:
    if thing is None:
        raise ValueError("neither an incident nor a hotspot")
    return thing.stream, thing.regions or None


def _providers(sight: Sight, hotspot: Hotspot) -> tuple[str, ...]:
    """Return who takes part: in the stream of all providers those with clearly more reports than expected."""
    if hotspot.stream.provider != ALL:
        return (hotspot.stream.provider,)
    start, end = bucket_number(hotspot.start), sight.moment.end
    inside = [i for i, name in enumerate(sight.moment.zones.regions) if name in set(hotspot.regions)]
    found = []
    for stream, cells in sight.streams.items():
        if stream.service == ALL and stream.provider != ALL:
            window = cells.between(start, end)
            own = window.where(np.isin(window.region, inside)) if inside else window
            heard = sight.coverage.heard(stream.provider, start, end)
            usual = sight.learned.baseline.expected(stream, hotspot.regions or None, np.arange(start, end), heard)
            if own.count.sum() > TAKES_PART * usual.sum():
                found.append(stream.provider)
    return tuple(sorted(found))
